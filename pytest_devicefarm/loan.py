"""What one try of one test was lent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

    from pytest_devicefarm.core.leases import Lease
    from pytest_devicefarm.core.model import App, Artifact, Device
    from pytest_devicefarm.core.sessions import OpenSession
    from pytest_devicefarm.markers import TestPlan


@dataclass
class Loan:
    """What one try of one test was lent.

    Attributes:
        devices: The devices, also after they were given back.
        closed: Sessions that have ended.
        offered: Capabilities as the farm, the file and the marks make them.
        allotted: Those of the capabilities that belong to the leased device.
        waited: Seconds spent on waiting for devices.
        troubles: What the farm did wrong meanwhile, for people; overcome or not.
        retries: How often the farm's failures may still be overcome by trying again.
        error: The infrastructure failure that ended the test, if one did.
        blamed: UDIDs of devices on which a session failed, each counted once.
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
    allotted: dict[str, dict[str, Any]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    waited: float = 0.0
    troubles: list[str] = field(default_factory=list)
    retries: int = 0
    error: Exception | None = None
    blamed: set[str] = field(default_factory=set)
    live: dict[str, list[Artifact]] = field(default_factory=dict)


def hand_over(item: Any, pairs: Sequence[tuple[object, object]]) -> None:
    """Give the test the new things in place of those its fixtures gave before its device changed.

    Nothing has been done with them but to open a session. pytest has no public way to change what a fixture gave.
    """
    for old, new in pairs:
        if old is None:
            continue
        for name, value in item.funcargs.items():
            if value is old:
                item.funcargs[name] = new
        for fixture in getattr(item._request, "_fixture_defs", {}).values():
            if fixture.cached_result is not None and fixture.cached_result[0] is old:
                fixture.cached_result = (new, *fixture.cached_result[1:])
