"""Devices, sessions and folders as properties in JUnit XML, and the farm's failures as errors instead of failures."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_devicefarm.reports.artifacts import (
    OutputFolder,
    SessionJob,
    infrastructure_on,
    jobs_on,
    relative_name,
)
from pytest_devicefarm.reports.text import portal_link


class JUnitReport:
    """A plugin to register where ``--junitxml`` is given; quiet in workers of xdist.

    Properties of a test, with ``.ROLE`` behind the name where a test has several devices: ``devicefarm.device``,
    ``devicefarm.udid``, ``devicefarm.session`` (the farm's page), ``devicefarm.artifacts`` (folder relative to the XML
    file), ``devicefarm.infrastructure`` (what went wrong with the farm).

    Args:
        folder: The folder of the run.
    """

    def __init__(self, config: pytest.Config, folder: OutputFolder) -> None:
        self._config = config
        # What a worker adds to a report travels with it, and the controller would add it once more.
        self._writes = not hasattr(config, "workerinput")
        self._folder = folder
        self._xml_folder = Path(os.path.expandvars(config.getoption("xmlpath"))).expanduser().absolute().parent

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add properties to the teardown report, the only one whose properties pytest writes."""
        if not self._writes:
            return
        for job in jobs_on(report):
            report.user_properties.extend(self._properties(job))
        # Outside of call pytest writes an error anyhow.
        if report.when == "call" and report.failed and infrastructure_on(report):
            _write_as_error(self._config, report)
        if getattr(report, "devicefarm_try_repeated", False):
            _leave_out(self._config, report)

    def _properties(self, job: SessionJob) -> Iterator[tuple[str, str]]:
        test = job.test
        role = f".{test.role}" if test.role else ""
        link = portal_link(job.session.url) if job.session else ""
        values = {
            "device": str(test.device),
            "udid": test.device.udid,
            "session": link,
            "artifacts": relative_name(self._folder.of(test), self._xml_folder),
            "infrastructure": job.infrastructure,
        }
        for name, value in values.items():
            if value:
                yield f"devicefarm.{name}{role}", value


def _write_as_error(config: pytest.Config, report: pytest.TestReport) -> None:
    """Have the failure of this call written as ``<error>``.

    pytest has no public way for it. Where its inside looks different, the file says ``<failure>``: less fitting, not
    wrong, and the property tells what it was.
    """
    try:
        import xml.etree.ElementTree as ElementTree

        from _pytest.junitxml import bin_xml_escape, xml_key

        reporter = config.stash[xml_key].node_reporter(report)
        error = ElementTree.Element("error", message=bin_xml_escape(infrastructure_on(report)))
        error.text = bin_xml_escape(report.longreprtext)
        add = reporter.append
    except (ImportError, AttributeError, KeyError):
        return
    reporter.append_failure = lambda report: add(error)  # type: ignore[method-assign]


def _leave_out(config: pytest.Config, report: pytest.TestReport) -> None:
    """Take the try of a test that is repeated out of the file: it has no result, and its repeat has one."""
    try:
        from _pytest.junitxml import xml_key

        xml = config.stash[xml_key]
        xml.node_reporters_ordered.remove(xml.node_reporter(report))
    except (ImportError, AttributeError, KeyError, ValueError):
        return
