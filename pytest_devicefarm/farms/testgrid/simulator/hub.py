"""The Appium server of each device, and the common hub that chooses a device and lets requests wait for one."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from werkzeug.wrappers import Response

from pytest_devicefarm.farms.testgrid.simulator.capabilities import TOKEN, Wish
from pytest_devicefarm.farms.testgrid.simulator.devices import WORDS, appium_port
from pytest_devicefarm.simulator import hub
from pytest_devicefarm.simulator.apps import Version
from pytest_devicefarm.simulator.capabilities import parsed, wanted_capabilities
from pytest_devicefarm.simulator.devices import Device
from pytest_devicefarm.simulator.engine import Engine, Reply, webdriver_error, webdriver_reply
from pytest_devicefarm.simulator.hub import NotCreated
from pytest_devicefarm.simulator.sessions import Case, Session
from pytest_devicefarm.simulator.wire import Call, Route
from pytest_devicefarm.simulator.world import DeviceTaken, NoSuchDevice

if TYPE_CHECKING:
    from pytest_devicefarm.farms.testgrid.simulator.wire import TestGridWire

_LOOK_EVERY = 1.0


def create_session(call: Call) -> Response:
    """Opens a session on the device of the address or, at the common hub, on one that fits."""
    body = parsed(call.request.get_data())
    wish = Wish(wanted_capabilities(body))
    return hub.create(
        call,
        body,
        begin=partial(_begun, call, wish),
        engine=partial(_engine, call, wish),
        shown=partial(_capabilities, call),
    )


def execute_command(call: Call) -> Response:
    """Any command on an open session; scripts that begin with `tg:` tell the farm about test cases."""
    return hub.command(call, _session(call), captures=False, own=partial(_told, call))


def read_session(call: Call) -> Response:
    """The capabilities of an open session."""
    return hub.read(call, _session(call), partial(_capabilities, call))


def delete_session(call: Call) -> Response:
    """Ends a session; the device then cleans and prepares itself."""
    return hub.delete(call, _session(call))


def _session(call: Call) -> Session | None:
    """The open session of the path, if it is one of the address's device."""
    session = call.world.open_session(call.path["sessionId"])
    port = call.path.get("port")
    elsewhere = session is not None and port is not None and port != str(appium_port(session.device))
    return None if elsewhere else session


def _begun(call: Call, wish: Wish) -> Session:
    hub.refuse_by_fault(call)
    fits = wish.fits()
    if (port := call.path.get("port")) is None:
        return _queued(call, wish, fits)
    here = next((d for d in call.world.devices if str(appium_port(d)) == port and not d.hidden), None)
    if here is None or not fits(here):
        raise NotCreated("The capabilities do not fit the device at this address.")
    hub.snatch(call, lambda device: device is here)
    try:
        return _taken(call, wish, lambda device: device is here)
    except NoSuchDevice:
        raise NotCreated(f"Device {here.udid} is not connected.") from None
    except DeviceTaken:
        raise NotCreated(f"Device {here.udid} is in use or reserved.") from None


def _queued(call: Call, wish: Wish, fits: Callable[[Device], bool]) -> Session:
    if not (wish.text("platformName") or wish.text("browserName")):
        raise NotCreated("Either appium:platformName or browserName is required.")
    world, clock = call.world, call.world.clock
    end = clock.now() + wish.queue_seconds
    hub.snatch(call, fits)
    with cast("TestGridWire", call.wire).queue.place(fits) as left_to_it:
        while True:
            try:
                return _taken(call, wish, left_to_it)
            except NoSuchDevice:
                if not any(d.drivable and fits(d) for d in world.devices):
                    raise NotCreated("No device matches the given capabilities.") from None
            except DeviceTaken:
                pass
            left = end - clock.now()
            if left <= 0:
                raise NotCreated("No matching device became free: the queue timeout is over.") from None
            clock.sleep(min(left, _LOOK_EVERY))


def _taken(call: Call, wish: Wish, wanted: Callable[[Device], bool]) -> Session:
    return call.world.begin_session(
        call.account.name,
        wanted,
        name=wish.text("sessionName"),
        description="",
        capabilities=wish.public,
        build=None,
        idle_limit=wish.idle_limit,
    )


def _engine(call: Call, wish: Wish, session: Session) -> Engine:
    session.build = _installed(call, wish, session.device)
    appium = cast("TestGridWire", call.wire).appium
    if appium is not None:
        asked = {name: value for name, value in wish.public.items() if not name.startswith("tg:")}
        return hub.on_appium(call.world, session, appium, asked)
    agreed = {**wish.public, "platformName": WORDS[session.device.platform]}
    return hub.built_in(call.world, session, agreed)


def _installed(call: Call, wish: Wish, device: Device) -> Version | None:
    package = wish.package
    if wish.text("app"):
        raise NotCreated(f"The app {wish.text('app')!r} does not exist or is not accessible.")
    if not package:
        return None
    there = call.world.installs.on(device.udid, call.world.clock.now())
    build = next((version for version in there if version.package == package), None)
    if build is None:
        raise NotCreated(f"An unknown server-side error occurred: {package} is not installed on the device.")
    return build


def _capabilities(call: Call, session: Session, agreed: Mapping[str, Any]) -> dict[str, Any]:
    device = session.device
    named = {"udid": device.udid, "deviceName": device.name, "platformVersion": device.version}
    owner = next(a for a in call.world.accounts if a.name == session.account)
    return {**agreed, **named, TOKEN: owner.key}


def _told(call: Call, session: Session, path: str, raw: bytes) -> Reply | None:
    """Takes down what a script tells about test cases; None for every other command."""
    if path != "/execute/sync" or call.request.method != "POST":
        return None
    try:
        given = json.loads(raw)
        script, arguments = given["script"], given.get("args") or [None]
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    if script == "tg:logs" and isinstance(arguments[0], dict):
        return _logged(call, session, arguments[0])
    if script == "tg:action" and isinstance(arguments[0], str):
        return _judged(call, session, arguments[0])
    if isinstance(script, str) and script.startswith("tg:"):
        return webdriver_error("invalid argument", f"{script} does not take {arguments[0]!r}", 400)
    return None


def _logged(call: Call, session: Session, told: Mapping[str, Any]) -> Reply:
    with session.lock:
        if name := told.get("testcaseName"):
            session.cases.append(Case(str(name), call.world.clock.now()))
        if step := told.get("testStepName"):
            if not session.cases:
                session.cases.append(Case("undefined", call.world.clock.now()))
            session.cases[-1].steps.append(str(step))
    return webdriver_reply(None)


def _judged(call: Call, session: Session, text: str) -> Reply:
    try:
        told = json.loads(text)
        verdict, name = str(told["status"]), told.get("case")
    except (ValueError, KeyError, TypeError, AttributeError):
        return webdriver_error("invalid argument", "tg:action takes JSON text with 'status' and 'case'", 400)
    with session.lock:
        named = [case for case in session.cases if name in (None, case.name)]
        if not named:
            named = [Case(str(name or "undefined"), call.world.clock.now())]
            session.cases += named
        named[-1].verdict = verdict
        session.verdicts.append(verdict)
    return webdriver_reply(None)


ROUTES: tuple[Route, ...] = (
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
