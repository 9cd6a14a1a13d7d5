"""A process's lease and session between tests: what a test is lent, and what happens to it afterwards.

Fixtures only ask here; they end nothing. What they were lent is ended by `Keeper.finish`, when the test is wholly over
and its outcome, teardown included, is known.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_devicefarm.core.errors import (
    ConfigurationError,
    DeviceBusy,
    DeviceFarmError,
    FarmUnreachable,
    LeaseError,
    SessionNotCreated,
)
from pytest_devicefarm.core.model import App
from pytest_devicefarm.markers import TestPlan, plan_of, uses_device

if TYPE_CHECKING:
    import pytest
    from appium.webdriver.webdriver import WebDriver

    from pytest_devicefarm.core.leases import Lease, WaitReport
    from pytest_devicefarm.core.leasing import Leasing
    from pytest_devicefarm.core.model import Artifact, Build, Device, Verdict
    from pytest_devicefarm.core.query import DeviceQuery
    from pytest_devicefarm.core.sessions import OpenSession
    from pytest_devicefarm.run import FarmRun

SET_ASIDE_AFTER = 2
"""Infrastructure failures in a row after which a device is not taken again in this run, as long as others are there."""


@dataclass
class Loan:
    """What one try of one test was lent.

    Attributes:
        devices: The devices, also after they were given back.
        closed: Sessions that have ended.
        offered: Capabilities as the farm, the file and the marks make them.
        waited: Seconds spent on waiting for devices.
        troubles: What the farm did wrong meanwhile, for people; overcome or not.
        live: Artifacts taken while the sessions were open, by role.
    """

    item: pytest.Item
    plan: TestPlan
    try_number: int
    started: float
    leases: dict[str, Lease] = field(default_factory=dict)
    devices: dict[str, Device] = field(default_factory=dict)
    sessions: dict[str, OpenSession] = field(default_factory=dict)
    closed: dict[str, OpenSession] = field(default_factory=dict)
    apps: dict[str, App | None] = field(default_factory=dict)
    offered: dict[str, dict[str, Any]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    waited: float = 0.0
    troubles: list[str] = field(default_factory=list)
    live: dict[str, list[Artifact]] = field(default_factory=dict)


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
        self._progress = progress
        self._before_first_lease = before_first_lease
        self._leasing: Leasing | None = None
        self._held: Lease | None = None
        self._failures: dict[str, int] = {}
        self._meant: dict[str, App | Build] = {}
        self._uploaded: dict[str, App] = {}
        self._loaned: Loan | None = None

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
        candidates = self.check(loan.plan)
        self._upload_beforehand(loan.plan, candidates)
        held, self._held = self._held, None
        if held is not None and not loan.plan.several and self._serves(held, candidates[""]):
            self._lend(loan, {"": held})
            return loan.leases
        if held is not None:
            self._release(held)
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
            text = self._build_for(loan.plan, device.platform)
            loan.apps[role] = self.upload(text) if text else None
        return loan.apps[role]

    def capabilities(self, loan: Loan, role: str) -> dict[str, Any]:
        """The capabilities about to be sent for one of the test's devices, complete but for secrets and hooks."""
        from pytest_devicefarm.core.sessions import new_token

        lease = self.leases(loan)[role]
        loan.tokens[role] = new_token()
        offered = self._run.farm.capabilities(
            lease.device,
            self.app(loan, role),
            name=loan.item.nodeid,
            token=loan.tokens[role],
            reset=self._run.options.farm_reset,
        )
        loan.offered[role] = {
            **offered,
            **(self._run.file.capabilities if self._run.file else {}),
            **loan.plan.capabilities,
        }
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
        retries = self._run.options.farm_retries
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
                again = isinstance(error, DeviceBusy) and self._run.clock.monotonic() < deadline
                if not again and getattr(error, "retryable", True) and retries > 0:
                    retries -= 1
                    again = True
                if not again or loan.plan.several:
                    self._failures[lease.device.udid] = self._failures.get(lease.device.udid, 0) + 1
                    raise
                loan.troubles.append(f"{lease.device}: {error}")
                self._say(f"{lease.device}: {error}; trying another device")
                capabilities = self._move(loan, role, capabilities)
            else:
                loan.sessions[role] = opened
                self._failures.pop(lease.device.udid, None)
                return opened.driver

    def upload(self, text: str) -> App:
        """A build at the farm, by path or by the farm's own reference; once per build."""
        named = self._named(text)
        if text in self._uploaded:
            return self._uploaded[text]
        if isinstance(named, App):
            return named
        app = self._uploaded[text] = self._run.uploads.ensure(
            named,
            progress=lambda done, size: self._progress(named.path.name, done, size),
            on_wait=lambda: self._say(f"{named.path.name}: another process is uploading it, waiting for that"),
        )
        return app

    @contextmanager
    def lease_apart(self, query: DeviceQuery) -> Iterator[Lease]:
        """A lease that belongs to no test, for ``lease_device``."""
        from pytest_devicefarm.core.query import matching

        devices = matching(self._run.devices(), query)
        if not devices:
            self._refuse(query, None)
        lease = self._leasing_now().lease({"": query}, {"": devices})[""]
        self._hooks.pytest_devicefarm_leased(lease=lease)
        try:
            yield lease
        finally:
            self._release(lease)

    def candidates(self, plan: TestPlan) -> dict[str, list[Device]]:
        """Devices of the run that match, by role; those set aside are left out while others are there."""
        from pytest_devicefarm.core.query import matching

        platforms = self.platforms(plan)
        found = {}
        for role, query in plan.queries.items():
            devices = [
                device
                for device in matching(self._run.devices(), query)
                if platforms is None or device.platform in platforms
            ]
            healthy = [device for device in devices if self._failures.get(device.udid, 0) < SET_ASIDE_AFTER]
            found[role] = healthy or devices
        return found

    def check(self, plan: TestPlan) -> dict[str, list[Device]]:
        """What `candidates` gives, made sure that the test can ever run.

        Raises:
            NoMatchingDevice: It cannot; with the near misses.
            ConfigurationError: It wants more devices at a time than match.
        """
        from pytest_devicefarm.core.tickets import allot

        candidates = self.candidates(plan)
        for role, devices in candidates.items():
            if not devices:
                self._refuse(plan.queries[role], plan)
        wants = [[device.udid for device in devices] for devices in candidates.values()]
        if None in allot({udid for want in wants for udid in want}, [wants])[0]:
            raise ConfigurationError(
                f"the roles {', '.join(plan.queries)} want {len(wants)} devices at the same time, but fewer match; "
                "widen the marks or --farm-device"
            )
        return candidates

    def platforms(self, plan: TestPlan) -> set[str] | None:
        """The platforms for which the test has a build; ``None`` where any will do."""
        texts = [plan.app] if plan.app else list(self._run.options.farm_app)
        if not texts or not plan.wants_app:
            return None
        found = {self._named(text).platform for text in texts}
        return None if "" in found else found

    # the end of a test, and of the run

    def finish(self, loan: Loan, verdicts: Mapping[str, Verdict], nextitem: pytest.Item | None) -> list[str]:
        """Close the test's sessions and give back what the next test cannot use; gives what went wrong.

        Devices come back first and verdicts that the farm takes later are told after that, so that nobody waits for a
        report.
        """
        problems: list[str] = []
        for role, opened in loan.sessions.items():
            self._attempt(problems, partial(self._run.farm.report_before_quit, opened.driver, verdicts[role]))
            self._attempt(problems, opened.close)
        loan.closed, loan.sessions = loan.sessions, {}
        for lease in loan.leases.values():
            if len(loan.leases) == 1 and not loan.troubles and self._wanted_next(lease, nextitem):
                self._held = lease
            else:
                self._release(lease, problems)
        self._loaned = None
        for role, opened in loan.closed.items():
            self._attempt(problems, partial(self._run.farm.report_after_quit, opened.session, verdicts[role]))
        return problems

    def note_failure(self, loan: Loan) -> None:
        """Remember that the test failed for its device's sake."""
        for lease in loan.leases.values():
            self._failures[lease.device.udid] = self._failures.get(lease.device.udid, 0) + 1

    def close(self) -> list[str]:
        """End everything this process has at the farm; gives what went wrong."""
        problems: list[str] = []
        loan = self._loaned
        if loan is not None:
            for opened in loan.sessions.values():
                self._attempt(problems, partial(opened.close, gently=False))
            for lease in loan.leases.values():
                self._release(lease, problems)
        if self._held is not None:
            self._release(self._held, problems)
            self._held = None
        if self._leasing is not None:
            problems += self._end_intents()
        return problems

    # inside

    def _end_intents(self) -> list[str]:
        """End what was asked for and never answered; what is not found stays in the journal, for the guardian."""
        from pytest_devicefarm.core.sessions import end_session

        problems: list[str] = []
        for entry in self._run.journal.mine():
            if entry.kind == "session":
                self._attempt(problems, partial(end_session, self._run.farm, self._run.journal, entry))
        return problems

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

    def _move(self, loan: Loan, role: str, capabilities: Mapping[str, Any]) -> dict[str, Any]:
        """Give the test another device and its capabilities the new device's facts."""
        before = loan.offered[role]
        failed = loan.leases.pop(role)
        self._release(failed)
        self._lease(loan, self.candidates(loan.plan), last=failed.device.udid)
        loan.apps.pop(role, None)
        after = self.capabilities(loan, role)
        lease = loan.leases[role]
        # The test was handed these before its device changed; nothing has been done with them but to open a session.
        lent = getattr(loan.item, "funcargs", {})
        lent.update(
            {name: value for name, value in (("device_lease", lease), ("leased_device", lease.device)) if name in lent}
        )
        kept = {name: value for name, value in capabilities.items() if name not in before or before[name] != value}
        return {**after, **kept}

    def _complete(self, loan: Loan, role: str, capabilities: Mapping[str, Any]) -> dict[str, Any]:
        lease, offered = loan.leases[role], loan.offered[role]
        for name in sorted(self._run.farm.allotted):
            if name in offered and capabilities.get(name, offered[name]) != offered[name]:
                raise ConfigurationError(
                    f"the capabilities of {loan.item.nodeid} change {name!r} from {offered[name]!r} to "
                    f"{capabilities[name]!r}, but that belongs to the leased device; ask for another device with a mark"
                )
        complete = {**capabilities, **loan.plan.capabilities}
        for more in reversed(
            self._hooks.pytest_devicefarm_capabilities(item=loan.item, lease=lease, capabilities=dict(complete))
        ):
            complete |= more or {}
        return complete

    def _serves(self, held: Lease, candidates: Sequence[Device]) -> bool:
        try:
            held.check()
        except LeaseError:
            return False
        fits = any(device.udid == held.device.udid for device in candidates)
        return fits and self._leasing_now().covers(held)

    def _wanted_next(self, lease: Lease, nextitem: pytest.Item | None) -> bool:
        """Whether the next test of this process can use the device, and nobody else is waiting for it."""
        if nextitem is None or not uses_device(nextitem):
            return False
        plan = plan_of(nextitem)
        if plan.several or not any(device.udid == lease.device.udid for device in self.candidates(plan)[""]):
            return False
        return not self._leasing_now().contested(lease)

    def _release(self, lease: Lease, problems: list[str] | None = None) -> None:
        error = self._leasing_now().release(lease)
        if error is not None and problems is not None:
            problems.append(f"{lease.device}: {error}")
        self._hooks.pytest_devicefarm_released(lease=lease, error=error)

    def _attempt(self, problems: list[str], step: Callable[[], Any]) -> None:
        try:
            step()
        except DeviceFarmError as error:
            problems.append(str(error))

    def _upload_beforehand(self, plan: TestPlan, candidates: Mapping[str, Sequence[Device]]) -> None:
        """Upload while no device is held, where it is clear which build it will be."""
        if not plan.wants_app:
            return
        for devices in candidates.values():
            platforms = {device.platform for device in devices}
            if len(platforms) == 1 and (text := self._build_for(plan, platforms.pop())):
                self.upload(text)

    def _build_for(self, plan: TestPlan, platform: str) -> str:
        texts = [plan.app] if plan.app else list(self._run.options.farm_app)
        for text in texts:
            if self._named(text).platform in (platform, ""):
                return text
        if texts:
            raise ConfigurationError(
                f"no build for {platform}: {', '.join(texts)} are for other platforms; give one more --farm-app, "
                "or narrow the test with a device mark"
            )
        return ""

    def _named(self, text: str) -> App | Build:
        """What a flag or mark means: the farm's own reference, or a file that is read and digested once."""
        if text not in self._meant:
            from pytest_devicefarm.core.builds import read_build

            reference = self._run.farm.parse_reference(text)
            self._meant[text] = reference or read_build(self._run.root / Path(text).expanduser())
        return self._meant[text]

    def _refuse(self, query: DeviceQuery, plan: TestPlan | None) -> None:
        from pytest_devicefarm.core.errors import NoMatchingDevice
        from pytest_devicefarm.core.query import near_misses

        platforms = self.platforms(plan) if plan is not None else None
        asked = f"{query}" + (f" with a build for {', '.join(sorted(platforms))}" if platforms else "")
        misses = near_misses(self._run.devices(), query) or [
            (str(device), ("no build for its platform",)) for device in self._run.devices()[:5]
        ]
        raise NoMatchingDevice(asked, misses, self._run.spec.name)

    def _on_wait(self, report: WaitReport) -> None:
        self._say(
            f"waiting for a device for {report.waited:.0f} s: {report.matching} match, {report.busy} are busy: "
            + "; ".join(report.holders)
        )
