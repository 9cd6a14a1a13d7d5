from __future__ import annotations

import hashlib

import pytest
import requests
from support.kobiton import UPLOAD_HEADERS, SimulatedKobiton, an_app


def test_an_upload_becomes_a_build(either: SimulatedKobiton) -> None:
    version = either.build()
    facts = either.get(f"/app/versions/{version}")
    assert facts == {"id": version, "appId": 101, "name": "Shop", "state": "OK", "version": "1.4"}


def test_a_build_is_parsed_for_a_while(farm: SimulatedKobiton) -> None:
    version = farm.post("/apps", appPath=farm.upload(an_app())).json()["versionId"]
    assert farm.get(f"/app/versions/{version}")["state"] == "PARSING"


def test_a_new_app_has_a_number_at_once_as_seen(farm: SimulatedKobiton) -> None:
    assert farm.post("/apps", appPath=farm.upload(an_app())).json() == {"appId": 101, "versionId": 5001}


def test_a_new_app_has_no_number_yet_as_documented(documented: SimulatedKobiton) -> None:
    assert documented.post("/apps", appPath=documented.upload(an_app())).json() == {"appId": None, "versionId": 5001}


@pytest.mark.parametrize("form", [int, str])
def test_a_build_can_be_added_to_an_app(either: SimulatedKobiton, form: type) -> None:
    either.build()
    target = either.post("/apps/uploadUrl/", filename="shop.apk", appId=form(101)).json()
    requests.put(target["url"].strip(), an_app(), headers=UPLOAD_HEADERS, timeout=10).raise_for_status()
    assert either.post("/apps", filename="shop.apk", appPath=target["appPath"]).json()["appId"] == 101
    assert [v["id"] for v in either.get("/apps/101")["versions"]] == [5001, 5002]


def test_an_empty_app_id_means_a_new_app(farm: SimulatedKobiton) -> None:
    assert farm.post("/apps/uploadUrl", filename="shop.apk", appId="").status_code == 200


def test_form_fields_under_a_json_header_are_understood(farm: SimulatedKobiton) -> None:
    headers = {"Content-Type": "application/json"}
    answer = farm.call("POST", "/v1/apps/uploadUrl", data="filename=shop.apk", headers=headers)
    assert answer.status_code == 200


def test_the_app_list_is_wrapped_as_seen(farm: SimulatedKobiton) -> None:
    farm.build()
    assert [app["id"] for app in farm.get("/apps")["apps"]] == [101]


def test_the_app_list_is_bare_as_documented(documented: SimulatedKobiton) -> None:
    documented.build()
    [app] = documented.get("/apps")
    assert app["versions"][0]["nativeProperties"]["package"] == "com.example.shop"


def test_the_version_of_one_app_is_a_number_as_documented(documented: SimulatedKobiton) -> None:
    documented.build()
    assert documented.get("/apps/101")["versions"][0]["version"] == 1.4


def test_a_file_that_is_no_app_fails_with_a_reason(farm: SimulatedKobiton) -> None:
    version = farm.build(b"just text")
    assert farm.get(f"/app/versions/{version}")["state"] == "FAILURE: the file is not an app archive"


def test_a_fault_makes_parsing_fail(farm: SimulatedKobiton) -> None:
    farm.fails("createApplicationOrVersion", "parse_failure", reason="no manifest")
    assert farm.get(f"/app/versions/{farm.build()}")["state"] == "FAILURE: no manifest"


def test_a_private_app_is_for_its_creator_only(farm: SimulatedKobiton) -> None:
    farm.build()
    assert farm.other().get("/apps") == {"apps": []}
    assert farm.put("/apps/101/public").text == "OK"
    assert [app["id"] for app in farm.other().get("/apps")["apps"]] == [101]
    farm.put("/apps/101/private")
    assert farm.other().call("GET", "/v1/apps/101").status_code == 404


def test_deleted_apps_and_builds_are_gone(either: SimulatedKobiton) -> None:
    version = either.build()
    assert either.delete(f"/app/versions/{version}").text == ("" if either.wire.documented else "OK")
    assert either.delete(f"/app/versions/{version}").status_code == 404
    assert either.delete("/apps/101").status_code == 200
    assert either.delete("/apps/101").status_code == 404


def test_several_apps_are_deleted_at_once(farm: SimulatedKobiton) -> None:
    farm.build()
    assert farm.call("DELETE", "/v1/apps", json={"appIds": [101, 7]}).json() == {
        "deleted": 1,
        "failed": 1,
        "result": [
            {"message": "App has been deleted successfully", "appIds": [101]},
            {"message": "App id not found!", "appIds": [7]},
        ],
    }


def test_a_build_can_be_downloaded_again(farm: SimulatedKobiton) -> None:
    url = farm.get(f"/app/versions/{farm.build(an_app())}/downloadUrl")["url"]
    assert requests.get(url, timeout=10).content == an_app()


def test_the_record_counts_uploads_by_their_bytes(farm: SimulatedKobiton) -> None:
    farm.build(b"one")
    farm.build(b"one")
    farm.build(b"two")
    counts = {hashlib.sha256(b"one").hexdigest(): 2, hashlib.sha256(b"two").hexdigest(): 1}
    assert farm.world.facts()["uploads"] == counts
    assert [build["version_id"] for build in farm.world.facts()["registered"]] == [5001, 5002, 5003]


@pytest.mark.parametrize("path", ["users/1/apps/never-uploaded.apk", "users/2/apps/theirs.apk", "sessions/1/x"])
def test_only_files_uploaded_by_the_caller_can_be_registered(farm: SimulatedKobiton, path: str) -> None:
    assert farm.post("/apps", appPath=path).status_code == 400


def test_a_file_of_another_kind_gets_no_url(farm: SimulatedKobiton) -> None:
    assert farm.post("/apps/uploadUrl", filename="notes.txt").status_code == 400


def test_an_upload_against_the_signature_is_noted(farm: SimulatedKobiton) -> None:
    url = farm.post("/apps/uploadUrl", filename="a.apk").json()["url"]
    assert requests.put(url, b"x", timeout=10).status_code == 403
    [violation] = farm.world.facts()["violations"]
    assert violation["reason"].startswith("SignatureDoesNotMatch")
