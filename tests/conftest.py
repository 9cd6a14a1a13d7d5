"""What holds for all tests: an environment that is nobody's, and no test skipped unseen in CI."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator

import pytest

pytest_plugins = ["pytester"]

# Tests that may be skipped in CI: node id -> why. A layer that CI cannot run is not tested, so this stays short.
SKIPPED_IN_CI: dict[str, str] = {}

IN_CI = pytest.StashKey[bool]()
FOREIGN_PREFIXES = ("KOBITON_", "TESTGRID_", "DEVICEFARM_", "SELENIUM_", "PYTEST_XDIST_", "XDG_")
FOREIGN_NAMES = {"CI", "BUILD_NUMBER", "PYTEST_ADDOPTS", "NO_PROXY", "ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY"}


def pytest_configure(config: pytest.Config) -> None:
    config.stash[IN_CI] = bool(os.environ.get("CI"))


@pytest.fixture(autouse=True)
def _environment_of_nobody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Takes away the accounts, proxies and folders of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith(FOREIGN_PREFIXES) or name.upper() in FOREIGN_NAMES:
                patch.delenv(name)
        home = str(tmp_path_factory.mktemp("home"))
        for name in ("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA"):
            patch.setenv(name, home)
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if not hasattr(report, "wasxfail"):
        _fail_if_skipped_in_ci(item.config, report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _fail_if_skipped_in_ci(collector.config, report)
    return report


def _fail_if_skipped_in_ci(config: pytest.Config, report: pytest.TestReport | pytest.CollectReport) -> None:
    if config.stash[IN_CI] and report.skipped and report.nodeid not in SKIPPED_IN_CI:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"skipped in CI, where every layer has to run: {reason}"
