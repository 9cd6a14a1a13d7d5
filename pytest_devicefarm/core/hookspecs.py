"""Hooks that conftests and other plugins may implement; pluggy calls them by these names.

Only names of parameters matter to pluggy, so an implementation may take any part of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from pytest_devicefarm.core.farm import FarmSpec
    from pytest_devicefarm.core.leases import Lease
    from pytest_devicefarm.core.model import Artifact, Device, FarmSession, TestRecord
    from pytest_devicefarm.core.query import DeviceQuery

# pytest reads marks of its own project name; making it with pluggy keeps this module free of pytest.
hookspec = pluggy.HookspecMarker("pytest")


@hookspec
def pytest_devicefarm_farm() -> FarmSpec | Sequence[FarmSpec] | None:
    """Give the SPEC of a farm of one's own; called once when ``--farm`` is looked up."""


@hookspec(firstresult=True)
def pytest_devicefarm_select_device(query: DeviceQuery, candidates: Sequence[Device]) -> Device | None:
    """Choose the device to try first; called in the process of the test before it leases. The first answer wins.

    Args:
        query: What the test asks for.
        candidates: Devices that match and are not set aside, in the order they would be tried.
    """


@hookspec
def pytest_devicefarm_capabilities(item: Any, lease: Lease, capabilities: dict[str, Any]) -> dict[str, Any] | None:
    """Add or change capabilities last of all; called before each session is opened. What is returned is merged in."""


@hookspec
def pytest_devicefarm_leased(lease: Lease) -> None:
    """Called in the process of the test when a device has been leased, and reserved where that was asked for."""


@hookspec
def pytest_devicefarm_released(lease: Lease, error: Exception | None) -> None:
    """Called in the process of the test when a device has been given back; ``error`` tells what went wrong with it."""


@hookspec
def pytest_devicefarm_artifacts(test: TestRecord, session: FarmSession | None) -> Sequence[Artifact] | None:
    """Give artifacts of one's own for a session; called in the controller before the farm's artifacts are fetched."""


@hookspec
def pytest_devicefarm_attach(config: Any, test: TestRecord, artifact: Artifact) -> None:
    """Called in the controller's main thread, once for each settled artifact, before reports are written."""
