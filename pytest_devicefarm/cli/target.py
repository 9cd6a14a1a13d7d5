"""Which farm a command talks to, by the same options, variables and files as a test run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pytest_devicefarm.core.errors import ConfigurationError

if TYPE_CHECKING:
    from pytest_devicefarm.core.farm import Farm, FarmSpec
    from pytest_devicefarm.core.settings import FarmSettings, SettingsFile


@dataclass(frozen=True, slots=True)
class Target:
    """What the options say, completed from the environment and ``devicefarm.toml``.

    Attributes:
        farm: Name of the farm, ``""`` where none was given.
        state: The state folder; it need not exist.
    """

    farm: str
    url: str | None
    hub_url: str | None
    state: Path
    environ: Mapping[str, str]
    file: SettingsFile | None

    @classmethod
    def of(
        cls,
        environ: Mapping[str, str],
        folder: Path,
        *,
        farm: str | None = None,
        url: str | None = None,
        hub_url: str | None = None,
        state: str | None = None,
    ) -> Target:
        """Complete the options of a command.

        Args:
            folder: Where the search for ``devicefarm.toml`` starts, upwards.
        """
        from pytest_devicefarm.core.settings import SettingsFile, resolve, state_folder, variable

        file = SettingsFile.find(folder)

        def value(name: str, flag: str | None, *, environ: Mapping[str, str], file: SettingsFile | None) -> str | None:
            found = resolve(name, flag=flag, environ=environ, ini=None, file=file, default=None)
            return None if found is None else str(found)

        anywhere = partial(value, environ=environ, file=file)
        # A hub address from a weaker source than the farm's belongs to another farm.
        weaker = None if url or environ.get(variable("farm_url")) else file
        return cls(
            farm=anywhere("farm", farm) or "",
            url=anywhere("farm_url", url),
            hub_url=value("farm_hub_url", hub_url, environ={} if url else environ, file=weaker),
            state=state_folder(anywhere("farm_state", state)),
            environ=environ,
            file=file,
        )

    def spec(self) -> FarmSpec:
        """The SPEC of the farm.

        Raises:
            ConfigurationError: No farm was given, or there is none of this name.
        """
        from pytest_devicefarm.core.registry import find_farm

        if not self.farm:
            raise ConfigurationError(
                "no farm is given: use --farm NAME, set DEVICEFARM_FARM, or write farm = NAME into devicefarm.toml; "
                "`devicefarm farms` lists them"
            )
        return find_farm(self.farm)

    def settings(self, spec: FarmSpec) -> FarmSettings:
        """What a farm has to be told; addresses from the options count for the farm they were given with."""
        from pytest_devicefarm.core.settings import farm_settings

        own = spec.name == self.farm
        return farm_settings(
            spec,
            url=self.url if own else None,
            hub_url=self.hub_url if own else None,
            environ=self.environ,
            file=self.file,
        )

    @contextmanager
    def open(self) -> Iterator[Farm]:
        """The farm, opened."""
        spec = self.spec()
        with spec.open(self.settings(spec)) as farm:
            yield farm


def farm_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The common options; the command gets them as a `Target`, its first argument."""

    @click.option("--farm", metavar="NAME", help="Which farm; `devicefarm farms` lists them.")
    @click.option("--farm-url", metavar="URL", help="Address of the farm.")
    @click.option("--farm-hub-url", metavar="URL", help="Address for Appium sessions, if it cannot be derived.")
    @click.option("--farm-state", metavar="DIR", help="Folder of leases and journal (default: your state folder).")
    @wraps(command)
    def with_target(
        farm: str | None, farm_url: str | None, farm_hub_url: str | None, farm_state: str | None, **rest: Any
    ) -> Any:
        target = Target.of(os.environ, Path.cwd(), farm=farm, url=farm_url, hub_url=farm_hub_url, state=farm_state)
        return command(target, **rest)

    return with_target
