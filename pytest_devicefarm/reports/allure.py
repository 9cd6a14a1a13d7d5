"""Devices, links and artifacts in the results of allure-pytest.

Allure writes the result of a test in the process of the test, when the test is over. What is known by then is handed to
it (`AllureReport.attach_live`). Late artifacts come afterwards, in the controller: they get a *container* of their own,
the file in which Allure's result format keeps what happened around a test, so that no file of Allure is changed.
A label on the result tells which result belongs to which folder.
"""

from __future__ import annotations

import importlib
import json
import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pytest_devicefarm.core.model import Artifact, ArtifactKind, TestRecord
from pytest_devicefarm.core.redaction import visible
from pytest_devicefarm.reports.artifacts import OutputFolder, SessionJob, relative_name, replace_text
from pytest_devicefarm.reports.text import portal_link

_LABEL = "devicefarm"


class AllureReport:
    """A plugin for every process of the run; register it where allure-pytest is loaded and ``--alluredir`` given.

    Args:
        folder: The folder of the run.
    """

    def __init__(self, config: pytest.Config, folder: OutputFolder) -> None:
        self._folder = folder
        self._results = Path(config.getoption("allure_report_dir")).absolute()
        self._settled: dict[str, tuple[TestRecord, list[Artifact]]] = {}

    def attach_live(self, item: pytest.Item, job: SessionJob) -> None:
        """Tell Allure what is known when a test is torn down; call it in the process of the test, during teardown."""
        # By name, since its functions are not typed.
        allure = importlib.import_module("allure")
        test = job.test
        name = f"device ({test.role})" if test.role else "device"
        # Excluded: the history of a test goes on when it comes to run on another device.
        allure.dynamic.parameter(name, visible(str(test.device)), excluded=True)
        allure.dynamic.label("device", visible(test.device.name))
        allure.dynamic.label(_LABEL, self._key(test))
        if job.session and (link := portal_link(job.session.url)):
            allure.dynamic.link(link, name=f"Farm session ({test.role})" if test.role else "Farm session")
        for artifact in job.live:
            if artifact.kind is ArtifactKind.SCREENSHOT and artifact.path is not None and artifact.path.is_file():
                allure.attach.file(
                    str(artifact.path), name=self._name(test, artifact), attachment_type=allure.attachment_type.PNG
                )

    def pytest_devicefarm_attach(self, test: TestRecord, artifact: Artifact) -> None:
        """Take note of an artifact; all are written together when the run ends."""
        self._settled.setdefault(self._key(test), (test, []))[1].append(artifact)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Write a container for each test with artifacts that Allure does not have yet."""
        if not self._settled or not self._results.is_dir():
            return
        for path in sorted(self._results.glob("*-result.json")):
            result = _read_result(path)
            for label in result.get("labels", ()):
                if label.get("name") == _LABEL and label.get("value") in self._settled:
                    test, artifacts = self._settled[label["value"]]
                    self._write_container(result, test, artifacts)

    def _key(self, test: TestRecord) -> str:
        return f"{self._folder.run}/{self._folder.of(test).name}"

    def _name(self, test: TestRecord, artifact: Artifact) -> str:
        role = f"{test.role}: " if test.role else ""
        file = relative_name(artifact.path, self._folder.of(test)) if artifact.path else str(artifact.kind)
        return visible(f"{role}{file}")

    def _write_container(self, result: dict[str, Any], test: TestRecord, artifacts: Sequence[Artifact]) -> None:
        known = {attachment.get("name") for attachment in result.get("attachments", ())}
        attachments = []
        notes = []
        for artifact in artifacts:
            name = self._name(test, artifact)
            if artifact.path is None:
                notes.append(f"{name}: {visible(artifact.note)}")
            elif name not in known and (source := self._copied(artifact.path)):
                attachments.append({"name": name, "source": source, "type": artifact.media_type})
        if not attachments and not notes:
            return
        identity, at = str(uuid.uuid4()), int(test.ended * 1000)
        around = {"status": "passed", "stage": "finished", "start": at, "stop": at}
        step = {"name": "device farm artifacts", "attachments": attachments, **around}
        if notes:
            step["statusDetails"] = {"message": "\n".join(notes)}
        container = {
            "uuid": identity,
            "name": "device farm",
            "children": [result["uuid"]],
            "befores": [],
            "afters": [step],
            "start": at,
            "stop": at,
        }
        replace_text(self._results / f"{identity}-container.json", json.dumps(container))

    def _copied(self, path: Path) -> str:
        """Name of a copy in Allure's folder; a second name of the same file where the file system has such."""
        target = self._results / f"{uuid.uuid4()}-attachment{path.suffix}"
        try:
            target.hardlink_to(path)
        except OSError:
            try:
                shutil.copyfile(path, target)
            except OSError:
                return ""
        return target.name


def _read_result(path: Path) -> dict[str, Any]:
    """The result of a test where it carries our label, read from the file; empty for every other one."""
    try:
        content = path.read_bytes()
        result = json.loads(content) if f'"{_LABEL}"'.encode() in content else {}
    except (OSError, ValueError):
        return {}
    return result if isinstance(result, dict) and "uuid" in result else {}
