"""The bytes a session leaves behind: logs made of what it really did, a network log, and a short video."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from importlib import resources
from typing import Any

from pytest_devicefarm.simulator.clock import Clock
from pytest_devicefarm.simulator.sessions import Session


def device_log(session: Session, clock: Clock) -> tuple[str, bytes]:
    """File name and text of the device's own log."""
    device = session.device
    app = (
        "no app" if session.build is None else f"{session.build.package or session.build.name} {session.build.version}"
    )
    lines = [
        f"{clock.iso(session.started)} I/Device: {device.name}, {device.platform} {device.version}",
        f"{clock.iso(session.started)} I/PackageManager: ready with {app}",
    ]
    lines += [f"{clock.iso(session.ended)} I/App: {line}" for line in session.device_lines]
    lines += [f"{clock.iso(c.started)} D/Automation: {c.method} {c.path}" for c in session.commands]
    lines += [
        f"{clock.iso(c.ended)} W/Automation: {c.path} failed ({c.status})" for c in session.commands if c.status >= 400
    ]
    end = f"{clock.iso(session.ended)} I/Device: session {session.id} ended"
    return "logs/device.log", "\n".join([*sorted(lines), end, ""]).encode()


def appium_log(session: Session, clock: Clock) -> tuple[str, bytes]:
    """File name and text of the Appium server's log."""
    lines = [f"{clock.iso(session.started)} [Appium] New session {session.webdriver_id} on {session.device.udid}"]
    for command in session.commands:
        spent = round((command.ended - command.started) * 1000)
        lines.append(f"{clock.iso(command.started)} [HTTP] --> {command.method} {command.path}")
        if command.body:
            lines.append(f"{clock.iso(command.started)} [HTTP] {command.body}")
        lines.append(
            f"{clock.iso(command.ended)} [HTTP] <-- {command.method} {command.path} {command.status} {spent} ms"
        )
    lines.append(f"{clock.iso(session.ended)} [Appium] Session {session.webdriver_id} is over")
    return "logs/appium.log", "\n".join([*lines, ""]).encode()


def video(session: Session, clock: Clock) -> tuple[str, bytes]:
    """File name and bytes of the recording: an MP4 (H.264) of four seconds, the same for every session."""
    clip = resources.files("pytest_devicefarm.simulator").joinpath("data/session.mp4")
    return f"videos/video-{session.id}.mp4", clip.read_bytes()


def network_log(session: Session, clock: Clock) -> tuple[str, bytes]:
    """File name and bytes of a zip with one HAR 1.2 file: what the app said to its backend.

    It holds what such files hold in earnest (a bearer token, a cookie, a password), so that redaction can be seen.
    """
    app = "app" if session.build is None else session.build.package or session.build.name
    har = {
        "log": {
            "version": "1.2",
            "creator": {"name": "pytest-devicefarm simulator", "version": "1"},
            "comment": f"{app} on {session.device.name}",
            "entries": network_entries(session, clock),
        }
    }
    packed = io.BytesIO()
    name = f"Har_{session.id}_0"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}.har", json.dumps(har))
    return f"network-logs/{name}.zip", packed.getvalue()


def network_entries(session: Session, clock: Clock) -> list[dict[str, Any]]:
    """What the app said to its backend, as entries of HAR 1.2."""
    start = session.started
    return [
        _entry(
            clock, start, "POST", "https://api.shop.example/v1/login", 200, {"user": "demo", "password": "s3cret-demo"}
        ),
        _entry(clock, start + 1, "GET", "https://api.shop.example/v1/items?page=1&access_token=demo-token", 200),
        _entry(clock, start + 2, "POST", "https://api.shop.example/v1/basket", 201, {"item": "item-1", "count": 1}),
        _entry(clock, start + 3, "GET", "https://api.shop.example/v1/recommendations", 503),
    ]


def _entry(
    clock: Clock, at: float, method: str, url: str, status: int, body: dict[str, Any] | None = None
) -> dict[str, Any]:
    sent: dict[str, Any] = {
        "method": method,
        "url": url,
        "httpVersion": "HTTP/1.1",
        "cookies": [{"name": "shop_session", "value": "cookie-demo"}],
        "headers": [
            {"name": "Authorization", "value": "Bearer bearer-demo"},
            {"name": "Cookie", "value": "shop_session=cookie-demo"},
        ],
        "queryString": [{"name": "page", "value": "1"}] if "?" in url else [],
        "headersSize": -1,
        "bodySize": -1,
    }
    if body is not None:
        sent["postData"] = {"mimeType": "application/json", "text": json.dumps(body)}
    answer = json.dumps({"ok": status < 400})
    received = {
        "status": status,
        "statusText": "OK" if status < 400 else "Service Unavailable",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": [{"name": "Content-Type", "value": "application/json"}],
        "content": {"size": len(answer), "mimeType": "application/json", "text": answer},
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": len(answer),
    }
    return {
        "startedDateTime": clock.iso(at),
        "time": 45.0,
        "request": sent,
        "response": received,
        "cache": {},
        "timings": {"send": 1.0, "wait": 40.0, "receive": 4.0},
    }


MAKERS: dict[str, Callable[[Session, Clock], tuple[str, bytes]]] = {
    "device_log": device_log,
    "appium_log": appium_log,
    "video": video,
    "network_log": network_log,
}
"""Who makes each kind of artifact."""
