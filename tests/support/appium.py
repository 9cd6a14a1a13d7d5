"""Appium servers and Grids in this process, with the simulator's own engine instead of drivers."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from pytest_devicefarm.simulator.clock import Clock
from pytest_devicefarm.simulator.server import serve
from pytest_devicefarm.simulator.webdriver import AppSession, AppSource, WebDriverError


class AppiumDouble:
    """Answers at ``/``; opens one session for each device, and shows them all as session discovery does."""

    def __init__(self) -> None:
        self.clock = Clock(speed=0)
        self.sessions: dict[str, tuple[AppSession, dict[str, Any]]] = {}

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = json.loads(environ["wsgi.input"].read() or b"{}")
        try:
            status, value = 200, self.answer(environ["REQUEST_METHOD"], environ["PATH_INFO"], body)
        except WebDriverError as error:
            status, value = error.status, {"error": error.error, "message": error.message, "stacktrace": ""}
        answer = json.dumps({"value": value}).encode()
        start_response(f"{status} .", [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))])
        return [answer]

    def answer(self, method: str, path: str, body: dict[str, Any]) -> Any:
        """The value of the answer to one request."""
        match method, path.split("/")[1:]:
            case "GET", ["status"]:
                return {"ready": True, "message": "ready", "build": {"version": "3.1.0"}}
            case "GET", ["appium", "sessions"]:
                return [{"id": name, "created": 0, "capabilities": facts} for name, (_, facts) in self.sessions.items()]
            case "POST", ["session"]:
                asked = body["capabilities"]
                # A Grid passes what it has matched on in either place.
                return self.open({**asked.get("alwaysMatch", {}), **next(iter(asked.get("firstMatch", [])), {})})
            case "DELETE", ["session", name]:
                self._session(name).close()
                del self.sessions[name]
                return None
            case _, ["session", name, *rest]:
                return self._session(name).execute(method, "".join(f"/{part}" for part in rest), body)
            case _:
                raise WebDriverError("unknown command", f"{method} {path}")

    def open(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Open a session on the device that is asked for."""
        agreed = {name.removeprefix("appium:"): value for name, value in wanted.items()}
        if any(facts["udid"] == agreed["udid"] for _, facts in self.sessions.values()):
            raise WebDriverError("session not created", f"{agreed['udid']} has a session")
        name = str(uuid.uuid4())
        app = AppSource.from_zip(agreed["app"]) if "app" in agreed else AppSource.default()
        self.sessions[name] = AppSession(app=app, capabilities=wanted, clock=self.clock), agreed
        return {"sessionId": name, "capabilities": agreed}

    def _session(self, name: str) -> AppSession:
        if name not in self.sessions:
            raise WebDriverError("invalid session id", f"there is no session {name}")
        return self.sessions[name][0]


class GridDouble(AppiumDouble):
    """A Selenium Grid with one relay node; it opens a session where a slot of this UDID is free.

    Args:
        udids: One slot for each.
    """

    def __init__(self, *udids: str) -> None:
        super().__init__()
        self._stereotypes = {
            udid: {"platformName": "ANDROID", "appium:udid": udid, "appium:automationName": "UiAutomator2"}
            for udid in udids
        }

    def answer(self, method: str, path: str, body: dict[str, Any]) -> Any:
        """The value of the answer to one request."""
        if (method, path) == ("GET", "/status"):
            return {"ready": True, "message": "ready", "nodes": [self._node()]}
        return super().answer(method, path, body)

    def _node(self) -> dict[str, Any]:
        return {
            "id": "node-1",
            "uri": "http://node:5555",
            "maxSessions": len(self._stereotypes),
            "sessionTimeout": 300_000,
            "availability": "UP",
            "version": "4.45.0 (revision 0)",
            "slots": [
                {
                    "id": {"hostId": "node-1", "id": f"slot-{udid}"},
                    "lastStarted": "1970-01-01T00:00:00Z",
                    "stereotype": stereotype,
                    "session": self._session_in(udid),
                }
                for udid, stereotype in self._stereotypes.items()
            ],
        }

    def _session_in(self, udid: str) -> dict[str, Any] | None:
        for name, (_, agreed) in self.sessions.items():
            if agreed["udid"] == udid:
                return {"sessionId": name, "start": "2026-01-01T10:00:00Z", "uri": "", "capabilities": agreed}
        return None


@contextmanager
def an_appium(double: AppiumDouble) -> Iterator[str]:
    """Serves a double and gives its address."""
    with serve(double) as url:
        yield url
    for session, _ in double.sessions.values():
        session.close()
    double.clock.close()
