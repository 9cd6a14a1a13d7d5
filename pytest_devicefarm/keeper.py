"""A process's lease and session between tests: what a test is lent, and what happens to it afterwards.

Fixtures only ask here; they end nothing. What they were lent is ended by `Keeper.finish`, when the test is wholly over
and its outcome, teardown included, is known.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from pytest_devicefarm.builds import RunBuilds
from pytest_devicefarm.candidates import Candidates
from pytest_devicefarm.core.errors import (
    ConfigurationError,
    DeviceBusy,
    DeviceFarmError,
    FarmUnreachable,
    LeaseError,
    SessionNotCreated,
)
from pytest_devicefarm.evidence import Evidence
from pytest_devicefarm.loan import Loan, hand_over
from pytest_devicefarm.markers import plan_of, uses_device
from pytest_devicefarm.outcomes import worth_repeating

if TYPE_CHECKING:
    import pytest
    from appium.webdriver.webdriver import WebDriver

    from pytest_devicefarm.core.leases import Lease, WaitReport
    from pytest_devicefarm.core.leasing import Leasing
    from pytest_devicefarm.core.model import App, ArtifactKind, Device, Verdict
    from pytest_devicefarm.core.query import DeviceQuery
    from pytest_devicefarm.run import FarmRun


class Keeper:
    """Leases, uploads, opens and gives back for the tests of one process.

    Args:
        say: Shows a line to the user at once.
        hooks: Where our hooks are called.
        before_first_lease: Called once, before anything can be left behind.
    """

    def __init__(
        self,
        run: FarmRun,
        hooks: Any,
        *,
        say: Callable[[str], None],
        progress: Callable[[str, int, int], None],
        before_first_lease: Callable[[], None],
    ) -> None:
        self._run = run
        self._hooks = hooks
        self._say = say
        self._before_first_lease = before_first_lease
        self._leasing: Leasing | None = None
        self._held: Lease | None = None
        self.builds = RunBuilds(run, say=say, progress=progress)
        self.devices = Candidates(run, self.builds)
        self._loaned: Loan | None = None
        self._installed: dict[str, str] = {}
        self._problems: list[str] = []

    # what fixtures ask for

    def leases(self, loan: Loan) -> dict[str, Lease]:
        """The test's leases by role, taken now if it has none yet.

        Raises:
            DeviceWaitTimeout: Not all of them became free in time.
            ConfigurationError: No device of the run matches, or no build fits.
        """
        if loan.leases:
            return loan.leases
        self._loaned = loan
        candidates = self.devices.check(loan.plan)
        self.builds.upload_beforehand(loan.plan, candidates)
        held = self._held
        if held is not None and not loan.plan.several and self._serves(held, loan.plan.queries[""], candidates[""]):
            self._held = None
            self._lend(loan, {"": held})
            return loan.leases
        self._give_up_held()
        self._lease(loan, candidates)
        return loan.leases

    def app(self, loan: Loan, role: str) -> App | None:
        """The build for one of the test's devices; ``None`` where the run has no build at all.

        Raises:
            ConfigurationError: The run has builds, but none for this platform.
            AppError: The farm cannot parse it.
        """
        if role not in loan.apps:
            device = self.leases(loan)[role].device
            text = self.builds.text_for(loan.plan, device.platform)
            loan.apps[role] = self.builds.upload(text) if text else None
        return loan.apps[role]

    def installed(self, loan: Loan, role: str) -> App | None:
        """The test's build as its session will have it; put on the device now on farms that want it there before."""
        app = self.app(loan, role)
        lease = loan.leases[role]
        if app is not None and self._installed.get(lease.token) != app.id:
            self._run.farm.install(lease.device, app)
            self._installed[lease.token] = app.id
        return app

    def capabilities(self, loan: Loan, role: str) -> dict[str, Any]:
        """The capabilities about to be sent for one of the test's devices, complete but for secrets and hooks."""
        from pytest_devicefarm.core.sessions import new_token

        lease = self.leases(loan)[role]
        loan.tokens[role] = new_token()
        offered = self._run.farm.capabilities(
            lease.device,
            self.installed(loan, role),
            name=loan.item.nodeid,
            token=loan.tokens[role],
            reset=self._run.options.farm_reset,
        )
        in_file = self._run.file.capabilities if self._run.file else {}
        if in_file and loan.apps[role] is not None:
            # What the build asks for is nearer to the test than the file; the rest of the farm's own is not.
            without = self._run.farm.capabilities(
                lease.device, None, name=loan.item.nodeid, token=loan.tokens[role], reset=self._run.options.farm_reset
            )
            in_file = {name: value for name, value in in_file.items() if offered.get(name) == without.get(name)}
        loan.allotted[role] = {name: offered[name] for name in self._run.farm.allotted if name in offered}
        loan.offered[role] = {**offered, **in_file, **loan.plan.capabilities}
        return dict(loan.offered[role])

    def open(self, loan: Loan, role: str, capabilities: Mapping[str, Any]) -> WebDriver:
        """Open the session of one of the test's devices; tries again on another where the farm is at fault.

        Raises:
            ConfigurationError: The capabilities name another device, or a session is open already.
            SessionNotCreated: The farm opened none; what it said.
        """
        from pytest_devicefarm.core.sessions import open_session

        if role in loan.sessions:
            raise ConfigurationError(f"{loan.item.nodeid} has an open session on {loan.leases[role].device} already")
        if role not in loan.offered:
            self.capabilities(loan, role)
        deadline = self._run.clock.monotonic() + self._run.options.farm_wait
        while True:
            lease = loan.leases[role]
            complete = self._complete(loan, role, capabilities)
            try:
                opened = open_session(
                    self._run.farm,
                    lease,
                    complete,
                    journal=self._run.journal,
                    token=loan.tokens[role],
                    clock=self._run.clock,
                )
            except (SessionNotCreated, FarmUnreachable) as error:
                busy = isinstance(error, DeviceBusy)
                if not busy and worth_repeating(error):
                    self.devices.blame(loan, lease.device)
                if loan.plan.several or not self._may_move(loan, error, deadline):
                    raise
                loan.retries -= 0 if busy else 1
                loan.troubles.append(f"{lease.device}: {error}")
                self._say(f"{lease.device}: {error}; trying another device")
                capabilities = self._move(loan, role, capabilities, error)
            else:
                loan.sessions[role] = opened
                self._attempt(self._problems, partial(self._run.farm.start_live, opened.driver, self._live_kinds))
                return opened.driver

    @contextmanager
    def lease_apart(self, query: DeviceQuery) -> Iterator[Lease]:
        """A lease that belongs to no test, for ``lease_device``."""
        devices = self.devices.matching(query)
        # The device kept for the next test may be the very one that is asked for here.
        self._give_up_held()
        lease = self._leasing_now().lease({"": query}, {"": devices})[""]
        try:
            self._hooks.pytest_devicefarm_leased(lease=lease)
            yield lease
        finally:
            self._release(lease)

    # the end of a test, and of the run

    def finish(self, loan: Loan, verdicts: Mapping[str, Verdict], nextitem: pytest.Item | None) -> list[str]:
        """Close the test's sessions and give back what the next test cannot use; gives what went wrong.

        Devices come back first and verdicts that the farm takes later are told after that, so that nobody waits for a
        report.
        """
        problems = self._problems
        for role, opened in loan.sessions.items():
            self._attempt(problems, partial(self._run.farm.report_before_quit, opened.driver, verdicts[role]))
            self._attempt(problems, opened.close)
        loan.closed, loan.sessions = loan.sessions, {}
        for lease in loan.leases.values():
            if len(loan.leases) == 1 and not (loan.troubles or loan.blamed) and self._wanted_next(lease, nextitem):
                self._held = lease
            else:
                self._release(lease, loan.error)
        self._loaned = None
        for role, opened in loan.closed.items():
            self._attempt(problems, partial(self._run.farm.report_after_quit, opened.session, verdicts[role]))
        return self._told()

    def close(self) -> list[str]:
        """End everything this process has at the farm; gives what went wrong."""
        loan = self._loaned
        if loan is not None:
            for opened in loan.sessions.values():
                self._attempt(self._problems, partial(opened.close, gently=False))
            for lease in loan.leases.values():
                self._release(lease)
        self._give_up_held()
        if self._leasing is not None:
            self._end_intents()
        return self._told()

    # inside

    @property
    def _live_kinds(self) -> list[ArtifactKind]:
        """What has to run along with every session, since how its test ends is not known yet."""
        kept = Evidence(self._run).kinds("failed")
        return [kind for kind in kept if self._run.spec.artifacts.get(kind) == "live"]

    def _told(self) -> list[str]:
        told, self._problems = self._problems, []
        return told

    def _may_move(self, loan: Loan, error: DeviceFarmError, deadline: float) -> bool:
        if isinstance(error, DeviceBusy):
            return self._run.clock.monotonic() < deadline
        return worth_repeating(error) and loan.retries > 0

    def _give_up_held(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            self._release(held)

    def _end_intents(self) -> None:
        """End what was asked for and never answered; what is not found stays in the journal, for the guardian."""
        from pytest_devicefarm.core.sessions import end_session

        for entry in self._run.journal.mine():
            if entry.kind == "session":
                self._attempt(self._problems, partial(end_session, self._run.farm, self._run.journal, entry))

    def _leasing_now(self) -> Leasing:
        if self._leasing is None:
            from pytest_devicefarm.core.leases import LeaseBroker
            from pytest_devicefarm.core.leasing import Leasing

            self._before_first_lease()
            options = self._run.options
            self._leasing = Leasing(
                self._run.farm,
                self._run.journal,
                LeaseBroker(
                    self._run.state,
                    account=self._run.farm.account,
                    run=self._run.shared.run,
                    clock=self._run.clock,
                    poll_seconds=self._run.poll_seconds,
                    owner=self._run.owner,
                ),
                self._run.state,
                reserve_seconds=options.farm_reserve * 60,
                wait=options.farm_wait,
                limit=options.farm_max_devices,
                run=self._run.shared.run,
                clock=self._run.clock,
                choose=lambda query, candidates: self._hooks.pytest_devicefarm_select_device(
                    query=query, candidates=candidates
                ),
                on_wait=self._on_wait,
            )
        return self._leasing

    def _lease(self, loan: Loan, candidates: Mapping[str, Sequence[Device]], *, last: str = "") -> None:
        began = time.monotonic()
        try:
            self._lend(loan, self._leasing_now().lease(loan.plan.queries, candidates, last=last))
        finally:
            loan.waited += time.monotonic() - began
        for lease in loan.leases.values():
            self._hooks.pytest_devicefarm_leased(lease=lease)

    def _lend(self, loan: Loan, leases: Mapping[str, Lease]) -> None:
        loan.leases = dict(leases)
        loan.devices = {role: lease.device for role, lease in leases.items()}

    def _move(self, loan: Loan, role: str, capabilities: Mapping[str, Any], error: DeviceFarmError) -> dict[str, Any]:
        """Give the test another device and its capabilities the new device's facts."""
        before = loan.offered[role]
        failed = loan.leases.pop(role)
        self._release(failed, error)
        self._lease(loan, self.devices.of(loan.plan), last=failed.device.udid)
        app = loan.apps.pop(role, None)
        after = self.capabilities(loan, role)
        lease = loan.leases[role]
        hand_over(loan.item, ((failed, lease), (failed.device, lease.device), (app, loan.apps[role])))
        kept = {name: value for name, value in capabilities.items() if name not in before or before[name] != value}
        return {**after, **kept}

    def _complete(self, loan: Loan, role: str, capabilities: Mapping[str, Any]) -> dict[str, Any]:
        lease, allotted = loan.leases[role], loan.allotted[role]
        # Without these a session would live too long, or could not be found again when its answer is lost.
        needed = {
            name: value
            for name, value in loan.offered[role].items()
            if name in allotted or name == "appium:newCommandTimeout" or value == loan.tokens[role]
        }
        complete = {**needed, **capabilities, **loan.plan.capabilities}
        for more in reversed(
            self._hooks.pytest_devicefarm_capabilities(item=loan.item, lease=lease, capabilities=dict(complete))
        ):
            complete |= more or {}
        for name, value in sorted(allotted.items()):
            if complete[name] != value:
                raise ConfigurationError(
                    f"the capabilities of {loan.item.nodeid} change {name!r} from {value!r} to {complete[name]!r}, but "
                    "that belongs to the leased device; ask for another device with a mark"
                )
        return complete

    def _serves(self, held: Lease, query: DeviceQuery, candidates: Sequence[Device]) -> bool:
        try:
            held.check()
        except LeaseError:
            return False
        if not any(device.udid == held.device.udid for device in candidates):
            return False
        chosen = self._hooks.pytest_devicefarm_select_device(query=query, candidates=list(candidates))
        if chosen is not None and chosen.udid != held.device.udid:
            return False
        return self._leasing_now().covers(held)

    def _wanted_next(self, lease: Lease, nextitem: pytest.Item | None) -> bool:
        """Whether the next test of this process can use the device, and nobody else is waiting for it."""
        if nextitem is None or not uses_device(nextitem):
            return False
        plan = plan_of(nextitem)
        if plan.several or not any(device.udid == lease.device.udid for device in self.devices.of(plan)[""]):
            return False
        return not self._leasing_now().contested(lease)

    def _release(self, lease: Lease, error: Exception | None = None) -> None:
        self._installed.pop(lease.token, None)
        problem = self._leasing_now().release(lease)
        if problem is not None:
            self._problems.append(f"{lease.device}: {problem}")
        self._attempt(
            self._problems, partial(self._hooks.pytest_devicefarm_released, lease=lease, error=error or problem)
        )

    def _attempt(self, problems: list[str], step: Callable[[], Any]) -> None:
        try:
            step()
        except DeviceFarmError as error:
            problems.append(str(error))
        except Exception as error:  # a flaw in a farm or in somebody's hook must not keep the next step from running
            problems.append(f"{type(error).__name__}: {error}")

    def _on_wait(self, report: WaitReport) -> None:
        self._say(
            f"waiting for a device for {report.waited:.0f} s: {report.matching} match, {report.busy} are busy: "
            + "; ".join(report.holders)
        )
