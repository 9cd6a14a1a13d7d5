"""A simulated Kobiton in this process, on a clock that stands still until a test turns it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests

from pytest_devicefarm.farms.kobiton.simulator import create
from pytest_devicefarm.farms.kobiton.simulator.wire import KobitonWire
from pytest_devicefarm.simulator.server import serve
from pytest_devicefarm.simulator.world import World
from pytest_devicefarm.simulator.worldfile import parse_world

S22, PIXEL, IPHONE, CLOUD = "s22", "pixel", "iphone", "cloud"
UPLOAD_HEADERS = {"Content-Type": "application/octet-stream", "x-amz-tagging": "unsaved=true"}

WORLD = """
[[account]]
name = "me@example.com"
key = "key/1"
[[account]]
name = "other"
key = "key-2"
[[device]]
name = "Galaxy S22"
udid = "s22"
platform = "android"
version = "13"
manufacturer = "Samsung"
tags = ["lab"]
favourite = true
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
name = "Galaxy A54"
udid = "cloud"
platform = "android"
version = "12"
private = false
[[device]]
name = "Hidden"
udid = "hidden"
platform = "android"
version = "12"
hidden = true
[[device]]
name = "No Appium"
udid = "mute"
platform = "android"
version = "12"
appium_disabled = true
[[device]]
name = "Offline"
udid = "offline"
platform = "ios"
version = "15"
online = false
"""


def a_world(text: str = "", *, speed: float = 0, session_create: float = 0) -> World:
    return parse_world(f"delays = {{ session_create = {session_create} }}\n{WORLD}{text}", speed=speed)


@dataclass(frozen=True)
class SimulatedKobiton:
    """Plain HTTP calls on the farm, as the first account unless told otherwise."""

    wire: KobitonWire
    url: str
    account: int = 0

    @property
    def world(self) -> World:
        return self.wire.world

    def other(self) -> SimulatedKobiton:
        return SimulatedKobiton(self.wire, self.url, 1)

    def call(self, method: str, path: str, **arguments: Any) -> requests.Response:
        account = self.world.accounts[self.account]
        arguments.setdefault("auth", (account.name, account.key))
        return requests.request(method, self.url + path, timeout=10, **arguments)

    def get(self, path: str, **query: Any) -> Any:
        answer = self.call("GET", "/v1" + path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, **body: Any) -> requests.Response:
        return self.call("POST", "/v1" + path, json=body)

    def put(self, path: str, **body: Any) -> requests.Response:
        return self.call("PUT", "/v1" + path, json=body)

    def delete(self, path: str) -> requests.Response:
        return self.call("DELETE", "/v1" + path)

    def create(self, **capabilities: Any) -> requests.Response:
        """Asks for a session; names without a prefix get Kobiton's."""
        named = {name if name == "platformName" else f"kobiton:{name}": value for name, value in capabilities.items()}
        return self.call("POST", "/wd/hub/session", json={"capabilities": {"alwaysMatch": named}})

    def session(self, udid: str = S22, **capabilities: Any) -> tuple[int, str]:
        """Opens a session and gives the farm's id and WebDriver's."""
        value = self.create(udid=udid, **capabilities).json()["value"]
        return value["capabilities"]["kobitonSessionId"], value["sessionId"]

    def quit(self, webdriver_id: str) -> requests.Response:
        return self.call("DELETE", f"/wd/hub/session/{webdriver_id}")

    def upload(self, content: bytes, filename: str = "shop.apk") -> str:
        """Stores a file and gives its key."""
        target = self.post("/apps/uploadUrl", filename=filename).json()
        requests.put(target["url"].strip(), content, headers=UPLOAD_HEADERS, timeout=10).raise_for_status()
        key: str = target["appPath"]
        return key

    def build(self, content: bytes | None = None, filename: str = "shop.apk") -> int:
        """Uploads and registers a build, waits until it is parsed, and gives its version id."""
        key = self.upload(an_app() if content is None else content, filename)
        version: int = self.post("/apps", filename=filename, appPath=key).json()["versionId"]
        self.world.clock.advance(self.world.delays.parsing)
        return version

    def fails(self, operation: str, effect: str = "status", **options: Any) -> None:
        """Arms a fault."""
        answer = self.call("POST", "/_simulator/faults", json={"operation": operation, "effect": effect, **options})
        assert answer.status_code == 200, answer.text


@contextmanager
def a_kobiton(
    text: str = "", *, dialect: str = "seen", speed: float = 0, session_create: float = 0, appium: str | None = None
) -> Iterator[SimulatedKobiton]:
    """Serves a world of this module's devices, with more in `text`."""
    world = a_world(text, speed=speed, session_create=session_create)
    wire = create(world, dialect=dialect, appium=appium)
    with serve(wire) as url:
        yield SimulatedKobiton(wire, url)
    world.close()


def an_app(xml: str = '<app package="com.example.shop" version="1.4"><title>Shop</title></app>') -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.xml", xml)
    return packed.getvalue()
