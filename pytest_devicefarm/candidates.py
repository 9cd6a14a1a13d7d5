"""Which devices of the run a test may get; those that fail again and again come last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from pytest_devicefarm.core.errors import ConfigurationError

if TYPE_CHECKING:
    from pytest_devicefarm.builds import RunBuilds
    from pytest_devicefarm.core.model import Device
    from pytest_devicefarm.core.query import DeviceQuery
    from pytest_devicefarm.loan import Loan
    from pytest_devicefarm.markers import TestPlan
    from pytest_devicefarm.run import FarmRun

SET_ASIDE_AFTER = 2
"""Infrastructure failures in a row after which a device is not taken again in this run, as long as others are there."""


class Candidates:
    """The devices of a run as one process of it sees them."""

    def __init__(self, run: FarmRun, builds: RunBuilds) -> None:
        self._run = run
        self._builds = builds
        self._failures: dict[str, int] = {}

    def matching(self, query: DeviceQuery) -> list[Device]:
        """Devices that match, whatever became of them.

        Raises:
            NoMatchingDevice: There is none; with the near misses.
        """
        from pytest_devicefarm.core.query import matching

        return matching(self._run.devices(), query) or self.refuse(query)

    def of(self, plan: TestPlan) -> dict[str, list[Device]]:
        """Devices of the run that match, by role, those that failed least first; those set aside only if all are."""
        from pytest_devicefarm.core.query import matching

        platforms = self._builds.platforms(plan)
        asked = self._asked(plan)
        found = {}
        for role, query in plan.queries.items():
            devices = [
                device
                for device in matching(self._run.devices(), query)
                if (platforms is None or device.platform in platforms) and not self._run.farm.misfits(device, asked)
            ]
            healthy = [device for device in devices if self._failures.get(device.udid, 0) < SET_ASIDE_AFTER]
            found[role] = sorted(healthy or devices, key=lambda device: self._failures.get(device.udid, 0))
        return found

    def check(self, plan: TestPlan) -> dict[str, list[Device]]:
        """What `of` gives, made sure that the test can ever run.

        Raises:
            NoMatchingDevice: It cannot; with the near misses.
            ConfigurationError: It wants more devices at a time than match.
        """
        from pytest_devicefarm.core.tickets import allot

        candidates = self.of(plan)
        for role, devices in candidates.items():
            if not devices:
                self.refuse(plan.queries[role], plan)
        wants = [[device.udid for device in devices] for devices in candidates.values()]
        if None in allot({udid for want in wants for udid in want}, [wants])[0]:
            raise ConfigurationError(
                f"the roles {', '.join(plan.queries)} want {len(wants)} devices at the same time, but fewer match; "
                "widen the marks or --farm-device"
            )
        return candidates

    def refuse(self, query: DeviceQuery, plan: TestPlan | None = None) -> NoReturn:
        """Say that no device matches, and which ones come nearest.

        Raises:
            NoMatchingDevice: Always.
        """
        from pytest_devicefarm.core.errors import NoMatchingDevice
        from pytest_devicefarm.core.query import near_misses
        from pytest_devicefarm.core.redaction import visible

        platforms = self._builds.platforms(plan) if plan is not None else None
        asked = f"{query}" + (f" with a build for {', '.join(sorted(platforms))}" if platforms else "")
        wanted = self._asked(plan) if plan is not None else {}
        misses = near_misses(self._run.devices(), query) or [
            (visible(str(device)), tuple(self._run.farm.misfits(device, wanted)) or ("no build for its platform",))
            for device in self._run.devices()[:5]
        ]
        raise NoMatchingDevice(asked, misses, self._run.spec.name)

    def _asked(self, plan: TestPlan) -> dict[str, Any]:
        """The capabilities that are known before a device is."""
        return {**(self._run.file.capabilities if self._run.file else {}), **plan.capabilities}

    def note_outcome(self, loan: Loan, *, infrastructure: bool) -> None:
        """Remember whether the test failed for its devices' sake."""
        for lease in loan.leases.values():
            if infrastructure:
                self.blame(loan, lease.device)
            elif loan.sessions:
                self._failures.pop(lease.device.udid, None)

    def blame(self, loan: Loan, device: Device) -> None:
        """Count a failure of the farm against a device, once for each try of a test."""
        if device.udid not in loan.blamed:
            loan.blamed.add(device.udid)
            self._failures[device.udid] = self._failures.get(device.udid, 0) + 1
