"""TestGrid on this machine: its API, the devices' Appium servers and the common hub over a simulated world."""

from __future__ import annotations

from pytest_devicefarm.farms.testgrid.simulator.wire import TestGridWire
from pytest_devicefarm.simulator.world import World


def create(
    world: World,
    *,
    dialect: str = "seen",
    appium: str | None = None,
    username: str | None = None,
    api_key: str | None = None,
) -> TestGridWire:
    """The WSGI application that answers as TestGrid.

    Args:
        world: The farm's state.
        dialect: `documented` answers as the API reference has it, `seen` as support pages and other spellings do.
        appium: URL of a real Appium server that gets the sessions; the built-in engine when left out.
        username: E-mail address of the first account; the world's when left out.
        api_key: Its user token; the world's when left out.
    """
    return TestGridWire(world, dialect=dialect, appium=appium, username=username, api_key=api_key)
