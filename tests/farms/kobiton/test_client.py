from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import msgspec
import pytest
from farms.kobiton.opening import KEY
from support.web import Answer, answering

from pytest_devicefarm.core.clock import SystemClock
from pytest_devicefarm.core.errors import ConfigurationError, FarmAnswerError
from pytest_devicefarm.core.replies import read
from pytest_devicefarm.farms.kobiton import SPEC, KobitonAPI
from pytest_devicefarm.farms.kobiton.api._reply import Answer as Listing
from pytest_devicefarm.farms.kobiton.api._reply import Reply
from pytest_devicefarm.farms.kobiton.api.addresses import hub_url, portal_url, rest_url


class Part(Reply, frozen=True):
    id: int
    name: str = ""
    note: str | None = None


class Whole(Listing, frozen=True):
    parts: tuple[Part, ...] = ()


HEAVY = ("requests", "selenium", "appium", "msgspec", "rich", "click", "filelock", "packaging", "tomllib", "werkzeug")


def test_the_package_gives_the_client_without_loading_anything_heavy() -> None:
    script = (
        "import sys; from pytest_devicefarm.farms.kobiton import SPEC, KobitonAPI; "
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout == "[]\n"


def test_the_client_works_without_a_farm(url: str) -> None:
    with KobitonAPI(url, username="ann", api_key=KEY, clock=SystemClock()) as kobiton:
        assert kobiton.users.me().username == "ann"
        assert kobiton.devices.get("PRIVATE-1").device_name == "Galaxy S22"
        assert kobiton.devices.status(1).is_online
        assert [
            device.udid for device in kobiton.devices.list(platform_name="IOS", is_booked=False).private_devices
        ] == ["PRIVATE-2"]


def test_the_key_shows_nowhere_in_the_client() -> None:
    kobiton = KobitonAPI(username="ann", api_key=KEY)
    assert KEY not in repr(vars(kobiton))


def test_ids_are_escaped_in_paths() -> None:
    device = Answer(body=b'{"id": 1}')
    with answering(device) as server, KobitonAPI(server.url, username="ann", api_key="k") as kobiton:
        kobiton.devices.get("../users/me?x=1")
    assert server.asked[0].target == "/v1/devices/..%2Fusers%2Fme%3Fx%3D1"


def test_arguments_that_were_not_given_are_not_sent() -> None:
    answer = Answer(body=b'{"url": "u", "appPath": "p"}')
    with answering(answer) as server, KobitonAPI(server.url, username="ann", api_key="k") as kobiton:
        kobiton.apps.upload_url(filename="shop.apk")
    assert json.loads(server.asked[0].body) == {"filename": "shop.apk"}


@pytest.mark.parametrize("body", [[{"id": 1}], {"reservations": [{"id": 1}]}, {"id": 1}])
def test_a_list_is_read_bare_wrapped_or_alone(body: Any) -> None:
    answer = Answer(body=json.dumps(body).encode())
    with answering(answer) as server, KobitonAPI(server.url, username="ann", api_key="k") as kobiton:
        assert [one.id for one in kobiton.reservations.list(start=0, end=1).reservations] == [1]


def test_an_answer_that_lacks_what_matters_says_which_call_gave_it() -> None:
    answer = Answer(body=b'{"appPath": "p"}')
    with (
        answering(answer) as server,
        KobitonAPI(server.url, username="ann", api_key="k") as kobiton,
        pytest.raises(FarmAnswerError, match=r"POST /apps/uploadUrl.*UploadUrl"),
    ):
        kobiton.apps.upload_url(filename="shop.apk")


def test_unknown_and_missing_fields_are_tolerated() -> None:
    assert read({"id": 1, "new": True}, Part) == Part(1)


def test_a_field_of_the_wrong_type_counts_as_missing() -> None:
    assert read({"id": "1", "name": {}, "note": []}, Part) == Part(1)


def test_a_number_where_text_is_documented_becomes_text() -> None:
    assert read({"id": 1, "name": 1.2, "note": 3}, Part) == Part(1, "1.2", "3")


def test_an_unreadable_element_is_told_and_left_out() -> None:
    whole = read({"parts": [{"id": 1}, {"name": "no id"}, 5, None]}, Whole)
    assert whole.parts == (Part(1),)
    assert len(whole.problems) == 3


def test_an_answer_without_its_id_cannot_be_read() -> None:
    with pytest.raises(msgspec.ValidationError):
        read({"name": "x"}, Part)


def test_signatures_do_not_show() -> None:
    assert "s3cret" not in repr(Part(1, "https://storage.example/file?Signature=s3cret"))


@pytest.mark.parametrize(
    "url",
    [
        "https://api.kobiton.com",
        "https://api.kobiton.com/",
        "https://api.kobiton.com/v1",
        "https://api.kobiton.com/v1/",
    ],
)
def test_all_addresses_come_from_the_servers(url: str) -> None:
    assert rest_url(url) == "https://api.kobiton.com/v1"
    assert hub_url(url) == "https://api.kobiton.com/wd/hub"
    assert portal_url(url) == "https://portal.kobiton.com"


def test_a_custom_domain_has_its_own_portal() -> None:
    assert portal_url("https://api-acme.kobiton.com") == "https://portal-acme.kobiton.com"
    assert portal_url("http://127.0.0.1:4711/v1") == "http://127.0.0.1:4711"


def test_an_address_with_credentials_is_refused_without_repeating_them() -> None:
    with pytest.raises(ConfigurationError) as caught:
        rest_url("https://ann:s3cret@api.kobiton.com")
    assert "s3cret" not in str(caught.value)


def test_every_artifact_of_kobiton_comes_late() -> None:
    assert set(SPEC.artifacts.values()) == {"late"}


def test_what_cannot_be_done_has_its_reason() -> None:
    assert not SPEC.renew
    assert "prolong" in SPEC.cannot["renew"]
