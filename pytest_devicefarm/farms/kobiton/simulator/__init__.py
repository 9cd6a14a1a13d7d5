"""Kobiton on this machine: API v1 and the Appium hub over a simulated world."""

from __future__ import annotations

from pytest_devicefarm.farms.kobiton.simulator.wire import KobitonWire
from pytest_devicefarm.simulator.world import World


def create(
    world: World,
    *,
    dialect: str = "seen",
    appium: str | None = None,
    username: str | None = None,
    api_key: str | None = None,
) -> KobitonWire:
    """The WSGI application that answers as Kobiton.

    Args:
        world: The farm's state.
        dialect: `seen` answers as public clients expect it, `documented` as the API reference has it.
        appium: URL of a real Appium server that gets the sessions; the built-in engine when left out.
        username: Login name of the first account; the world's when left out.
        api_key: Its key; the world's when left out.
    """
    return KobitonWire(world, dialect=dialect, appium=appium, username=username, api_key=api_key)
