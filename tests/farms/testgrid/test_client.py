from __future__ import annotations

import json
from typing import Any

import pytest
from farms.testgrid.opening import (
    LIST,
    LOGIN_PAGE,
    PASSWORD,
    TOKEN,
    a_device,
    a_server,
    open_farm,
    refuses,
    says,
)
from support.web import Answer

from pytest_devicefarm.core.errors import (
    ConfigurationError,
    FarmAnswerError,
    FarmAuthenticationError,
    FarmError,
    FarmNotFound,
    FarmRefused,
)
from pytest_devicefarm.core.settings import Secret
from pytest_devicefarm.farms.testgrid import TestGridAPI
from pytest_devicefarm.farms.testgrid.api._envelope import plain, worked


def api(url: str) -> TestGridAPI:
    return TestGridAPI(url, user_token=TOKEN)


@pytest.mark.parametrize("outcome", [{"success": True}, {"success": 1}, {"status": "1"}, {"status": True}])
def test_success_has_many_spellings(outcome: dict[str, Any]) -> None:
    assert worked(outcome)


@pytest.mark.parametrize(
    "outcome", [{"success": False}, {"status": 0}, {"status": "0"}, {"success": None}, {"success": []}]
)
def test_anything_else_is_no_success(outcome: dict[str, Any]) -> None:
    assert not worked(outcome)


def test_success_is_judged_before_a_status_that_means_something_else() -> None:
    assert worked({"success": True, "status": "Accepted"})


def test_every_call_is_a_post_with_the_token_in_its_form() -> None:
    with a_server({LIST: says(data=[])}) as server, api(server.url) as client:
        client.devices.list()
        asked = server.asked[0]
    assert (asked.method, asked.target) == ("POST", LIST)
    assert server.forms(LIST) == [{"user_token": TOKEN}]


def test_the_server_may_live_below_a_path() -> None:
    with a_server({f"/build{LIST}": says(data=[])}) as server, api(f"{server.url}/build/") as client:
        assert client.devices.list().devices == ()


def test_a_refusal_with_status_200_carries_the_farms_words() -> None:
    with (
        a_server({LIST: refuses("Licence has ended")}) as server,
        api(server.url) as client,
        pytest.raises(FarmRefused, match="Licence has ended") as caught,
    ):
        client.devices.list()
    assert not isinstance(caught.value, FarmAuthenticationError)


@pytest.mark.parametrize(
    "answer",
    [
        LOGIN_PAGE,
        refuses("Invalid user token"),
        refuses("User token is missing."),
        refuses("These credentials are not valid."),
        Answer(302, b"", {"Location": "/login"}),
        Answer(401, b'{"success": false, "message": "no"}'),
    ],
)
def test_a_token_that_is_not_accepted_names_the_variables(answer: Answer) -> None:
    with (
        a_server({LIST: answer}) as server,
        api(server.url) as client,
        pytest.raises(FarmAuthenticationError, match="TESTGRID_USER_TOKEN"),
    ):
        client.devices.list()


def test_a_wrong_application_token_is_not_about_the_account() -> None:
    path = "/ci/networklog"
    with (
        a_server({path: refuses("application_token is invalid")}) as server,
        api(server.url) as client,
        pytest.raises(FarmRefused) as caught,
    ):
        client.executions.network_log(application_token=Secret("x"), build_test_id=1)
    assert not isinstance(caught.value, FarmAuthenticationError)


def test_a_page_at_a_path_that_is_not_there_is_about_the_address() -> None:
    with (
        a_server({LIST: Answer(404, b"<html>nothing here</html>")}) as server,
        api(server.url) as client,
        pytest.raises(FarmNotFound, match="TESTGRID_URL"),
    ):
        client.devices.list()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"null"',
        b'{"data": []}',
        b'{"success": true, "data": [{',
        b'{"success": true,}',
        b'{"success": true, "data": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    ],
)
def test_garbage_is_a_clear_error(body: bytes) -> None:
    with (
        a_server({LIST: Answer(body=body)}) as server,
        api(server.url) as client,
        pytest.raises(FarmAnswerError, match=LIST),
    ):
        client.devices.list()


@pytest.mark.parametrize(
    "content",
    [
        {"data": "null"},
        {"data": None},
        {"data": "[]"},
        {"data": {}},
        {"devices": {"ios": [], "android": []}},
        {"message": "none"},
    ],
)
def test_nothing_has_many_spellings(content: dict[str, Any]) -> None:
    with a_server({LIST: says(**content)}) as server, api(server.url) as client:
        assert client.devices.list().devices == ()


@pytest.mark.parametrize(
    "content",
    [
        {"data": [a_device()]},
        {"data": a_device()},
        {"devices": {"ios": [], "android": [a_device()]}},
        {"data": json.dumps([a_device()])},
    ],
)
def test_one_device_has_many_spellings(content: dict[str, Any]) -> None:
    with a_server({LIST: says(**content)}) as server, api(server.url) as client:
        (device,) = client.devices.list().devices
    assert (device.udid, device.device_name) == ("U-3", "Galaxy S21")


def test_a_broken_element_is_a_note_and_not_the_end() -> None:
    with a_server({LIST: says(data=[a_device(), 7, {"UDID": "no id"}])}) as server, api(server.url) as client:
        found = client.devices.list()
    assert len(found.devices) == 1
    assert len(found.problems) == 2


def test_odd_spellings_of_members_are_read() -> None:
    path = "/devicecloud/api/GetAppiumCapabilities"
    answer = says(
        data={"device_id": "5", "appiumURL": "https://x.test/wd/hub", "deviceName": "iPhone", "wdaLocalPort": 1}
    )
    with a_server({path: answer}) as server, api(server.url) as client:
        device = client.devices.details(device_id=5)
    assert (device.appium_url, device.device_name, str(device.wda_local_port)) == (
        "https://x.test/wd/hub",
        "iPhone",
        "1",
    )


def test_the_token_never_enters_an_answer() -> None:
    answer = says(data={"app_build_id": "7", "user_token": TOKEN, "file_name": f"/x/{TOKEN}/shop.apk"})
    path = "/api/user/buildinfo/7/"
    with a_server({path: answer}) as server, api(server.url) as client:
        assert TOKEN not in repr(client.apps.build(7))


def test_the_token_is_put_back_into_the_address_of_a_file(tmp_path: Any) -> None:
    log = "/api/user/device-logs/3/"
    with a_server({log: says(log_file_url="")}) as server:
        address = f"{server.url}/logs/{TOKEN}/DeviceLog.txt"
        answers = {log: says(log_file_url=address), f"/logs/{TOKEN}/DeviceLog.txt": Answer(body=b"the log")}
        with a_server(answers) as second, api(second.url) as client:
            shown = client.devices.log(3).log_file_url
            client.files.download(shown.replace(server.url, second.url), tmp_path / "log", limit=100)
    assert TOKEN not in shown
    assert (tmp_path / "log").read_bytes() == b"the log"


def test_a_file_that_is_not_there_does_not_give_the_token_away(tmp_path: Any) -> None:
    with a_server({}) as server, api(server.url) as client, pytest.raises(FarmNotFound) as caught:
        client.files.download(f"{server.url}/logs/***/x.txt", tmp_path / "log", limit=100)
    assert TOKEN in server.asked[0].target
    assert TOKEN not in f"{caught.value} {caught.value.path}"


def test_a_token_in_an_error_is_hidden() -> None:
    with (
        a_server({LIST: refuses(f"no licence for {TOKEN}")}) as server,
        api(server.url) as client,
        pytest.raises(FarmError) as caught,
    ):
        client.devices.list()
    assert TOKEN not in f"{caught.value} {caught.value.answer}"


def test_an_address_and_a_password_bring_a_token_once() -> None:
    answers = {"/api/get-usertoken": says(user_id=1, user_token=TOKEN), LIST: says(data=[])}
    with a_server(answers) as server, TestGridAPI(server.url, email="ann@x.test", password=PASSWORD) as client:
        client.devices.list()
        client.devices.list()
        assert client.connection.account.user_id == "1"
    assert server.forms("/api/get-usertoken") == [{"email": "ann@x.test", "password": PASSWORD}]
    assert server.forms(LIST)[1] == {"user_token": TOKEN}


def test_a_token_that_was_fetched_is_hidden_in_later_errors() -> None:
    answers = {"/api/get-usertoken": says(user_token=TOKEN), LIST: refuses(f"odd {TOKEN} and {PASSWORD}")}
    with (
        a_server(answers) as server,
        TestGridAPI(server.url, email="ann@x.test", password=PASSWORD) as client,
        pytest.raises(FarmError) as caught,
    ):
        client.devices.list()
    assert TOKEN not in str(caught.value)
    assert PASSWORD not in str(caught.value)


def test_half_an_answer_to_the_login_does_not_show_the_token() -> None:
    answers = {"/api/get-usertoken": Answer(body=b'{"success": true, "user_token": "' + TOKEN.encode())}
    with (
        a_server(answers) as server,
        TestGridAPI(server.url, email="ann@x.test", password=PASSWORD) as client,
        pytest.raises(FarmAnswerError) as caught,
    ):
        client.devices.list()
    assert TOKEN not in f"{caught.value} {caught.value.answer}"


def test_a_wrong_password_is_about_the_credentials() -> None:
    answers = {"/api/get-usertoken": refuses("Incorrect password")}
    with (
        a_server(answers) as server,
        TestGridAPI(server.url, email="ann@x.test", password="wrong") as client,
        pytest.raises(FarmAuthenticationError, match="TESTGRID_PASSWORD"),
    ):
        client.devices.list()


def test_a_login_without_a_token_says_so() -> None:
    with (
        a_server({"/api/get-usertoken": says(user_id=1)}) as server,
        TestGridAPI(server.url, email="ann@x.test", password=PASSWORD) as client,
        pytest.raises(FarmAnswerError, match="gave no token"),
    ):
        client.devices.list()


@pytest.mark.parametrize(("secrets", "values"), [({}, {}), ({}, {"email": "ann@x.test"}), ({"password": PASSWORD}, {})])
def test_a_farm_without_a_way_to_sign_in_names_all_variables(secrets: dict[str, str], values: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        open_farm("https://x.test", secrets=secrets, **values)
    assert all(name in str(caught.value) for name in ("TESTGRID_USER_TOKEN", "TESTGRID_EMAIL", "TESTGRID_PASSWORD"))


def test_a_hub_that_is_neither_one_nor_the_other_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="TESTGRID_HUB"):
        open_farm("https://x.test", hub="both")


def test_a_fetched_token_becomes_a_secret_of_the_farm() -> None:
    answers = {"/api/get-usertoken": says(user_token=TOKEN)}
    with a_server(answers) as server:
        farm = open_farm(server.url, secrets={"password": PASSWORD}, email="ann@x.test")
        assert farm.secret_capabilities()["tg:userToken"].reveal() == TOKEN
        assert farm.settings.secret("user_token").reveal() == TOKEN


def test_the_account_shows_no_token() -> None:
    farm = open_farm("https://x.test/build/")
    assert farm.account.startswith("x.test/build account-")
    assert TOKEN not in farm.account


def test_of_two_spellings_of_a_member_the_one_with_a_value_counts() -> None:
    assert plain({"UDID": "a", "udid": ""}, ()) == {"udid": "a"}
    assert plain({"udid": "", "UDID": "a"}, ()) == {"udid": "a"}
