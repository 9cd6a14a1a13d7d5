"""What one process of a test run knows of its farm; nothing is opened, asked or written before somebody wants it."""

from __future__ import annotations

import functools
import os
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pytest_devicefarm.core.clock import SystemClock
from pytest_devicefarm.core.errors import ConfigurationError, FarmError

if TYPE_CHECKING:
    from pytest_devicefarm.core.farm import Farm, FarmSpec
    from pytest_devicefarm.core.journal import Journal
    from pytest_devicefarm.core.model import Device
    from pytest_devicefarm.core.owners import OwnerLock
    from pytest_devicefarm.core.query import DeviceQuery
    from pytest_devicefarm.core.settings import FarmSettings, SettingsFile
    from pytest_devicefarm.core.uploads import UploadCache
    from pytest_devicefarm.options import Options
    from pytest_devicefarm.reports.artifacts import OutputFolder
    from pytest_devicefarm.simulated import SimulatedFarm


SIMULATED_POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Shared:
    """What every process of a run has to agree on, as plain data for the way to a worker; no secret among it.

    Attributes:
        run: Name of the run.
        state: The state folder.
        output: What ``--farm-output`` says, absolute.
        simulator: File that tells where the run's simulator is, ``""`` for none.
    """

    run: str
    state: str
    output: str
    simulator: str = ""

    def to_plain(self) -> dict[str, str]:
        """As a dict of text."""
        return asdict(self)

    @classmethod
    def from_plain(cls, data: Mapping[str, str]) -> Self:
        """What `to_plain` gave."""
        return cls(**data)


def new_run_name() -> str:
    """A name for a run that sorts by time and is nobody else's."""
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"


class FarmRun:
    """The farm of this run, for one process of it.

    Args:
        extra_specs: SPECs that conftests and plugins gave.
        root: Folder from which relative paths are meant.
    """

    def __init__(
        self,
        options: Options,
        file: SettingsFile | None,
        shared: Shared,
        *,
        extra_specs: Sequence[FarmSpec] = (),
        root: Path,
        is_worker: bool = False,
    ) -> None:
        self.options = options
        self.file = file
        self.shared = shared
        self.root = root
        self.is_worker = is_worker
        self.clock = SystemClock()
        self.simulated: SimulatedFarm | None = None
        self._extra_specs = extra_specs
        self._listing_failed: FarmError | None = None
        self._opened: list[Farm] = []

    @functools.cached_property
    def spec(self) -> FarmSpec:
        """The SPEC of the farm named by ``--farm``.

        Raises:
            ConfigurationError: There is none of that name.
        """
        from pytest_devicefarm.core.registry import find_farm

        return find_farm(self.options.farm, self._extra_specs)

    @functools.cached_property
    def settings(self) -> FarmSettings:
        """Addresses and credentials.

        Raises:
            ConfigurationError: Something is missing; lists all of it.
        """
        from pytest_devicefarm.core.settings import farm_settings
        from pytest_devicefarm.simulated import read_environment

        if self.options.farm_simulate:
            self.start_simulator()
            environ = read_environment(Path(self.shared.simulator))
            return farm_settings(self.spec, environ=environ, simulated=True)
        return farm_settings(
            self.spec,
            url=self.options.farm_url,
            hub_url=self.options.farm_hub_url,
            environ=os.environ,
            file=self.file,
        )

    def start_simulator(self) -> None:
        """Start the run's simulator, unless it runs already or another process of the run has started it.

        Raises:
            ConfigurationError: It does not start; says why.
        """
        if self.is_worker or self.simulated is not None:
            return
        from pytest_devicefarm.core.files import private_folder
        from pytest_devicefarm.simulated import SimulatedFarm

        private_folder(self.state)
        self.owner.hold()
        self.simulated = SimulatedFarm.start(self.spec, Path(self.shared.simulator), world=self.options.farm_world)

    @functools.cached_property
    def farm(self) -> Farm:
        """The opened farm."""
        return self.open_farm()

    def open_farm(self) -> Farm:
        """Another opened farm with connections of its own, for another thread; closed with the run."""
        farm = self.spec.open(self.settings, clock=self.clock)
        self._opened.append(farm)
        return farm

    @property
    def state(self) -> Path:
        """The state folder."""
        return Path(self.shared.state)

    @property
    def poll_seconds(self) -> float:
        """Shortest pause between two looks at the same thing; a simulator on this machine may be asked more often."""
        return SIMULATED_POLL_SECONDS if self.settings.simulated else self.spec.poll_seconds

    @functools.cached_property
    def output(self) -> OutputFolder:
        """The folder of this run's artifacts."""
        from pytest_devicefarm.reports.artifacts import OutputFolder

        return OutputFolder(Path(self.shared.output), self.shared.run)

    @functools.cached_property
    def journal(self) -> Journal:
        """The entries of this process."""
        from pytest_devicefarm.core.journal import Journal

        return Journal(
            self.state,
            run=self.shared.run,
            farm=self.spec.name,
            account=self.farm.account,
            url=self.settings.get("url"),
            clock=self.clock,
            simulated=self.settings.simulated,
            owner=self.owner,
        )

    @functools.cached_property
    def owner(self) -> OwnerLock:
        """This process, as others see it."""
        from pytest_devicefarm.core.owners import OwnerLock

        return OwnerLock(self.state, run=self.shared.run)

    @functools.cached_property
    def uploads(self) -> UploadCache:
        """What was uploaded to this account."""
        from pytest_devicefarm.core.uploads import UploadCache

        return UploadCache(self.state, self.farm)

    @functools.cached_property
    def narrowing(self) -> tuple[DeviceQuery, ...]:
        """The queries of ``--farm-device``.

        Raises:
            ConfigurationError: One cannot be read.
        """
        from pytest_devicefarm.core.query import DeviceQuery

        return tuple(DeviceQuery.parse(text) for text in self.options.farm_device)

    def devices(self) -> tuple[Device, ...]:
        """The devices this run may use, listed once for all of its processes.

        Raises:
            FarmError: The farm could not list them; remembered, so that a farm that is down is not asked for each test.
        """
        if self._listing_failed is not None:
            raise self._listing_failed
        try:
            return self._devices
        except FarmError as error:
            self._listing_failed = error
            raise

    @functools.cached_property
    def _devices(self) -> tuple[Device, ...]:
        from pytest_devicefarm.core.farm import DeviceList
        from pytest_devicefarm.core.files import exclusively, private_folder, read_value, write_value
        from pytest_devicefarm.core.query import narrow

        self.owner.hold()
        folder = private_folder(self.state, "runs", self.shared.run)
        with exclusively(folder / "devices.lock", seconds=120.0):
            try:
                listed = read_value(folder / "devices.json", DeviceList)
            except ValueError:
                listed = None
            if listed is None:
                listed = self.farm.list_devices()
                write_value(folder / "devices.json", listed)
        devices = tuple(narrow(listed.devices, self.narrowing))
        if not listed.devices:
            raise ConfigurationError(
                f"farm {self.spec.name!r} lists no device that Appium can use; `devicefarm devices` shows what it has"
                + "".join(f"\n  {problem}" for problem in listed.problems)
            )
        if not devices:
            raise ConfigurationError(
                f"farm {self.spec.name!r} lists {len(listed.devices)} devices, and --farm-device leaves none of them: "
                + " or ".join(map(str, self.narrowing))
            )
        return devices

    def close(self) -> None:
        """Give back connections and this process's ownership."""
        for farm in self._opened:
            farm.close()
        if "owner" in self.__dict__:
            self.owner.release()
