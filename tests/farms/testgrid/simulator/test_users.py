from __future__ import annotations

import pytest
import requests
from support.testgrid import SimulatedTestGrid


def test_password_and_address_bring_the_token(either: SimulatedTestGrid) -> None:
    told = either.wire.environment(either.url)
    form = {"email": told["TESTGRID_EMAIL"], "password": told["TESTGRID_PASSWORD"]}
    said = requests.post(f"{either.url}/api/get-usertoken", data=form, timeout=10).json()
    assert (said["user_token"], said["user_id"], said["teams"]) == (told["TESTGRID_USER_TOKEN"], 1, "[]")


@pytest.mark.parametrize("encoding", ["files", "json", "data"])
def test_every_encoding_of_a_form_is_understood(farm: SimulatedTestGrid, encoding: str) -> None:
    told = farm.wire.environment(farm.url)
    form = {"email": told["TESTGRID_EMAIL"], "password": told["TESTGRID_PASSWORD"]}
    body = {name: (None, value) for name, value in form.items()} if encoding == "files" else form
    said = requests.post(f"{farm.url}/api/get-usertoken", timeout=10, **{encoding: body}).json()  # type: ignore[arg-type]
    assert said["user_token"] == farm.token


def test_a_wrong_password_is_a_false_envelope(either: SimulatedTestGrid) -> None:
    assert "not valid" in either.refused("/api/get-usertoken", email="me@example.com", password="wrong")


def test_a_wrong_token_gets_the_login_page(farm: SimulatedTestGrid) -> None:
    answer = farm.send("/api/get-user-devices", user_token="wrong")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "Login" in answer.text


def test_a_wrong_token_is_a_false_envelope_as_documented(documented: SimulatedTestGrid) -> None:
    assert "not valid" in documented.refused("/api/get-user-devices", user_token="wrong")


def test_a_form_without_a_token_is_refused(documented: SimulatedTestGrid) -> None:
    answer = requests.post(f"{documented.url}/api/get-user-devices", timeout=10)
    assert answer.json()["success"] is False


def test_one_sees_oneself(either: SimulatedTestGrid) -> None:
    data = either.call("/api/user/list")["data"]
    own = data if either.wire.documented else data[0]
    assert (own["user_id"], own["email"]) == (1, "me@example.com")


def test_yes_is_spelled_in_two_ways(farm: SimulatedTestGrid, documented: SimulatedTestGrid) -> None:
    assert farm.call("/api/user/list")["success"] == 1
    assert documented.call("/api/user/list")["success"] is True


def test_slashes_at_the_end_do_not_matter(farm: SimulatedTestGrid) -> None:
    assert farm.call("/api/get-user-devices/")["success"]


def test_an_unknown_path_is_a_page_and_noted(farm: SimulatedTestGrid) -> None:
    assert farm.send("/api/nonsense").status_code == 404
    assert len(farm.world.facts()["violations"]) == 1


def test_an_unknown_field_is_refused_and_noted(farm: SimulatedTestGrid) -> None:
    assert "did you mean 'udid'" in farm.refused("/devicecloud/api/GetAppiumCapabilities", uddi="s22")
    assert len(farm.world.facts()["violations"]) == 1
