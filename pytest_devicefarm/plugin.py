"""The way in: what pytest calls. Installed but unused, this loads nothing beyond pytest and opens nothing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_devicefarm import fixtures
from pytest_devicefarm.core import hookspecs
from pytest_devicefarm.core.errors import ConfigurationError
from pytest_devicefarm.markers import MARKERS
from pytest_devicefarm.options import add_options, read_options

if TYPE_CHECKING:
    from pytest_devicefarm.core.farm import FarmSpec
    from pytest_devicefarm.options import Options
    from pytest_devicefarm.run import FarmRun, Shared

# Modules of an editable install are not rewritten by pytest unless it is told.
pytest.register_assert_rewrite("pytest_devicefarm.fixtures")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the flags of the group "device farm"."""
    add_options(parser)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Add the hooks that conftests may implement."""
    pluginmanager.add_hookspecs(hookspecs)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Register marks and fixtures, and where a farm is named the plugins that use it."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    config.pluginmanager.register(fixtures, "devicefarm-fixtures")
    try:
        chosen = read_options(config)
        if chosen is not None:
            _set_up(config, *chosen)
    except ConfigurationError as error:
        raise pytest.UsageError(str(error)) from None


def _set_up(config: pytest.Config, options: Options, file: Any) -> None:
    from pytest_devicefarm.controller import WORKER_INPUT, Controller
    from pytest_devicefarm.interrupts import Interrupts
    from pytest_devicefarm.protocol import DeviceTests
    from pytest_devicefarm.run import FarmRun, Shared

    if config.pluginmanager.has_plugin("appium_scheduler") or config.pluginmanager.has_plugin(
        "pytest_appium_scheduler"
    ):
        raise ConfigurationError(
            "pytest-appium-scheduler is loaded too: it uses the same device mark and a scheduler of its own. "
            "Run with -p no:appium_scheduler, or with -p no:devicefarm"
        )
    told: dict[str, Any] | None = getattr(config, "workerinput", {}).get(WORKER_INPUT)
    run = FarmRun(
        options,
        file,
        Shared.from_plain(told["shared"]) if told else _shared(options, config.invocation_params.dir),
        extra_specs=_extra_specs(config),
        root=config.invocation_params.dir,
        is_worker=told is not None,
    )
    if options.farm_simulate:
        from pytest_devicefarm.simulated import check_simulator

        check_simulator(run.spec)
    if options.farm_reset not in run.spec.resets:
        raise ConfigurationError(
            f"farm {run.spec.name!r} cannot reset {options.farm_reset!r} between tests; --farm-reset can be "
            f"{', '.join(run.spec.resets)}"
        )
    if told is not None:
        interrupts = Interrupts()
        channel = told["channel"]
        channel.send({"kind": "pid", "pid": os.getpid()})
        tests = DeviceTests(config, run, interrupts, send=channel.send, before_first_lease=lambda: None)
    else:
        controller: list[Controller] = []
        interrupts = Interrupts(on_first=lambda: controller[0].forward_later())
        controller.append(Controller(config, run, interrupts))
        config.pluginmanager.register(controller[0], "devicefarm-controller")
        tests = DeviceTests(config, run, interrupts, send=controller[0].handle, before_first_lease=controller[0].guard)
    config.pluginmanager.register(tests, "devicefarm-tests")
    _register_reports(config, run, is_worker=told is not None)
    interrupts.install()


def _extra_specs(config: pytest.Config) -> list[FarmSpec]:
    specs: list[FarmSpec] = []
    for given in config.hook.pytest_devicefarm_farm():
        specs += [given] if hasattr(given, "factory") else list(given)
    return specs


def _shared(options: Options, start: Path) -> Shared:
    from pytest_devicefarm.core.settings import state_folder
    from pytest_devicefarm.run import Shared, new_run_name

    run = new_run_name()
    state = state_folder(options.farm_state)
    if options.farm_simulate and options.farm_state is None:
        # What is leased and uploaded at a simulator that ends with its run is nobody else's business.
        state = state / "simulated" / run
    return Shared(
        run=run,
        state=str(state),
        output=str((start / options.farm_output).absolute()),
        simulator=str(state / "simulator.json") if options.farm_simulate else "",
    )


def _register_reports(config: pytest.Config, run: FarmRun, *, is_worker: bool) -> None:
    manager = config.pluginmanager
    if manager.has_plugin("allure_pytest") and config.getoption("allure_report_dir", None):
        from pytest_devicefarm.protocol import ALLURE
        from pytest_devicefarm.reports.allure import AllureReport

        manager.register(AllureReport(config, run.output), ALLURE)
    if is_worker:
        return
    if manager.has_plugin("html") and config.getoption("htmlpath", None):
        from pytest_devicefarm.reports.html import HtmlReport

        manager.register(HtmlReport(config, run.output), "devicefarm-html")
    if config.getoption("xmlpath", None):
        from pytest_devicefarm.reports.junit import JUnitReport

        manager.register(JUnitReport(config, run.output), "devicefarm-junit")
