"""A suite whose conftest does by hand what the plugin does with a farm, so that reports are tested alone."""

from __future__ import annotations

from typing import Literal

import pytest

CONFTEST = """
import base64

import pytest

from pytest_devicefarm.core import hookspecs
from pytest_devicefarm.core.model import Artifact, ArtifactKind, Device, FarmSession, TestRecord
from pytest_devicefarm.reports.artifacts import INFRASTRUCTURE_ON_REPORT, ON_REPORT, OutputFolder, SessionJob, jobs_on
from pytest_devicefarm.reports.{module} import {sink}

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
DEVICE = Device("7", "R5CT1", "Galaxy <script>alert(1)</script>", "android", "14")


def pytest_addhooks(pluginmanager):
    pluginmanager.add_hookspecs(hookspecs)


@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    config.folder = OutputFolder(config.rootpath / "farm results", "run")
    config.sink = {sink}(config, config.folder)
    config.pluginmanager.register(config.sink, "devicefarm-sink")
    config.jobs = []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed and getattr(item.function, "infrastructure", ""):
        setattr(report, INFRASTRUCTURE_ON_REPORT, item.function.infrastructure)
    if report.when == "call":
        item.failed = report.failed
    if report.when == "teardown" and getattr(item.function, "roles", None):
        setattr(report, ON_REPORT, [job.to_plain() for job in item.jobs])
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item):
    yield
    item.jobs = [_job(item, role) for role in getattr(item.function, "roles", ())]
    for job in item.jobs:
        if hasattr(item.config.sink, "attach_live"):
            item.config.sink.attach_live(item, job)


def _job(item, role):
    outcome = "failed" if item.failed else "passed"
    test = TestRecord(item.nodeid, getattr(item, "execution_count", 1), outcome, DEVICE, role, 100.0, 101.0)
    session = FarmSession("wd-1", "42", "https://me:key@portal.example/s/42?a=1&b=2", DEVICE, 100.0)
    live = ()
    if item.failed:
        path = item.config.folder.of(test) / "screenshots" / "failure.png"
        item.config.folder.prepare(path.parent)
        path.write_bytes(PNG)
        live = (Artifact(ArtifactKind.SCREENSHOT, "failure.png", path, "image/png"),)
    infrastructure = getattr(item.function, "infrastructure", "")
    return SessionJob(test, session, (ArtifactKind.DEVICE_LOG,), live, infrastructure)


def pytest_runtest_logreport(report):
    JOBS.extend(jobs_on(report))


JOBS = []


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session):
    config = session.config
    if hasattr(config, "workerinput"):
        return
    for job in JOBS:
        log = config.folder.prepare(config.folder.of(job.test)) / "device.log"
        log.write_text("I am a log")
        missing = Artifact(ArtifactKind.VIDEO, "video.mp4", None, "", "not there after 120 s")
        for artifact in (*job.live, Artifact(ArtifactKind.DEVICE_LOG, "device.log", log, "text/plain"), missing):
            config.hook.pytest_devicefarm_attach(config=config, test=job.test, artifact=artifact)
"""

TESTS = """
def test_pass():
    pass
test_pass.roles = ("",)


def test_fail():
    assert 1 == 2
test_fail.roles = ("",)


def test_hub():
    raise ConnectionError("hub <gone>")
test_hub.roles = ("",)
test_hub.infrastructure = "hub gone in the middle"


def test_two():
    assert 1 == 2
test_two.roles = ("buyer", "seller")


def test_plain():
    pass
"""

SINKS = {"html": "HtmlReport", "junit": "JUnitReport", "allure": "AllureReport"}


def run_suite(
    pytester: pytest.Pytester, module: Literal["html", "junit", "allure"], *arguments: str, tests: str = TESTS
) -> pytest.RunResult:
    """Run the suite with one report in a process of its own, our own plugin left out."""
    pytester.makeconftest(CONFTEST.replace("{module}", module).replace("{sink}", SINKS[module]))
    pytester.makepyfile(test_shop=tests)
    return pytester.runpytest_subprocess("-p", "no:devicefarm", "-p", "no:cacheprovider", "-Werror", *arguments)
