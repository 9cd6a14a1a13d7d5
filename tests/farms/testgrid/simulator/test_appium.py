"""Sessions passed on to an Appium server, played by a small application."""

from __future__ import annotations

import json
from typing import Any

from support.testgrid import PACKAGE, S22, a_testgrid
from werkzeug.wrappers import Request, Response

from pytest_devicefarm.simulator.server import serve


def test_the_server_gets_the_build_and_none_of_testgrids_names() -> None:
    asked: list[Any] = []

    def application(request: Request) -> Response:
        asked.append((request.method, request.path, request.get_json(silent=True)))
        value = {"sessionId": "inner", "capabilities": {"platformName": "Android"}}
        return Response(json.dumps({"value": value}), content_type="application/json")

    with serve(Request.application(application)) as url, a_testgrid(appium=url) as farm:
        farm.install(farm.upload())
        session = farm.session(S22, platformName="Android", projectName="shop", appPackage=PACKAGE)
        farm.script(session, "tg:logs", {"testcaseName": "login"})
        farm.drive("GET", session, "/source")
        wish = asked[0][2]["capabilities"]["alwaysMatch"]
        assert not any(name.startswith("tg:") for name in wish)
        assert wish["appium:app"].endswith(".apk")
        assert [path for _, path, _ in asked] == ["/session", "/session/inner/source"]
        assert farm.world.facts()["sessions"][0]["cases"][0]["name"] == "login"
