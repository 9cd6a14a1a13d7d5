"""What the Appium hubs of all farms share: sessions open after a while, and their commands go to an engine.

A farm says whom a session is for and what its capabilities show; see `create`, `command` and `delete`.
"""

from __future__ import annotations

import contextlib
import uuid
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from werkzeug.wrappers import Response

from pytest_devicefarm.simulator.apps import Version
from pytest_devicefarm.simulator.capabilities import is_w3c
from pytest_devicefarm.simulator.devices import Device
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
from pytest_devicefarm.simulator.webdriver import AppSession, AppSource
from pytest_devicefarm.simulator.wire import Call, compact
from pytest_devicefarm.simulator.world import World

IN_CREATION = frozenset({"session_not_created", "busy_after_choice"})
"""Faults that a hub suffers while it creates a session: `begin` of `create` asks `refuse_by_fault` and `snatch`."""
IN_USE = frozenset({"hub_gone", "device_offline", "device_unauthorised"})
"""Faults that strike an open session."""

_LEGACY_NOT_CREATED = 33
_LOGGED = 2000
_GATEWAY_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"

Shown = Callable[[Session, Mapping[str, Any]], dict[str, Any]]
"""Turns the capabilities of a session's engine into those that the farm shows."""


class NotCreated(Exception):
    """No session, for the reason in the text."""


def create(
    call: Call,
    body: Mapping[str, Any],
    *,
    begin: Callable[[], Session],
    engine: Callable[[Session], Engine],
    shown: Shown,
) -> Response:
    """Takes a device, and after a while opens the session; the record of it is there from the beginning.

    Args:
        call: The request.
        body: Its body; the answer has the same form, W3C or legacy.
        begin: Takes a device, or raises `NotCreated`.
        engine: Starts what will execute the commands.
        shown: The capabilities to answer with.
    """
    try:
        session = begin()
        try:
            capabilities = _opened(call.world, session, engine, shown)
        except BaseException:
            call.world.end_session(session, ERROR)
            raise
    except NotCreated as refusal:
        if is_w3c(body):
            return response(webdriver_error("session not created", str(refusal), 500))
        return compact({"status": _LEGACY_NOT_CREATED, "value": {"message": str(refusal)}}, 500)
    except EngineRefused as refusal:
        return response(refusal.reply)
    if is_w3c(body):
        return compact({"value": {"sessionId": session.webdriver_id, "capabilities": capabilities}})
    return compact({"status": 0, "sessionId": session.webdriver_id, "value": capabilities})


def refuse_by_fault(call: Call) -> None:
    """Raises `NotCreated` when the request is to be refused."""
    if (fault := call.struck_by("session_not_created")) is not None:
        raise NotCreated(fault.reason or "The session could not be created.")


def snatch(call: Call, wanted: Callable[[Device], bool]) -> None:
    """Gives the device that the request would get to somebody else, when such a fault strikes."""
    if (fault := call.struck_by("busy_after_choice")) is None:
        return
    world = call.world
    with world.lock:
        for device in world.devices:
            if wanted(device) and world.free_for(call.account.name, device):
                device.busy_until = world.clock.now() + fault.seconds
                break


def command(
    call: Call,
    session: Session | None,
    *,
    captures: bool,
    own: Callable[[Session, str, bytes], Reply | None] = lambda session, path, body: None,
) -> Response:
    """Any command on an open session; answers come back as the engine gives them.

    Args:
        call: The request, with the command's path as `command`.
        session: The session it is for; None when it is not open.
        captures: Whether to keep a picture of each new screen.
        own: Answers commands that the farm has beside those of WebDriver; None for all others.
    """
    if session is None or session.engine is None:
        return gone(call)
    if call.fault is not None and call.fault.effect in IN_USE:
        return _vanished(call, session, call.fault)
    path = "/" + call.path["command"]
    body = call.request.get_data()
    clock, engine = call.world.clock, session.engine
    with session.lock:
        session.running += 1
    started = clock.now()
    try:
        reply = own(session, path, body) or engine.forward(call.request.method, path, body)
        picture = engine.picture(path, reply) if captures else None
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
    return response(reply)


def read(call: Call, session: Session | None, shown: Shown) -> Response:
    """The capabilities of an open session."""
    if session is None or session.engine is None:
        return gone(call)
    return response(webdriver_reply(shown(session, session.engine.capabilities)))


def delete(call: Call, session: Session | None) -> Response:
    """Ends a session as COMPLETE; a second time it is not known any more."""
    if session is None:
        return gone(call)
    if call.fault is not None and call.fault.effect in IN_USE:
        return _vanished(call, session, call.fault)
    call.world.end_session(session)
    return response(webdriver_reply(None))


def status(call: Call) -> Response:
    """Whether the hub takes sessions."""
    return response(webdriver_reply({"ready": True, "message": "The hub is ready."}))


def gone(call: Call) -> Response:
    """The session is not open, or never was."""
    message = f"Session {call.path['sessionId']} does not exist or has ended."
    return response(webdriver_error("invalid session id", message, 404))


def response(reply: Reply) -> Response:
    """A reply of WebDriver as it leaves the farm."""
    return Response(reply.body, reply.status, content_type=reply.content_type)


def built_in(world: World, session: Session, agreed: Mapping[str, Any]) -> Engine:
    """The engine that drives the session's build, or a plain default screen."""
    source = AppSource.default() if session.build is None else AppSource.from_zip(session.build.path)
    app = AppSession(app=source, capabilities=agreed, clock=world.clock, mailbox=world.mailbox)
    return BuiltInEngine(app, agreed)


def on_appium(world: World, session: Session, url: str, asked: Mapping[str, Any]) -> Engine:
    """A session of a real Appium server, asked for with the build as a path and the world's own wishes last.

    Args:
        world: The farm's state.
        session: What it is for.
        url: The server.
        asked: Capabilities without those that only the farm knows.
    """
    wishes = dict(asked)
    build = session.build
    if build is not None:
        wishes["appium:app"] = str(_with_its_ending(build))
    for name, value in world.appium_capabilities.items():
        if value == "{app}":
            value = None if build is None else str(_with_its_ending(build))
        elif value == "{app_xml}":
            value = None if build is None else str(_unpacked(build))
        if value is None or value == "":
            wishes.pop(name, None)
        else:
            wishes[name] = value
    named = {
        name if ":" in name or name in ("platformName", "browserName") else f"appium:{name}": value
        for name, value in wishes.items()
    }
    return AppiumEngine(url, named)


def _opened(world: World, session: Session, engine: Callable[[Session], Engine], shown: Shown) -> dict[str, Any]:
    world.clock.sleep(world.delays.session_create, until=lambda: not session.open)
    if session.open:
        started = engine(session)
        with world.lock:
            if world.ready_session(session, str(uuid.uuid4())):
                session.engine = started
                return shown(session, started.capabilities)
        started.close()
    raise NotCreated("The session was terminated before it was ready.")


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
                raise NotCreated(f"{build.filename} holds no {APP_FILE}, which this Appium server is to be given.")
            draft.write_bytes(archive.read(APP_FILE))
        # Sessions that open at the same time never see half a file.
        draft.replace(target)
    return target


def _vanished(call: Call, session: Session, fault: Fault) -> Response:
    if fault.status == 502:
        return Response(_GATEWAY_PAGE, 502, content_type="text/html")
    with call.world.lock:
        if fault.effect == "device_offline":
            session.device.online = False
        if fault.effect == "device_unauthorised":
            session.device.unauthorised = True
    call.world.end_session(session, ERROR)
    return gone(call)
