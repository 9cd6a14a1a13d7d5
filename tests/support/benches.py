"""What the benches of simulated farms have in common: all is seen and done in the world behind the wire."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from support.clocks import WorldClock

from pytest_devicefarm.core.model import Device, FarmSession
from pytest_devicefarm.simulator import devices
from pytest_devicefarm.simulator.clock import Clock
from pytest_devicefarm.simulator.faults import Fault
from pytest_devicefarm.simulator.sessions import Session
from pytest_devicefarm.simulator.world import Delays, World
from pytest_devicefarm.testing import FarmBench

ACCOUNT, ONE_HOUR = "ann@example.com", 3600.0
KINDS = {"device_log", "appium_log", "video", "network_log"}
VERDICTS = {"passed": True, "failed": False}


def a_world(key: str) -> World:
    """Two private devices and one of the cloud, on a clock that waiting turns."""
    return World(
        [
            devices.Device(1, "PRIVATE-1", "Galaxy S22", "android", "13", "SM-S901B", "Samsung", tags=("lab",)),
            devices.Device(2, "PRIVATE-2", "Pixel 8", "android", "14", "GKWS6", "Google"),
            devices.Device(3, "CLOUD-1", "iPhone 15", "ios", "17.4", "iPhone15,4", "Apple", private=False),
        ],
        clock=Clock(speed=0),
        delays=Delays(session_create=0),
        accounts={ACCOUNT: key},
    )


class WorldBench(FarmBench):
    """A simulated farm.

    Args:
        url: Where it listens.
        registers: Operation that makes a build of a file.
    """

    def __init__(self, world: World, url: str, *, registers: str) -> None:
        self.world = world
        self.clock = WorldClock(world.clock)
        self.url = url
        self._registers = registers

    def sessions(self) -> Collection[str]:
        return [str(session.webdriver_id) for session in self.world.sessions if session.open]

    def take(self, device: Device) -> None:
        taken = self.world.device(device.udid)
        assert taken is not None
        taken.busy_until = self.world.clock.now() + ONE_HOUR

    def bookings(self) -> Collection[str]:
        now = self.world.clock.now()
        return [str(one.id) for one in self.world.reservations if one.status(now) == "reserved"]

    def verdicts(self, session: FarmSession) -> Sequence[bool | None]:
        return [VERDICTS.get(word.lower()) for word in self.found(session).verdicts]

    def uploads(self) -> int:
        return sum(self.world.record.uploads.values())

    def refuse_builds(self, reason: str) -> None:
        self.world.faults.add(Fault(self._registers, "parse_failure", reason=reason))

    def withhold_artifacts(self, session: FarmSession) -> None:
        self.found(session).never.update(KINDS)

    def found(self, session: FarmSession) -> Session:
        """A session as the world has it."""
        found = self.world.sessions.by_webdriver_id(session.webdriver_id)
        assert found is not None
        return found
