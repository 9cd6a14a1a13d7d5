"""Sessions and what they left behind."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from werkzeug.wrappers import Response

from pytest_devicefarm.farms.kobiton.simulator.answers import done
from pytest_devicefarm.farms.kobiton.simulator.devices import platform_word
from pytest_devicefarm.simulator.contract import IDS, NUMBER_TEXT, TEXT, ContractBroken
from pytest_devicefarm.simulator.devices import BROWSERS
from pytest_devicefarm.simulator.sessions import TERMINATED, Session
from pytest_devicefarm.simulator.storage import DOWNLOAD_LIFE
from pytest_devicefarm.simulator.wire import Call, Route, Unknown, compact

PAGE_SIZE, COMMANDS_PAGE_SIZE = 20, 50
VERDICTS = ("PASSED", "FAILED", "COMPLETE")
"""What a client may set; any case is understood."""
_MILLISECONDS_FROM = 1e11


def get_sessions(call: Call) -> Response:
    """One page of sessions, the latest first."""
    call.world.settle()
    found = [s for s in reversed(list(call.world.sessions)) if not s.removed and _kept(call, s)]
    page = call.query.get("page", 1)
    if page < 1:
        raise ContractBroken("'page' is counted from 1")
    names = dict.fromkeys(s.account for s in found)
    members = [{"id": a.id, "username": a.name, "avatarUrl": ""} for a in call.world.accounts if a.name in names]
    return compact(
        {
            "members": members,
            "currentPage": page,
            "totalPages": max(1, math.ceil(len(found) / PAGE_SIZE)),
            "data": [_session_json(call, s) for s in found[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]],
        }
    )


def get_session(call: Call) -> Response:
    """One session with links to what it left behind; what is not there yet is null or missing."""
    session = _session(call)
    if fault := call.struck_by("artifact_never"):
        session.never.update(fault.kinds)
    facts = _session_json(call, session)
    return compact(
        {
            **facts,
            "deviceId": session.device.id,
            "isCloud": not session.device.private,
            "log": _log_urls(call, session),
            "video": facts["executionData"]["video"],
            "networkLogs": facts["executionData"]["networkLogs"],
        }
    )


def update_session(call: Call) -> Response:
    """Sets name, description or verdict."""
    session = _session(call)
    state = call.body.get("state")
    if state is not None and state.upper() not in VERDICTS:
        raise ContractBroken(f"'state' has to be one of {', '.join(VERDICTS)}, not {state!r}")
    with call.world.lock:
        session.name = call.body.get("name", session.name)
        session.description = call.body.get("description", session.description)
        session.updated = call.world.clock.now()
        if state is not None:
            session.state = state.upper()
            session.verdicts.append(session.state)
    return done(call)


def delete_session(call: Call) -> Response:
    """Takes a session out of the history; it does not end one that runs."""
    _session(call).removed = True
    return done(call)


def terminate_session(call: Call) -> Response:
    """Ends a running session as TERMINATED; one that has ended is left as it is."""
    call.world.end_session(_session(call), TERMINATED)
    return done(call)


def get_session_commands(call: Call) -> Response:
    """One page of a session's commands, with screenshots where there are any."""
    session = _session(call)
    page = call.query.get("page", 1)
    if page < 1:
        raise ContractBroken("'page' is counted from 1")
    commands = list(session.commands)
    clock = call.world.clock
    data = []
    for command in commands[(page - 1) * COMMANDS_PAGE_SIZE : page * COMMANDS_PAGE_SIZE]:
        shot = command.screenshot
        url = None if shot is None else call.world.storage.sign("GET", call.base, shot, DOWNLOAD_LIFE)
        data.append(
            {
                "id": command.id,
                "sessionId": session.id,
                "data": {"method": command.method, "path": command.path, "status": command.status},
                "screenshot": shot,
                "screenshotDownloadUrl": url,
                "createdAt": clock.iso(command.started),
                "endedAt": clock.iso(command.ended),
            }
        )
    pages = max(1, math.ceil(len(commands) / COMMANDS_PAGE_SIZE))
    return compact({"currentPage": page, "totalPages": pages, "data": data})


def get_sessions_crash_status(call: Call) -> Response:
    """Whether the app crashed, for each session asked about."""
    found = [s for each in call.query["sessionId"] if (s := call.world.sessions.get(each)) is not None]
    return compact(
        {
            "data": [
                {
                    "id": session.id,
                    "createdAt": call.world.clock.iso(session.started),
                    "crashOccurred": session.state == "ERROR",
                    "sessionURL": f"{call.base}/sessions/{session.id}",
                }
                for session in found
            ]
        }
    )


def get_session_metrics(call: Call) -> Response:
    """Measurements of a session; the real form is not documented."""
    session = _session(call)
    clock = call.world.clock
    points = [{"time": clock.iso(c.ended), "cpu": 5 + c.id % 7, "memory": 180000 + 10 * c.id} for c in session.commands]
    return compact({"sessionId": session.id, "metrics": points})


def _session(call: Call) -> Session:
    call.world.settle()
    session = call.world.sessions.get(call.path_id("sessionId"))
    if session is None or session.removed:
        raise Unknown(f"Session {call.path['sessionId']} is not known.")
    return session


def _kept(call: Call, session: Session) -> bool:
    query = call.query
    texts = [session.name, session.description, session.device.name, session.device.version]
    checks: dict[str, Callable[[Any], bool]] = {
        "state": lambda want: session.state == want.upper(),
        "type": lambda want: want.upper() == "AUTO",
        "platform": lambda want: session.device.platform == want.lower(),
        "userId": lambda want: want == call.world.account_id(session.account),
        "keyword": lambda want: any(want.lower() in text.lower() for text in texts),
        "startDate": lambda want: session.started >= _seconds(want),
        "endDate": lambda want: session.started <= _seconds(want),
    }
    return all(checks[name](value) for name, value in query.items() if name in checks)


def _seconds(stamp: int) -> float:
    """A timestamp in seconds; the documents leave open whether it comes in milliseconds."""
    return stamp / 1000 if stamp >= _MILLISECONDS_FROM else float(stamp)


def _session_json(call: Call, session: Session) -> dict[str, Any]:
    clock, device = call.world.clock, session.device
    facts: dict[str, Any] = {
        "id": session.id,
        "userId": call.world.account_id(session.account),
        "endedAt": None if session.ended is None else clock.iso(session.ended),
        "state": session.state,
        "type": "AUTO",
        "name": session.name,
        "description": session.description,
        "createdAt": clock.iso(session.started),
        "updatedAt": clock.iso(session.updated),
        "username": session.account,
        "avatarUrl": "",
        "deviceBooked": call.world.booked(device),
        "deviceOnline": device.online,
        "deviceImageUrl": "",
    }
    if session.ended is None and call.wire.documented:
        del facts["endedAt"]
    facts["executionData"] = {
        "log": _log_paths(call, session),
        "video": _video(call, session),
        "actual": {
            "udid": device.udid,
            "isIos": device.platform == "ios",
            "brandName": device.manufacturer,
            "modelName": device.model,
            "deviceName": device.name,
            "isEmulator": False,
            "platformName": platform_word(device, documented=call.wire.documented),
            "platformVersion": device.version,
            "resolution": {"width": device.width, "height": device.height},
            "installedBrowsers": [{"name": BROWSERS[device.platform], "enabled": True, "version": "120.0"}],
        },
        "desired": session.capabilities,
        "versions": {"appiumVersion": "3.0.0"},
        "networkLogs": _network_logs(call, session),
        "wdSessionId": session.webdriver_id,
        "allCommandIds": [command.id for command in session.commands],
        "sessionVideoCapturingDisabled": False,
        "commandScreenshotCapturingDisabled": False,
    }
    return facts


def _stored(call: Call, session: Session, kind: str) -> tuple[str, str, int] | None:
    """Key, signed URL and size of an artifact that is there."""
    key = call.world.artifact(session, kind)
    stored = None if key is None else call.world.storage.find(key)
    if key is None or stored is None:
        return None
    return key, call.world.storage.sign("GET", call.base, key, DOWNLOAD_LIFE), stored.size


def _log_paths(call: Call, session: Session) -> dict[str, str | None]:
    device, appium = _stored(call, session, "device_log"), _stored(call, session, "appium_log")
    return {
        "previewPath": device and device[0],
        "downloadPath": device and device[0],
        "appiumPreviewPath": appium and appium[0],
    }


def _log_urls(call: Call, session: Session) -> dict[str, Any]:
    device, appium = _stored(call, session, "device_log"), _stored(call, session, "appium_log")
    return {
        "previewUrl": device and device[1],
        "downloadUrl": device and device[1],
        "previewSize": device and device[2],
        "appiumPreviewUrl": appium and appium[1],
        "appiumPreviewSize": appium and appium[2],
    }


def _video(call: Call, session: Session) -> dict[str, Any] | None:
    video = _stored(call, session, "video")
    if video is None:
        return None
    return {"path": video[1], "size": video[2], "error": None, "sessionVideoCapturingDisabled": False}


def _network_logs(call: Call, session: Session) -> list[dict[str, Any]]:
    log = _stored(call, session, "network_log")
    if log is None:
        return []
    clock = call.world.clock
    return [
        {
            "endTime": clock.iso(session.ended),
            "startTime": clock.iso(session.started),
            "fileName": f"Har_{session.id}_0",
            "path": log[1],
            "size": log[2],
        }
    ]


ROUTES = (
    Route(
        "getSessions",
        "GET",
        "/sessions",
        get_sessions,
        query={
            "groupId": NUMBER_TEXT,
            "state": TEXT,
            "type": TEXT,
            "platform": TEXT,
            "userId": NUMBER_TEXT,
            "keyword": TEXT,
            "page": NUMBER_TEXT,
            "startDate": NUMBER_TEXT,
            "endDate": NUMBER_TEXT,
        },
    ),
    Route(
        "getSessionsCrashStatus",
        "GET",
        "/sessions/crash-status",
        get_sessions_crash_status,
        query={"sessionId": IDS.must()},
        lists=frozenset({"sessionId"}),
    ),
    Route("getSession", "GET", "/sessions/{sessionId}", get_session, effects=frozenset({"artifact_never"})),
    Route(
        "updateSession",
        "PUT",
        "/sessions/{sessionId}",
        update_session,
        body={"name": TEXT, "description": TEXT, "state": TEXT},
    ),
    Route("deleteSession", "DELETE", "/sessions/{sessionId}", delete_session),
    Route("terminateSession", "DELETE", "/sessions/{sessionId}/terminate", terminate_session),
    Route(
        "getSessionCommands",
        "GET",
        "/sessions/{sessionId}/commands",
        get_session_commands,
        query={"page": NUMBER_TEXT},
    ),
    Route("getSessionMetrics", "GET", "/sessions/{sessionId}/getMetricInfo", get_session_metrics),
)
