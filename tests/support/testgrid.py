"""A simulated TestGrid in this process, on a clock that stands still until a test turns it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import requests
from support.kobiton import an_app

from pytest_devicefarm.farms.testgrid.simulator import create
from pytest_devicefarm.farms.testgrid.simulator.devices import appium_port
from pytest_devicefarm.farms.testgrid.simulator.wire import TestGridWire
from pytest_devicefarm.simulator.server import serve
from pytest_devicefarm.simulator.world import World
from pytest_devicefarm.simulator.worldfile import parse_world

S22, PIXEL, IPHONE = "1001", "1002", "1003"
"""Ids of the devices that can be used."""
PACKAGE = "com.example.shop"
TIME = "%Y-%m-%d %H:%M:%S"

WORLD = """
[[account]]
name = "me@example.com"
key = "token/1"
[[account]]
name = "other"
key = "token-2"
[[device]]
name = "Galaxy S22"
udid = "s22"
platform = "android"
version = "13"
manufacturer = "Samsung"
tags = ["lab"]
[[device]]
name = "Pixel 8"
udid = "pixel"
platform = "android"
version = "14"
[[device]]
name = "iPhone 15"
udid = "iphone"
platform = "ios"
version = "17.4"
[[device]]
name = "Hidden"
udid = "hidden"
platform = "android"
version = "12"
hidden = true
[[device]]
name = "Offline"
udid = "offline"
platform = "ios"
version = "15"
online = false
"""


@dataclass(frozen=True)
class SimulatedTestGrid:
    """Plain HTTP calls on the farm, as the first account unless told otherwise."""

    wire: TestGridWire
    url: str
    account: int = 0

    @property
    def world(self) -> World:
        return self.wire.world

    @property
    def token(self) -> str:
        return self.world.accounts[self.account].key

    def other(self) -> SimulatedTestGrid:
        return SimulatedTestGrid(self.wire, self.url, 1)

    def send(self, path: str, **form: Any) -> requests.Response:
        """Posts a form with the token; values that are files go as multipart."""
        files = {name: form.pop(name) for name in ("upload_file",) if name in form}
        form.setdefault("user_token", self.token)
        return requests.post(self.url + path, data=form, files=files or None, timeout=10)

    def call(self, path: str, **form: Any) -> Any:
        """What a call that works answers."""
        answer = self.send(path, **form)
        said = answer.json()
        assert said.get("success", said.get("status")) in (True, 1), answer.text
        return said

    def refused(self, path: str, **form: Any) -> str:
        """The text of a call that is refused."""
        answer = self.send(path, **form)
        said = answer.json()
        assert answer.status_code == 200
        assert said.get("success", said.get("status")) in (False, 0), answer.text
        text: str = said.get("message", said.get("msg"))
        return text

    def flags(self, device_id: str) -> dict[str, int]:
        """The flags that are set on a device, but for the one that says it is online."""
        data = self.call("/devicecloud/api/GetAppiumCapabilities", device_id=device_id)["data"]
        return {n: v for n, v in data.items() if n.startswith("is_") and v != 0 and n != "is_connected"}

    # Bookings

    def date(self, seconds: float) -> str:
        """So many seconds from now, as the farm writes times in UTC."""
        return datetime.fromtimestamp(self.world.clock.calendar() + seconds, UTC).strftime(TIME)

    def slot(self, device_id: str = S22, *, start: float = 0, end: float = 600, **more: Any) -> dict[str, Any]:
        """The form of a booking."""
        times = {"start_date_time": self.date(start), "end_date_time": self.date(end), "timezone": "UTC"}
        return {"device_id": device_id, "comments": "ours", **times, **more}

    def book(self, device_id: str = S22, **more: Any) -> str:
        """Books a device and gives the id."""
        path = f"/api/user/reservedevice/{self.world.accounts[self.account].id}/"
        number: str = self.call(path, **self.slot(device_id, **more))["device_reservation_id"]
        return number

    # Builds

    def upload(self, content: bytes | None = None, filename: str = "shop.apk", platform: str = "2") -> str:
        """Uploads a build of no application and gives its id."""
        file = (filename, an_app() if content is None else content)
        number: str = self.call("/api/app-upload", platform=platform, upload_file=file)["app_build_id"]
        return number

    def installed(self, device_id: str = S22) -> list[str]:
        """The bundle ids on a device."""
        return [app["bundle_id"] for app in self.call(f"/api/user/installed-app/{device_id}/")["data"]]

    def install(self, build: str, device_id: str = S22) -> None:
        """Installs a build and waits until it is there."""
        self.call("/api/app-install", app_build_id=build, device_id=device_id)
        self.world.clock.advance(self.world.delays.parsing + self.world.delays.installing)

    # Sessions

    def hub(self, device_id: str | None = S22) -> str:
        """Path of a device's Appium server, or of the common hub."""
        device = next((d for d in self.world.devices if str(d.id) == device_id), None)
        return "/quantumgrid/wd/hub" if device is None else f"/appium_{appium_port(device)}/wd/hub"

    def create(self, device_id: str | None = S22, **capabilities: Any) -> requests.Response:
        """Asks for a session; names get TestGrid's prefix or Appium's."""
        own = ("userToken", "projectName", "queue", "queueTimeout", "tags")
        wish = {
            name if name in ("platformName", "browserName") else f"{'tg' if name in own else 'appium'}:{name}": value
            for name, value in {"userToken": self.token, **capabilities}.items()
        }
        body = {"capabilities": {"alwaysMatch": wish}}
        return requests.post(f"{self.url}{self.hub(device_id)}/session", json=body, timeout=10)

    def session(self, device_id: str | None = S22, **capabilities: Any) -> str:
        """Opens a session and gives WebDriver's id."""
        answer = self.create(device_id, **capabilities)
        assert answer.status_code == 200, answer.text
        session: str = answer.json()["value"]["sessionId"]
        return session

    def drive(
        self, method: str, session: str, command: str = "", body: Any = None, *, device_id: str | None = S22
    ) -> requests.Response:
        """Sends one command."""
        url = f"{self.url}{self.hub(device_id)}/session/{session}{command}"
        return requests.request(method, url, json=body, timeout=10)

    def script(self, session: str, name: str, argument: Any) -> requests.Response:
        """Tells the farm about test cases."""
        return self.drive("POST", session, "/execute/sync", {"script": name, "args": [argument]})

    def quit(self, session: str, device_id: str | None = S22) -> requests.Response:
        return self.drive("DELETE", session, device_id=device_id)

    def fails(self, operation: str, effect: str = "status", **options: Any) -> None:
        """Arms a fault."""
        body = json.dumps({"operation": operation, "effect": effect, **options})
        answer = requests.post(f"{self.url}/_simulator/faults", body, timeout=10)
        assert answer.status_code == 200, answer.text


@contextmanager
def a_testgrid(
    text: str = "", *, dialect: str = "seen", speed: float = 0, session_create: float = 0, appium: str | None = None
) -> Iterator[SimulatedTestGrid]:
    """Serves a world of this module's devices, with more in `text`."""
    world = parse_world(f"delays = {{ session_create = {session_create} }}\n{WORLD}{text}", speed=speed)
    wire = create(world, dialect=dialect, appium=appium)
    with serve(wire) as url:
        yield SimulatedTestGrid(wire, url)
    world.close()
