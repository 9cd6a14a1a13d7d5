"""The Appium hub: sessions are created on a device of the world, their commands go to an engine."""

from __future__ import annotations

import contextlib
import json
import re
import uuid
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote, urlsplit

from werkzeug.wrappers import Response

from pytest_devicefarm.farms.kobiton.simulator.capabilities import Wish, is_w3c, wanted_capabilities
from pytest_devicefarm.farms.kobiton.simulator.devices import platform_word
from pytest_devicefarm.farms.kobiton.simulator.versions import version_state
from pytest_devicefarm.simulator.apps import Version
from pytest_devicefarm.simulator.contract import ContractBroken
from pytest_devicefarm.simulator.engine import (
    AppiumEngine,
    BuiltInEngine,
    Engine,
    EngineRefused,
    Reply,
    webdriver_error,
    webdriver_reply,
)
from pytest_devicefarm.simulator.faults import Fault
from pytest_devicefarm.simulator.sessions import ERROR, Command, Session
from pytest_devicefarm.simulator.source import APP_FILE
from pytest_devicefarm.simulator.storage import PREFIX
from pytest_devicefarm.simulator.webdriver import AppSession, AppSource
from pytest_devicefarm.simulator.wire import Call, Route, compact
from pytest_devicefarm.simulator.world import DeviceTaken, NoSuchDevice

if TYPE_CHECKING:
    from pytest_devicefarm.farms.kobiton.simulator.wire import KobitonWire

_LEGACY_NOT_CREATED = 33
_LOGGED = 2000
_IN_CREATION = frozenset({"session_not_created", "busy_after_choice"})
_IN_USE = frozenset({"hub_gone", "device_offline"})
_GATEWAY_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


class _NotCreated(Exception):
    """No session, for the reason in the text."""


def create_session(call: Call) -> Response:
    """Takes a device, and after a while opens the session; the record of it is there from the beginning."""
    try:
        body = json.loads(call.request.get_data())
    except ValueError:
        raise ContractBroken("the body is not JSON") from None
    wish = Wish(wanted_capabilities(body))
    try:
        session = _begun(call, wish)
        try:
            capabilities = _opened(call, session, wish)
        except BaseException:
            call.world.end_session(session, ERROR)
            raise
    except _NotCreated as refusal:
        if is_w3c(body):
            return _response(webdriver_error("session not created", str(refusal), 500))
        return compact({"status": _LEGACY_NOT_CREATED, "value": {"message": str(refusal)}}, 500)
    except EngineRefused as refusal:
        return _response(refusal.reply)
    if is_w3c(body):
        return compact({"value": {"sessionId": session.webdriver_id, "capabilities": capabilities}})
    return compact({"status": 0, "sessionId": session.webdriver_id, "value": capabilities})


def execute_command(call: Call) -> Response:
    """Any command on an open session; answers come back as the engine gives them."""
    session = call.world.open_session(call.path["sessionId"])
    if session is None or session.engine is None:
        return _gone(call)
    if call.fault is not None and call.fault.effect in _IN_USE:
        return _vanished(call, session, call.fault)
    path = "/" + call.path["command"]
    body = call.request.get_data()
    clock, engine = call.world.clock, session.engine
    with session.lock:
        session.running += 1
    started = clock.now()
    try:
        reply = engine.forward(call.request.method, path, body)
        picture = engine.picture(path, reply) if _captures(session) else None
    finally:
        with session.lock:
            session.running -= 1
            session.last_command = clock.now()
    with session.lock:
        number = len(session.commands) + 1
        shot = None
        if picture is not None:
            shot = call.world.storage.keep(f"sessions/{session.id}/screenshots/{number}.png", picture)
        text = body[:_LOGGED].decode("utf-8", "replace")
        session.commands.append(
            Command(number, call.request.method, path, text, reply.status, started, session.last_command, shot)
        )
    return _response(reply)


def read_session(call: Call) -> Response:
    """The capabilities of an open session."""
    session = call.world.open_session(call.path["sessionId"])
    if session is None or session.engine is None:
        return _gone(call)
    return _response(webdriver_reply(_capabilities(call, session, session.engine.capabilities)))


def delete_session(call: Call) -> Response:
    """Ends a session as COMPLETE; a second time it is not known any more."""
    session = call.world.open_session(call.path["sessionId"])
    if session is None:
        return _gone(call)
    if call.fault is not None and call.fault.effect in _IN_USE:
        return _vanished(call, session, call.fault)
    call.world.end_session(session)
    return _response(webdriver_reply(None))


def hub_status(call: Call) -> Response:
    """Whether the hub takes sessions."""
    return _response(webdriver_reply({"ready": True, "message": "The hub is ready."}))


def _begun(call: Call, wish: Wish) -> Session:
    world = call.world
    if (fault := call.struck_by("session_not_created")) is not None:
        raise _NotCreated(fault.reason or "The session could not be created.")
    if not wish.selects:
        raise _NotCreated(
            "The capabilities do not say which device is wanted: udid, deviceName or the like is missing."
        )
    fits = wish.device_filter()
    build = _build(call, wish)
    if (fault := call.struck_by("busy_after_choice")) is not None:
        with world.lock:
            for device in world.devices:
                if fits(device) and world.free_for(call.account.name, device):
                    device.busy_until = world.clock.now() + fault.seconds
                    break
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
        raise _NotCreated(
            f"No available device matches the given filters [{wish.filters}]. Use looser filters or try again later."
        ) from None


def _opened(call: Call, session: Session, wish: Wish) -> dict[str, Any]:
    world = call.world
    world.clock.sleep(world.delays.session_create, until=lambda: not session.open)
    if session.open:
        engine = _engine(call, session, wish)
        with world.lock:
            if world.ready_session(session, str(uuid.uuid4())):
                session.engine = engine
                return _capabilities(call, session, engine.capabilities)
        engine.close()
    raise _NotCreated("The session was terminated before it was ready.")


def _engine(call: Call, session: Session, wish: Wish) -> Engine:
    appium = cast("KobitonWire", call.wire).appium
    if appium is not None:
        return AppiumEngine(appium, _for_appium(call, session, wish))
    agreed = {**wish.public, "platformName": platform_word(session.device, documented=False)}
    source = AppSource.default() if session.build is None else AppSource.from_zip(session.build.path)
    app = AppSession(app=source, capabilities=agreed, clock=call.world.clock, mailbox=call.world.mailbox)
    return BuiltInEngine(app, agreed)


def _for_appium(call: Call, session: Session, wish: Wish) -> dict[str, Any]:
    """What a real server is asked for: our names left out, the build as a path, the world's own wishes last."""
    asked = {name: value for name, value in wish.public.items() if not name.startswith("kobiton:")}
    build = session.build
    if build is not None:
        asked["appium:app"] = str(_with_its_ending(build))
    for name, value in call.world.appium_capabilities.items():
        if value == "{app}":
            value = None if build is None else str(_with_its_ending(build))
        elif value == "{app_xml}":
            value = None if build is None else str(_unpacked(build))
        if value is None or value == "":
            asked.pop(name, None)
        else:
            asked[name] = value
    return {
        name if ":" in name or name in ("platformName", "browserName") else f"appium:{name}": value
        for name, value in asked.items()
    }


def _with_its_ending(build: Version) -> Path:
    """The stored build under a name that ends as its file did: Appium goes by the ending, storage has none."""
    target = build.path.with_suffix(Path(build.filename).suffix.lower())
    with contextlib.suppress(FileExistsError):
        target.hardlink_to(build.path)
    return target


def _unpacked(build: Version) -> Path:
    target = build.path.with_suffix(".xml")
    if not target.exists():
        draft = build.path.with_suffix(f".{uuid.uuid4().hex}")
        with zipfile.ZipFile(build.path) as archive:
            if APP_FILE not in archive.namelist():
                raise _NotCreated(f"{build.filename} holds no {APP_FILE}, which this Appium server is to be given.")
            draft.write_bytes(archive.read(APP_FILE))
        # Sessions that open at the same time never see half a file.
        draft.replace(target)
    return target


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
        raise _NotCreated(f"There is no app {reference} in the apps repository.")
    state = version_state(call, version)
    if state != "OK":
        raise _NotCreated(f"App {reference} cannot be installed, its state is {state}.")
    return version


def _captures(session: Session) -> bool:
    return Wish(session.capabilities).get("captureScreenshots") is not False


def _gone(call: Call) -> Response:
    message = f"Session {call.path['sessionId']} does not exist or has ended."
    return _response(webdriver_error("invalid session id", message, 404))


def _vanished(call: Call, session: Session, fault: Fault) -> Response:
    if fault.status == 502:
        return Response(_GATEWAY_PAGE, 502, content_type="text/html")
    if fault.effect == "device_offline":
        with call.world.lock:
            session.device.online = False
    call.world.end_session(session, ERROR)
    return _gone(call)


def _response(reply: Reply) -> Response:
    return Response(reply.body, reply.status, content_type=reply.content_type)


ROUTES = (
    Route("hub.status", "GET", "/status", hub_status, query=None, body=None),
    Route("hub.create", "POST", "/session", create_session, query=None, body=None, effects=_IN_CREATION),
    Route("hub.read", "GET", "/session/{sessionId}", read_session, query=None, body=None),
    Route("hub.delete", "DELETE", "/session/{sessionId}", delete_session, query=None, body=None, effects=_IN_USE),
    Route(
        "hub.command",
        "ANY",
        "/session/{sessionId}/{path:command}",
        execute_command,
        query=None,
        body=None,
        effects=_IN_USE,
    ),
)
