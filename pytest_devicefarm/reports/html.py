"""Devices, links and failure screenshots in the report of pytest-html.

pytest-html turns the extras of a test into table rows as soon as its teardown report comes, and late artifacts come
after that. So the row links the page in the folder of the test, whose place is known beforehand.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import pytest

from pytest_devicefarm.core.model import ArtifactKind
from pytest_devicefarm.core.redaction import visible
from pytest_devicefarm.reports.artifacts import OutputFolder, SessionJob, jobs_on
from pytest_devicefarm.reports.page import PAGE_NAME, file_link
from pytest_devicefarm.reports.text import portal_link

_LARGEST_EMBEDDED = 4 << 20
_COLUMN = 2  # behind result and test


class HtmlReport:
    """A plugin to register where pytest-html is loaded and ``--html`` given; quiet in workers of xdist.

    Args:
        folder: The folder of the run.
    """

    def __init__(self, config: pytest.Config, folder: OutputFolder) -> None:
        self._folder = folder
        # What a worker adds to a report travels with it, and the controller would add it once more.
        self._writes = not hasattr(config, "workerinput")
        self._report_folder = _report_path(config.getoption("htmlpath")).parent
        self._self_contained = bool(config.getoption("self_contained_html", False))
        self._devices: dict[str, str] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add the extras before pytest-html reads them, which it does on the teardown report."""
        jobs = jobs_on(report) if self._writes else []
        if jobs:
            self._devices[report.nodeid] = "<br>".join(_device_text(job) for job in jobs)
            extras = [extra for job in jobs for extra in self._extras(job)]
            report.extras = [*getattr(report, "extras", ()), *extras]  # type: ignore[attr-defined]

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_header(self, cells: list[str]) -> None:
        """Add the column of devices."""
        cells.insert(_COLUMN, '<th class="sortable" data-column-type="device">Device</th>')

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_row(self, report: pytest.TestReport, cells: list[str]) -> None:
        """Fill the column of devices; empty for tests that used none."""
        cells.insert(_COLUMN, f'<td class="col-device">{self._devices.get(report.nodeid, "")}</td>')

    def _extras(self, job: SessionJob) -> Iterator[dict[str, Any]]:
        from pytest_html import extras

        role = f" ({escape(visible(job.test.role))})" if job.test.role else ""
        page = self._folder.of(job.test) / PAGE_NAME
        # pytest-html puts names and addresses of links into its table as they are.
        yield extras.url(escape(file_link(page, self._report_folder)), name=f"Artifacts{role}")
        if job.session and (link := portal_link(job.session.url)):
            yield extras.url(escape(link), name=f"Farm session{role}")
        for artifact in job.live:
            if artifact.kind is ArtifactKind.SCREENSHOT and artifact.path is not None:
                yield self._image(artifact.path, f"Screenshot{role}")

    def _image(self, path: Path, name: str) -> dict[str, Any]:
        from pytest_html import extras

        link = file_link(path, self._report_folder)
        if not self._self_contained:
            return dict(extras.png(link, name=name))
        try:
            embed = path.stat().st_size <= _LARGEST_EMBEDDED
            content = base64.b64encode(path.read_bytes()).decode("ascii") if embed else ""
        except OSError:
            content = ""
        return dict(extras.png(content, name=name) if content else extras.url(link, name=name))


def _report_path(option: str) -> Path:
    """Where pytest-html writes, found as it does it."""
    return Path.cwd() / Path(os.path.expandvars(option)).expanduser()


def _device_text(job: SessionJob) -> str:
    role = f"{job.test.role}: " if job.test.role else ""
    return escape(visible(f"{role}{job.test.device}"))
