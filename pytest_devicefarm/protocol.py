"""What happens around a test that uses a device: lending, the verdict, infrastructure failures and their repeats.

Finalizers of driver fixtures do nothing. When all function fixtures are down, the outcome of setup, call and teardown
is known; only then is the session closed and the verdict told.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from pytest_devicefarm.core.errors import ConfigurationError, DeviceFarmError, NoMatchingDevice
from pytest_devicefarm.core.model import Verdict
from pytest_devicefarm.evidence import Evidence
from pytest_devicefarm.holding import hold
from pytest_devicefarm.keeper import Keeper
from pytest_devicefarm.loan import Loan
from pytest_devicefarm.markers import may_lease, plan_of, uses_device
from pytest_devicefarm.outcomes import first_line, infrastructure_problem, outcome_of, phase_of, worth_repeating
from pytest_devicefarm.tracebacks import place, shorten

if TYPE_CHECKING:
    from pytest_devicefarm.interrupts import Interrupts
    from pytest_devicefarm.run import FarmRun

ALLURE = "devicefarm-allure"
"""Name under which our Allure sink is registered."""

_TESTS: pytest.StashKey[DeviceTests] = pytest.StashKey()
_LOAN: pytest.StashKey[Loan] = pytest.StashKey()
_TRY: pytest.StashKey[int] = pytest.StashKey()
_REPEATS: pytest.StashKey[int] = pytest.StashKey()
_AGAIN: pytest.StashKey[bool] = pytest.StashKey()
_PHASES = pytest.StashKey[dict[str, tuple[str, str]]]()

Send = Callable[[Mapping[str, Any]], None]


class DeviceTests:
    """The tests of one process that use devices.

    Args:
        send: Hands a message to the controller; see `controller.Controller.handle`.
    """

    def __init__(
        self,
        config: pytest.Config,
        run: FarmRun,
        interrupts: Interrupts,
        *,
        send: Send,
        before_first_lease: Callable[[], None],
    ) -> None:
        self.run = run
        self.keeper = Keeper(
            run,
            config.hook,
            say=lambda text: send({"kind": "line", "text": text}),
            progress=lambda name, done, size: send({"kind": "progress", "name": name, "done": done, "size": size}),
            before_first_lease=before_first_lease,
        )
        self._evidence = Evidence(run)
        self._config = config
        self._interrupts = interrupts
        self._send = send
        config.stash[_TESTS] = self

    # collection

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Find out now what no device can ever satisfy; only tests that are really selected count."""
        items = [item for item in session.items if may_lease(item)]
        if self._config.option.collectonly or not items:
            return
        matching: int | None
        try:
            matching = self._check(items)
        except ConfigurationError as error:
            self._send({"kind": "usage-error", "text": str(error)})
            return
        except DeviceFarmError as error:
            if not error.infrastructure:
                self._send({"kind": "usage-error", "text": str(error)})
                return
            # Not the end of the run: other tests go on, and each test that needs the farm reports it.
            matching = None
        self._send({"kind": "selected", "tests": len(items), "matching": matching})

    def _check(self, items: list[pytest.Item]) -> int:
        """How many devices can serve one of the tests at least.

        Raises:
            ConfigurationError: Marks are wrong, or a test can never run; all such tests at once.
        """
        self.run.output.check()
        plans = [(item, plan_of(item)) for item in items if uses_device(item)]
        devices = self.run.devices()
        # What a wider fixture will lease is not known yet; it may be any of them.
        serving = {device.udid for device in devices} if len(plans) < len(items) else set()
        problems: dict[str, list[str]] = {}
        for item, plan in plans:
            if item.get_closest_marker("skip"):
                continue
            try:
                for found in self.keeper.devices.check(plan).values():
                    serving |= {device.udid for device in found}
            except ConfigurationError as error:
                if self.run.options.farm_unmatched == "skip" and isinstance(error, NoMatchingDevice):
                    item.add_marker(pytest.mark.skip(reason=str(error)))
                else:
                    problems.setdefault(str(error), []).append(item.nodeid)
        if problems:
            raise ConfigurationError("\n".join(f"{_listed(nodeids)}: {text}" for text, nodeids in problems.items()))
        return len(serving & {device.udid for device in devices})

    # one test

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Generator[None, object, object]:
        """Repeat the whole test after an infrastructure failure; whatever runs the test inside does not notice."""
        outermost = _REPEATS not in item.stash
        if outermost:
            item.stash[_REPEATS] = 0
        try:
            result = yield
            while outermost and item.stash.get(_AGAIN, False):
                item.stash[_REPEATS] = self.run.options.farm_retries - self._retries_left(item) + 1
                item.stash[_AGAIN] = False
                item.ihook.pytest_runtest_protocol(item=item, nextitem=nextitem)
            return result
        finally:
            if outermost:
                del item.stash[_REPEATS]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Begin a try with nothing lent; pytest-rerunfailures runs the same item several times."""
        item.stash[_TRY] = item.stash.get(_TRY, 0) + 1
        item.stash[_PHASES] = {}
        if _LOAN in item.stash:
            del item.stash[_LOAN]

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Tell infrastructure from test, take what exists only while the session is open, and hand the facts on."""
        if call.excinfo is not None and not self._config.option.fulltrace:
            shorten(call.excinfo)
        report = yield
        if call.excinfo is not None:
            place(report, call.excinfo.value)
        is_skip = call.excinfo is not None and isinstance(call.excinfo.value, pytest.skip.Exception)
        problem = infrastructure_problem(call.excinfo.value) if call.excinfo and not is_skip else ""
        loan = item.stash.get(_LOAN, None)
        if loan is not None and report.failed and report.when == "call" and call.excinfo and not problem:
            problem = self._loss_behind(loan, call.excinfo.value)
        phases: dict[str, tuple[str, str]] = item.stash.setdefault(_PHASES, {})
        if report.when == "teardown" and item.stash.get(_AGAIN, False):
            report.devicefarm_try_repeated = True  # type: ignore[attr-defined]
        if problem:
            self._mark_infrastructure(item, report, problem, call)
        elif report.failed and report.when == "teardown" and item.stash.get(_AGAIN, False):
            # What a teardown makes of a session that is gone is no second problem of its own.
            _mark_repeated(report)
        phases[report.when] = phase_of(report, problem)
        if loan is not None:
            if report.when == "teardown":
                jobs = self._evidence.jobs(loan, phases)
                report.devicefarm_sessions = [job.to_plain() for job in jobs]  # type: ignore[attr-defined]
            elif not problem:
                self._evidence.take_screen(loan, failed=report.outcome not in ("passed", "skipped"))
        return report

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Generator[None, object, object]:
        """When all function fixtures are down: verdict, end of the session, device back."""
        loan = item.stash.get(_LOAN, None)
        if loan is None:
            return (yield)
        phases = item.stash[_PHASES]
        if self.run.options.farm_hold and outcome_of(phases) == "failed":
            hold(
                self._config,
                self.run,
                loan,
                lambda text: self._send({"kind": "line", "always": True, "text": text}),
            )
        try:
            result = yield
        except BaseException as error:
            problem = infrastructure_problem(error)
            word = "infrastructure" if problem else "failed"
            phases["teardown"] = (word, problem or first_line(error))
            raise
        finally:
            with self._interrupts.shield():
                self._finish(item, loan, nextitem)
        return result

    # the end

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self) -> None:
        """Give back before anything else: the terminal takes up to seconds to draw the traceback."""
        self._give_back()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self) -> Generator[None, object, object]:
        """Give back what the last test left, before anything waits for artifacts."""
        self._give_back()
        return (yield)

    def pytest_unconfigure(self) -> None:
        """In a worker: give back what teardowns of wider fixtures may have left, and end our part in the run."""
        if self.run.is_worker:
            self._give_back()
            self.run.close()
            self._interrupts.uninstall()

    def loan(self, item: pytest.Item) -> Loan:
        """What the running test was lent; begun here where it was lent nothing yet."""
        if _LOAN not in item.stash:
            item.stash[_LOAN] = Loan(
                item=item,
                plan=plan_of(item),
                try_number=item.stash.get(_TRY, 1),
                started=time.time(),
                retries=self._retries_left(item),
            )
        return item.stash[_LOAN]

    # inside

    def _give_back(self) -> None:
        with self._interrupts.absorb():
            for problem in self.keeper.close():
                self._send({"kind": "problem", "text": problem})

    def _retries_left(self, item: pytest.Item) -> int:
        loan = item.stash.get(_LOAN, None)
        return loan.retries if loan is not None else self.run.options.farm_retries - item.stash.get(_REPEATS, 0)

    def _mark_infrastructure(
        self, item: pytest.Item, report: pytest.TestReport, problem: str, call: pytest.CallInfo[None]
    ) -> None:
        report.devicefarm_infrastructure = problem  # type: ignore[attr-defined]
        # An expected failure is one of the app; the farm's own is none.
        report.outcome = "failed"
        if hasattr(report, "wasxfail"):
            del report.wasxfail
        error = call.excinfo.value if call.excinfo else None
        if _LOAN in item.stash and isinstance(error, Exception):
            item.stash[_LOAN].error = error
        helps = error is not None and worth_repeating(error)
        failed = any(word == "failed" for word, _ in item.stash[_PHASES].values())
        again = item.stash.get(_AGAIN, False) or (helps and self._retries_left(item) > 0)
        if again and not failed and not self._interrupts.count:
            item.stash[_AGAIN] = True
            _mark_repeated(report)

    def _loss_behind(self, loan: Loan, error: BaseException) -> str:
        from selenium.common.exceptions import WebDriverException

        return self._evidence.loss_behind(loan) if isinstance(error, WebDriverException) else ""

    def _finish(self, item: pytest.Item, loan: Loan, nextitem: pytest.Item | None) -> None:
        phases = item.stash[_PHASES]
        outcome = outcome_of(phases)
        self.keeper.devices.note_outcome(loan, infrastructure=outcome == "infrastructure")
        passed = {"passed": True, "xfailed": True, "xpassed": True, "failed": False}.get(outcome)
        description = "; ".join(
            [f"{when} {word}" + (f": {text}" if text else "") for when, (word, text) in phases.items()]
            + [f"try {loan.try_number}" + (", final" if self._is_last(item, outcome) else "")]
        )
        verdict = Verdict(passed=passed, name=item.nodeid, description=description)
        self._evidence.take_last(loan, outcome)
        verdicts = dict.fromkeys(loan.leases, verdict)
        for problem in self.keeper.finish(loan, verdicts, item if item.stash.get(_AGAIN, False) else nextitem):
            self._send({"kind": "problem", "text": f"{item.nodeid}: {problem}"})
        if (allure := self._config.pluginmanager.get_plugin(ALLURE)) is not None:
            for job in self._evidence.jobs(loan, phases):
                allure.attach_live(item, job)

    def _is_last(self, item: pytest.Item, outcome: str) -> bool:
        """Whether this try is the one that counts, as far as pytest-rerunfailures tells before the test has ended."""
        if item.stash.get(_AGAIN, False):
            return False
        if outcome != "failed" or not self._config.pluginmanager.has_plugin("rerunfailures"):
            return True
        from pytest_rerunfailures import get_reruns_count

        return bool(getattr(item, "execution_count", 1) > (get_reruns_count(item) or 0))


def device_tests(config: pytest.Config) -> DeviceTests:
    """The device tests of this process.

    Raises:
        ConfigurationError: The run has no farm.
    """
    if _TESTS not in config.stash:
        _no_farm()
    return config.stash[_TESTS]


def loan_of(request: pytest.FixtureRequest) -> tuple[DeviceTests, Loan]:
    """The device tests of this process and what the requesting test was lent."""
    tests = device_tests(request.config)
    return tests, tests.loan(request.node)


def _no_farm() -> NoReturn:
    raise ConfigurationError(
        "this test uses a device, but the run has no farm: give --farm NAME (or farm in the ini file, or "
        "DEVICEFARM_FARM); without an account, try --farm kobiton --farm-simulate"
    )


def _mark_repeated(report: pytest.TestReport) -> None:
    report.devicefarm_repeated = True  # type: ignore[attr-defined]
    report.outcome = "rerun"  # type: ignore[assignment]


def _listed(nodeids: list[str]) -> str:
    shown = ", ".join(nodeids[:3])
    return shown if len(nodeids) <= 3 else f"{shown} and {len(nodeids) - 3} more"
