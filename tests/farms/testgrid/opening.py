"""How tests open a TestGrid farm, and a server on loopback that gives prepared answers by path."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast
from urllib.parse import parse_qs

from support.clocks import ManualClock
from support.web import Answer, Asked, ScriptedServer

from pytest_devicefarm.core.clock import Clock
from pytest_devicefarm.core.settings import FarmSettings, Secret
from pytest_devicefarm.farms.testgrid import SPEC
from pytest_devicefarm.farms.testgrid.farm import TestGridFarm

TOKEN = "t0ken-canary-0123456789"
PASSWORD = "pa55-canary-0123456789"
LIST = "/api/get-user-devices"
LOGIN_PAGE = Answer(body=b"<!DOCTYPE html><html><title>Login</title><form></form></html>", headers={})


def open_farm(
    url: str, clock: Clock | None = None, *, secrets: Mapping[str, str] | None = None, **values: Any
) -> TestGridFarm:
    kept = {"user_token": TOKEN} if secrets is None else secrets
    settings = FarmSettings("testgrid", {"url": url, **values}, {name: Secret(text) for name, text in kept.items()})
    return cast(TestGridFarm, SPEC.open(settings, clock=clock or ManualClock()))


def says(**members: Any) -> Answer:
    """An envelope of success around something."""
    return Answer(body=json.dumps({"success": True, **members}).encode())


def refuses(message: str, **members: Any) -> Answer:
    return Answer(body=json.dumps({"success": False, "message": message, **members}).encode())


class AnsweringByPath(ScriptedServer):
    """Gives the answers of each path in turn, the last one for ever; other paths are not found."""

    def __init__(self, answers: Mapping[str, Answer | list[Answer]]) -> None:
        super().__init__()
        self._by_path = {path: [one] if isinstance(one, Answer) else list(one) for path, one in answers.items()}

    def take(self, asked: Asked) -> Answer:
        with self._lock:
            self.asked.append(asked)
            left = self._by_path.get(asked.target, [Answer(404, b"{}")])
            return left.pop(0) if len(left) > 1 else left[0]

    def forms(self, path: str) -> list[dict[str, str]]:
        """The forms that were sent to a path."""
        return [
            {name: values[0] for name, values in parse_qs(one.body.decode(), keep_blank_values=True).items()}
            for one in self.asked
            if one.target == path
        ]


@contextmanager
def a_server(answers: Mapping[str, Answer | list[Answer]]) -> Iterator[AnsweringByPath]:
    with AnsweringByPath(answers) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def a_device(**members: Any) -> dict[str, Any]:
    """A device as the reference lists it, free and connected."""
    flags = ("generator", "build", "local_execution", "device_cloud", "virtual_usb")
    idle = {f"is_run_{name}": "0" for name in flags}
    troubles = ("offline", "device_offline", "unauthorised", "rebooting", "reserved", "preparing", "cleaning")
    idle |= {f"is_{name}": "0" for name in troubles}
    return {
        "device_id": "3",
        "UDID": "U-3",
        "device_type": "2",
        "device_name": "Galaxy S21",
        "platform_name": "android",
        "platform_version": "14",
        "manufactured_by": "Samsung",
        "tags": "lab, fast",
        "system_port": "4106",
        "wda_local_port": "",
        "automation_name": "UiAutomator2",
        "appium_url": "https://example.test/appium_38106/wd/hub",
        "device_simulation_type": "Real",
        "is_connected": "1",
        **idle,
        **members,
    }
