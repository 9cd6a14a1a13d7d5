"""One process of a run as a farm meets it: it leases, reserves, opens sessions, and may die in between."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pytest_devicefarm.core.clock import Clock
from pytest_devicefarm.core.farm import Farm
from pytest_devicefarm.core.journal import Journal
from pytest_devicefarm.core.leases import Lease, LeaseBroker
from pytest_devicefarm.core.leasing import Leasing
from pytest_devicefarm.core.model import App, Device
from pytest_devicefarm.core.owners import OwnerLock
from pytest_devicefarm.core.query import DeviceQuery
from pytest_devicefarm.core.sessions import OpenSession, new_token, open_session

WAIT_SECONDS = 60.0


class Process:
    """Works as the pytest side does, on a state folder that others may share.

    Args:
        run: Every process is a run of its own here.
        booked: Seconds for which a leased device is reserved, where the farm can; 0 for not at all.
    """

    def __init__(self, farm: Farm, state: Path, *, run: str, clock: Clock, booked: int = 0) -> None:
        self.farm = farm
        self.clock = clock
        self._owner = OwnerLock(state, run=run)
        self.journal = Journal(
            state,
            run=run,
            farm=farm.spec.name,
            account=farm.account,
            url=farm.settings.get("url"),
            clock=clock,
            owner=self._owner,
        )
        broker = LeaseBroker(
            state,
            account=farm.account,
            run=run,
            clock=clock,
            poll_seconds=farm.spec.poll_seconds,
            owner=self._owner,
        )
        self._leasing = Leasing(
            farm,
            self.journal,
            broker,
            state,
            reserve_seconds=booked,
            wait=WAIT_SECONDS,
            limit=None,
            run=run,
            clock=clock,
            choose=lambda query, candidates: None,
            on_wait=lambda report: None,
        )

    def lease(self, devices: Sequence[Device]) -> Lease:
        """The first of the devices that is to be had, reserved where the farm reserves."""
        return self._leasing.lease({"": DeviceQuery.of()}, {"": devices})[""]

    def release(self, lease: Lease) -> None:
        """Give the device back; what goes wrong meanwhile is raised."""
        problem = self._leasing.release(lease)
        if problem is not None:
            raise problem

    def open(self, lease: Lease, app: App | None = None, *, token: str = "") -> OpenSession:
        """An Appium session on a leased device."""
        token = token or new_token()
        if app is not None:
            self.farm.install(lease.device, app)
        wanted = self.farm.capabilities(lease.device, app, name="test_contract", token=token, reset="app")
        return open_session(self.farm, lease, wanted, journal=self.journal, token=token, clock=self.clock)

    def die(self) -> None:
        """End without any cleaning up, as a killed process does."""
        self._owner.release()
