"""The Appium hub: sessions are created on a device of the world, their commands go to an engine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote, urlsplit

from werkzeug.wrappers import Response

from pytest_devicefarm.farms.kobiton.simulator.capabilities import CREDENTIALS, Wish
from pytest_devicefarm.farms.kobiton.simulator.devices import platform_word
from pytest_devicefarm.farms.kobiton.simulator.versions import version_state
from pytest_devicefarm.simulator import hub
from pytest_devicefarm.simulator.apps import Version
from pytest_devicefarm.simulator.capabilities import parsed, wanted_capabilities
from pytest_devicefarm.simulator.engine import Engine
from pytest_devicefarm.simulator.hub import NotCreated
from pytest_devicefarm.simulator.sessions import Session
from pytest_devicefarm.simulator.storage import PREFIX
from pytest_devicefarm.simulator.wire import Call, Route
from pytest_devicefarm.simulator.world import DeviceTaken, NoSuchDevice

if TYPE_CHECKING:
    from pytest_devicefarm.farms.kobiton.simulator.wire import KobitonWire


def create_session(call: Call) -> Response:
    """Opens a session on a device that the capabilities choose."""
    body = parsed(call.request.get_data())
    wish = Wish(wanted_capabilities(body, bare=CREDENTIALS))
    return hub.create(
        call,
        body,
        begin=partial(_begun, call, wish),
        engine=partial(_engine, call, wish),
        shown=partial(_capabilities, call),
    )


def execute_command(call: Call) -> Response:
    """Any command on an open session."""
    session = call.world.open_session(call.path["sessionId"])
    return hub.command(call, session, captures=session is not None and _captures(session))


def read_session(call: Call) -> Response:
    """The capabilities of an open session."""
    return hub.read(call, call.world.open_session(call.path["sessionId"]), partial(_capabilities, call))


def delete_session(call: Call) -> Response:
    """Ends a session as COMPLETE."""
    return hub.delete(call, call.world.open_session(call.path["sessionId"]))


def _begun(call: Call, wish: Wish) -> Session:
    world = call.world
    hub.refuse_by_fault(call)
    if not wish.selects:
        raise NotCreated("The capabilities do not say which device is wanted: udid, deviceName or the like is missing.")
    fits = wish.device_filter()
    build = _build(call, wish)
    hub.snatch(call, fits)
    try:
        return world.begin_session(
            call.account.name,
            fits,
            name=wish.text("sessionName") or f"Session created at {world.clock.iso()}",
            description=wish.text("sessionDescription"),
            capabilities=wish.public,
            build=build,
            idle_limit=wish.idle_limit,
        )
    except (NoSuchDevice, DeviceTaken):
        raise NotCreated(
            f"No available device matches the given filters [{wish.filters}]. Use looser filters or try again later."
        ) from None


def _engine(call: Call, wish: Wish, session: Session) -> Engine:
    appium = cast("KobitonWire", call.wire).appium
    if appium is not None:
        asked = {name: value for name, value in wish.public.items() if not name.startswith("kobiton:")}
        return hub.on_appium(call.world, session, appium, asked)
    agreed = {**wish.public, "platformName": platform_word(session.device, documented=False)}
    return hub.built_in(call.world, session, agreed)


def _capabilities(call: Call, session: Session, agreed: Mapping[str, Any]) -> dict[str, Any]:
    device = session.device
    named = {"udid": device.udid, "deviceName": device.name, "platformVersion": device.version}
    numbers = {"kobitonSessionId": session.id}
    if not call.wire.documented:
        numbers["kobiton:session"] = session.id
    return {**agreed, **named, **numbers}


def _build(call: Call, wish: Wish) -> Version | None:
    reference = wish.text("app")
    if not reference:
        return None
    version: Version | None
    store = re.fullmatch(r"kobiton-store:(v?)(\d+)", reference)
    if store is None:
        # Other addresses are not fetched: the simulator talks to nobody. Its own storage is at hand.
        key = unquote(urlsplit(reference).path).removeprefix(PREFIX)
        versions = (v for app in call.world.apps for v in app.versions.values())
        return next((v for v in versions if v.key == key), None)
    if store[1]:
        version = call.world.apps.version(int(store[2]))
    else:
        app = call.world.apps.get(int(store[2]))
        version = None if app is None else app.latest
    if version is None:
        raise NotCreated(f"There is no app {reference} in the apps repository.")
    state = version_state(call, version)
    if state != "OK":
        raise NotCreated(f"App {reference} cannot be installed, its state is {state}.")
    return version


def _captures(session: Session) -> bool:
    return Wish(session.capabilities).get("captureScreenshots") is not False


ROUTES = (
    Route("hub.status", "GET", "/status", hub.status, query=None, body=None),
    Route("hub.create", "POST", "/session", create_session, query=None, body=None, effects=hub.IN_CREATION),
    Route("hub.read", "GET", "/session/{sessionId}", read_session, query=None, body=None),
    Route("hub.delete", "DELETE", "/session/{sessionId}", delete_session, query=None, body=None, effects=hub.IN_USE),
    Route(
        "hub.command",
        "ANY",
        "/session/{sessionId}/{path:command}",
        execute_command,
        query=None,
        body=None,
        effects=hub.IN_USE,
    ),
)
