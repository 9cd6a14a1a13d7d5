"""Fixtures of the local pool."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from support.pool import AppServer, app_servers

from pytest_devicefarm.core.clock import SystemClock
from pytest_devicefarm.core.settings import SettingsFile, farm_settings
from pytest_devicefarm.farms.local import SPEC
from pytest_devicefarm.farms.local.farm import LocalFarm

OpenPool = Callable[..., LocalFarm]


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers that are started leave their logs in the user's state folder."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "user-state"))


@pytest.fixture
def open_pool(tmp_path: Path) -> Iterator[OpenPool]:
    """Factory: the farm for the text of a file; closed at the end."""
    opened: list[LocalFarm] = []

    def open_it(text: str = "", *, environ: Mapping[str, str] | None = None, **settings: Any) -> LocalFarm:
        path = tmp_path / "devicefarm.toml"
        path.write_text(text, encoding="utf-8")
        file = SettingsFile.read(path) if text else None
        found = farm_settings(SPEC, environ=environ or {}, file=file, credentials=tmp_path / "none.toml", **settings)
        farm = SPEC.open(found, clock=SystemClock())
        assert isinstance(farm, LocalFarm)
        opened.append(farm)
        return farm

    yield open_it
    for farm in opened:
        farm.close()


@pytest.fixture
def lab() -> Iterator[tuple[AppServer, str]]:
    """One running server and its address."""
    with app_servers(1) as servers:
        yield servers[0]
