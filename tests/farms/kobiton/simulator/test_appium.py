"""Sessions passed on to an Appium server, played by a small application."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.kobiton import S22, SimulatedKobiton, a_kobiton, an_app
from werkzeug.wrappers import Request, Response

from pytest_devicefarm.simulator.server import serve

MAPPING = """
[appium]
capabilities = { platformName = "Fake", "appium:automationName" = "Fake", "appium:app" = "{app_xml}" }
"""


class Appium:
    """Answers new sessions with their capabilities, and anything else with what it is told."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.answer = Response(json.dumps({"value": "done"}), content_type="application/json")

    def application(self, request: Request) -> Response:
        body: Any = request.get_json(silent=True)
        self.asked.append((request.method, request.path, body))
        if request.method == "POST" and request.path == "/session" and self.answer.status_code == 200:
            value = {"sessionId": "inner", "capabilities": body["capabilities"]["alwaysMatch"]}
            return Response(json.dumps({"value": value}), content_type="application/json")
        return self.answer


@pytest.fixture
def appium() -> Appium:
    return Appium()


@pytest.fixture
def farm(appium: Appium) -> Iterator[SimulatedKobiton]:
    with serve(Request.application(appium.application)) as url, a_kobiton(MAPPING, appium=url) as farm:
        yield farm


def test_capabilities_are_rewritten_for_the_server(farm: SimulatedKobiton, appium: Appium) -> None:
    version = farm.build(an_app())
    answer = farm.create(udid=S22, platformName="Android", app=f"kobiton-store:v{version}")
    asked = appium.asked[0][2]["capabilities"]["alwaysMatch"]
    assert (asked["platformName"], asked["appium:automationName"]) == ("Fake", "Fake")
    assert "<title>Shop</title>" in Path(asked["appium:app"]).read_text()
    assert not any(name.startswith("kobiton:") for name in asked)
    returned = answer.json()["value"]["capabilities"]
    assert (returned["kobitonSessionId"], returned["udid"]) == (3001, S22)


@pytest.mark.parametrize("mapping", ["", '[appium]\ncapabilities = { "appium:app" = "{app}" }'])
def test_a_build_is_handed_over_under_a_name_that_ends_as_its_own(appium: Appium, mapping: str) -> None:
    with serve(Request.application(appium.application)) as url, a_kobiton(mapping, appium=url) as farm:
        content = an_app()
        version = farm.build(content, "Shop.APK")
        for _ in range(2):
            answer = farm.create(udid=S22, app=f"kobiton-store:v{version}").json()
            farm.quit(answer["value"]["sessionId"])
        handed = [Path(body["capabilities"]["alwaysMatch"]["appium:app"]) for _, _, body in appium.asked if body]
        assert [path.suffix for path in handed] == [".apk", ".apk"]
        assert handed[0].read_bytes() == content


def test_a_build_without_a_description_is_said_so(farm: SimulatedKobiton) -> None:
    empty_zip = b"PK\x05\x06" + bytes(18)
    answer = farm.create(udid=S22, app=f"kobiton-store:v{farm.build(empty_zip)}")
    assert answer.json()["value"]["message"].startswith("shop.apk holds no app.xml")
    assert farm.world.facts()["open_sessions"] == []


def test_commands_are_passed_on(farm: SimulatedKobiton, appium: Appium) -> None:
    _, session = farm.session()
    answer = farm.call("POST", f"/wd/hub/session/{session}/element/a/click", json={"x": 1})
    assert answer.json() == {"value": "done"}
    assert appium.asked[-1] == ("POST", "/session/inner/element/a/click", {"x": 1})


def test_errors_come_back_unchanged(farm: SimulatedKobiton, appium: Appium) -> None:
    _, session = farm.session()
    appium.answer = Response("  {odd}", 404, content_type="application/json")
    answer = farm.call("GET", f"/wd/hub/session/{session}/source")
    assert (answer.status_code, answer.text) == (404, "  {odd}")


def test_a_session_the_server_refuses_is_an_error(farm: SimulatedKobiton, appium: Appium) -> None:
    appium.answer = Response('{"value":{"error":"session not created"}}', 500, content_type="application/json")
    answer = farm.create(udid=S22)
    assert (answer.status_code, answer.text) == (500, '{"value":{"error":"session not created"}}')
    assert farm.get("/sessions/3001")["state"] == "ERROR"


def test_a_dead_server_is_a_gateway_without_a_hub() -> None:
    with serve(Request.application(Appium().application)) as url:
        pass
    with a_kobiton(appium=url) as farm:
        answer = farm.create(udid=S22)
    assert (answer.status_code, answer.headers["Content-Type"]) == (502, "text/html")
    assert "<h1>502 Bad Gateway</h1>" in answer.text


def test_the_end_is_passed_on(farm: SimulatedKobiton, appium: Appium) -> None:
    _, session = farm.session()
    farm.quit(session)
    assert appium.asked[-1][:2] == ("DELETE", "/session/inner")
