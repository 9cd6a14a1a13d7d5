from __future__ import annotations

import email.utils
import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from support.clocks import ManualClock
from support.web import Answer, answering

from pytest_devicefarm.core.errors import (
    ConfigurationError,
    FarmAnswerError,
    FarmAuthenticationError,
    FarmError,
    FarmNotFound,
    FarmRefused,
    FarmUnreachable,
)
from pytest_devicefarm.core.settings import Secret
from pytest_devicefarm.core.transport import LARGEST_ANSWER, Transport, is_loopback

KEY = "k3y-canary-0123456789"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def transport_to(clock: ManualClock) -> Iterator[Callable[..., Transport]]:
    opened: list[Transport] = []

    def make(url: str, **options: Any) -> Transport:
        transport = Transport(url, auth=("ann", Secret(KEY)), clock=clock, **options)
        opened.append(transport)
        return transport

    yield make
    for transport in opened:
        transport.close()


TransportTo = Callable[..., Transport]


def a_closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


# asking


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_base_address_may_end_in_a_slash(transport_to: TransportTo, slash: str) -> None:
    with answering() as server:
        transport_to(f"{server.url}/v1{slash}").call("GET", "/devices")
    assert server.asked[0].target == "/v1/devices"


@pytest.mark.parametrize("address", ["api.example.com", "ftp://api.example.com", "http://", "http://host:port"])
def test_an_address_no_request_can_go_to_is_refused_at_once(transport_to: TransportTo, address: str) -> None:
    with pytest.raises(ConfigurationError, match=r"has to look like https://"):
        transport_to(address)


def test_credentials_in_an_address_are_refused_without_being_shown(transport_to: TransportTo) -> None:
    with pytest.raises(ConfigurationError) as caught:
        transport_to(f"https://ann:{KEY}@api.example.com")
    assert "carries credentials" in str(caught.value)
    assert KEY not in str(caught.value)


def test_values_that_are_not_there_are_not_sent(transport_to: TransportTo) -> None:
    with answering() as server:
        transport_to(server.url).call(
            "POST", "/apps", query={"page": None, "own": True, "id": [1, 2]}, json={"name": "shop", "note": None}
        )
    assert server.asked[0].target == "/apps?own=true&id=1&id=2"
    assert server.asked[0].body == b'{"name": "shop"}'


def test_calls_to_the_farm_carry_user_and_key(transport_to: TransportTo) -> None:
    with answering() as server:
        transport_to(server.url).call("GET", "/devices")
    assert server.asked[0].headers["Authorization"].startswith("Basic ")


def test_secret_headers_are_sent_and_kept_out_of_messages(clock: ManualClock) -> None:
    with answering(Answer(400, f"bad token {KEY}".encode())) as server:
        transport = Transport(server.url, headers={"userToken": Secret(KEY)}, clock=clock)
        with pytest.raises(FarmRefused) as caught:
            transport.call("GET", "/devices")
        transport.close()
    assert server.asked[0].headers["userToken"] == KEY
    assert KEY not in str(caught.value)


def test_netrc_adds_no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, clock: ManualClock) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login ann password from-netrc\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with answering() as server:
        transport = Transport(server.url, clock=clock)
        transport.call("GET", "/devices")
        transport.close()
    assert "Authorization" not in server.asked[0].headers


def test_cookies_are_not_kept(transport_to: TransportTo) -> None:
    with answering(Answer(headers={"Set-Cookie": "session=1; Path=/"})) as server:
        transport = transport_to(server.url)
        transport.call("GET", "/devices")
        transport.call("GET", "/devices")
    assert "Cookie" not in server.asked[1].headers


def test_files_go_as_a_form(transport_to: TransportTo, tmp_path: Path) -> None:
    build = tmp_path / "shop.apk"
    build.write_bytes(b"bytes of the build")
    with answering() as server:
        transport_to(server.url).call("POST", "/upload", form={"name": "Shop", "note": None}, files={"file": build})
    body = server.asked[0].body
    assert server.asked[0].headers["Content-Type"].startswith("multipart/form-data")
    assert b'filename="shop.apk"' in body
    assert b"bytes of the build" in body
    assert b"note" not in body


# proxies


def test_a_proxy_of_the_environment_is_used(transport_to: TransportTo, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering() as proxy:
        for name in ("NO_PROXY", "no_proxy", "http_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        transport_to("http://farm.example").call("GET", "/devices")
    assert proxy.asked[0].target == "http://farm.example/devices"


def test_loopback_never_goes_through_a_proxy(transport_to: TransportTo, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{a_closed_port()}")
    with answering() as server:
        assert transport_to(server.url).call("GET", "/devices").status == 200


def test_hosts_of_no_proxy_are_asked_directly(transport_to: TransportTo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "farm.invalid")
    with answering() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        with pytest.raises(FarmUnreachable):
            transport_to("http://farm.invalid", retries=0).call("GET", "/devices")
    assert not proxy.asked


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://localhost:1/wd/hub", True),
        ("http://127.3.2.1", True),
        ("http://[::1]:4723", True),
        ("http://farm.localhost", True),
        ("http://10.0.0.1", False),
        ("https://localhost.example.com", False),
    ],
)
def test_loopback_is_told_from_other_addresses(url: str, here: bool) -> None:
    assert is_loopback(url) is here


# answers


class Listed(msgspec.Struct):
    devices: list[str]


def test_an_answer_becomes_the_type_asked_for(transport_to: TransportTo) -> None:
    with answering(Answer(body=b'{"devices": ["one"], "more": 1}')) as server:
        assert transport_to(server.url).call("GET", "/devices").decode(Listed) == Listed(["one"])


def test_html_where_json_should_be_is_quoted(transport_to: TransportTo) -> None:
    with answering(Answer(body=b"<html>\n<title>Sign in</title>\x1b[2J")) as server:
        reply = transport_to(server.url).call("GET", "/devices")
    with pytest.raises(
        FarmAnswerError, match=r"GET /devices answered no JSON: <html> <title>Sign in</title>\\x1b\[2J\."
    ):
        reply.json()


def test_json_of_another_shape_names_the_place(transport_to: TransportTo) -> None:
    with answering(Answer(body=b'{"devices": [1]}')) as server:
        reply = transport_to(server.url).call("GET", "/devices")
    with pytest.raises(FarmAnswerError, match=r"not as documented .*\$\.devices\[0\]"):
        reply.decode(Listed)


def test_half_a_json_is_an_error_that_carries_its_start(transport_to: TransportTo) -> None:
    with answering(Answer(body=b'{"devices": ["one"')) as server:
        reply = transport_to(server.url).call("GET", "/devices")
    with pytest.raises(FarmAnswerError) as caught:
        reply.json()
    assert caught.value.answer == '{"devices": ["one"'


def test_a_json_nested_beyond_reason_is_an_error(transport_to: TransportTo) -> None:
    with answering(Answer(body=b"[" * 200_000)) as server:
        reply = transport_to(server.url).call("GET", "/devices")
    with pytest.raises(FarmAnswerError):
        reply.json()


def test_an_answer_that_does_not_end_is_given_up(transport_to: TransportTo) -> None:
    with answering(Answer(body=b" " * (LARGEST_ANSWER + 1))) as server, pytest.raises(FarmAnswerError, match="bytes"):
        transport_to(server.url).call("GET", "/devices")


def test_an_answer_that_unpacks_without_end_is_given_up(transport_to: TransportTo) -> None:
    bomb = gzip.compress(bytes(LARGEST_ANSWER + 1))
    with (
        answering(Answer(body=bomb, headers={"Content-Encoding": "gzip"})) as server,
        pytest.raises(FarmAnswerError, match="bytes that are taken from a farm"),
    ):
        transport_to(server.url).call("GET", "/devices")


def test_an_answer_that_drips_meets_a_deadline() -> None:
    class HurriedClock(ManualClock):
        def monotonic(self) -> float:
            self.advance(200)
            return super().monotonic()

    with answering(Answer(body=b" " * 10**6)) as server:
        transport = Transport(server.url, clock=HurriedClock(), retries=0)
        with pytest.raises(FarmUnreachable, match="no end after 300 s"):
            transport.call("GET", "/devices")
        transport.close()


def test_an_answer_cut_short_is_no_answer(transport_to: TransportTo) -> None:
    with answering(Answer(body=b"{", length=100)) as server:
        with pytest.raises(FarmUnreachable, match="cut off in the middle"):
            transport_to(server.url).call("GET", "/devices")
        assert len(server.asked) == 4


def test_a_redirect_is_not_followed_with_credentials(transport_to: TransportTo) -> None:
    elsewhere = "https://login.example.com/sso?token=abc"
    with answering(Answer(302, headers={"Location": elsewhere})) as server:
        with pytest.raises(FarmAnswerError, match=r"redirected \(302\) to https://login\.example\.com/sso,") as caught:
            transport_to(server.url).call("GET", "/devices")
        assert len(server.asked) == 1
    assert "abc" not in str(caught.value)


# errors


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, FarmRefused),
        (401, FarmAuthenticationError),
        (403, FarmAuthenticationError),
        (404, FarmNotFound),
        (410, FarmNotFound),
        (500, FarmRefused),
        (799, FarmRefused),
    ],
)
def test_each_status_has_its_error(transport_to: TransportTo, status: int, kind: type[FarmError]) -> None:
    with answering(Answer(status, b'{"message": "no"}')) as server, pytest.raises(FarmRefused) as caught:
        transport_to(server.url, retries=0).call("GET", "/devices", query={"page": 1})
    assert type(caught.value) is kind
    assert (caught.value.method, caught.value.path, caught.value.status) == ("GET", "/devices", status)


def test_a_refusal_reads_as_a_sentence_with_the_next_step(transport_to: TransportTo) -> None:
    with answering(Answer(401, b'{"message": "who?"}')) as server:
        transport = transport_to(server.url, credentials_hint="check KOBITON_API_KEY")
        with pytest.raises(FarmAuthenticationError) as caught:
            transport.call("GET", "/devices")
    assert str(caught.value) == (
        'GET /devices answered 401 Unauthorized: {"message": "who?"}. Next step: check KOBITON_API_KEY'
    )


def test_a_refusal_shows_neither_keys_nor_signatures(transport_to: TransportTo) -> None:
    body = f'{{"echo": "ann:{KEY}", "url": "https://s3/x?a=1&X-Amz-Signature=5ec7e7", "userToken": "t0ken"}}'
    with answering(Answer(400, body.encode())) as server, pytest.raises(FarmRefused) as caught:
        transport_to(server.url).call("GET", "/devices")
    assert not [leak for leak in (KEY, "5ec7e7", "t0ken") if leak in str(caught.value)]


def test_a_long_refusal_is_cut(transport_to: TransportTo) -> None:
    with answering(Answer(400, b"x" * 100_000)) as server, pytest.raises(FarmRefused) as caught:
        transport_to(server.url).call("GET", "/devices")
    assert len(caught.value.answer) == 200


def test_a_status_that_the_call_expects_is_an_answer(transport_to: TransportTo) -> None:
    with answering(Answer(404)) as server:
        assert transport_to(server.url).call("DELETE", "/sessions/1", ok=(200, 404)).status == 404


def test_an_address_that_does_not_answer_is_named(transport_to: TransportTo) -> None:
    with pytest.raises(
        FarmUnreachable, match=r"GET /devices got no answer from 127\.0\.0\.1:\d+: Connection refused\..*--farm-url"
    ):
        transport_to(f"http://127.0.0.1:{a_closed_port()}").call("GET", "/devices")


# repeating


def test_a_call_that_may_be_repeated_survives_a_bad_gateway(transport_to: TransportTo) -> None:
    with answering(Answer(502), Answer(504), Answer(body=b"[]")) as server:
        assert transport_to(server.url).call("GET", "/devices").json() == []


def test_repeats_are_bounded_and_wait_longer_each_time(transport_to: TransportTo, clock: ManualClock) -> None:
    with answering(Answer(503)) as server:
        with pytest.raises(FarmRefused):
            transport_to(server.url, retries=4).call("GET", "/devices")
        assert len(server.asked) == 5
    assert all(0.5 * base <= wait <= base for wait, base in zip(clock.sleeps, [0.5, 1, 2, 4], strict=True))


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
def test_a_post_that_may_have_arrived_is_not_repeated(transport_to: TransportTo, status: int) -> None:
    with answering(Answer(status), Answer()) as server:
        with pytest.raises(FarmRefused):
            transport_to(server.url).call("POST", "/reservations", json={})
        assert len(server.asked) == 1


def test_a_post_whose_answer_was_lost_is_not_repeated(transport_to: TransportTo) -> None:
    with answering(Answer(hang_up=True), Answer()) as server:
        with pytest.raises(FarmUnreachable):
            transport_to(server.url).call("POST", "/reservations", json={})
        assert len(server.asked) == 1


@pytest.mark.parametrize("turned_away", [Answer(429), Answer(503, headers={"Retry-After": "1"})])
def test_a_post_that_was_turned_away_is_repeated(transport_to: TransportTo, turned_away: Answer) -> None:
    with answering(turned_away, Answer()) as server:
        assert transport_to(server.url).call("POST", "/reservations", json={}).status == 200


def test_a_post_that_found_nobody_is_repeated(transport_to: TransportTo, clock: ManualClock) -> None:
    with pytest.raises(FarmUnreachable):
        transport_to(f"http://127.0.0.1:{a_closed_port()}", retries=2).call("POST", "/reservations")
    assert len(clock.sleeps) == 2


def test_a_post_declared_harmless_is_repeated(transport_to: TransportTo) -> None:
    with answering(Answer(500), Answer()) as server:
        transport_to(server.url).call("POST", "/search", repeatable=True)
        assert len(server.asked) == 2


def test_seconds_of_retry_after_are_waited(transport_to: TransportTo, clock: ManualClock) -> None:
    with answering(Answer(429, headers={"Retry-After": "7"}), Answer()) as server:
        transport_to(server.url).call("GET", "/devices")
    assert clock.sleeps == [7.0]


def test_a_date_of_retry_after_is_waited_for(transport_to: TransportTo, clock: ManualClock) -> None:
    date = email.utils.formatdate(clock.time() + 9, usegmt=True)
    with answering(Answer(503, headers={"Retry-After": date}), Answer()) as server:
        transport_to(server.url).call("GET", "/devices")
    assert clock.sleeps == [9.0]


@pytest.mark.parametrize("nonsense", ["soon", "-5", "", "Mon, 99 Foo 2026 99:99:99 GMT"])
def test_a_retry_after_without_sense_does_no_harm(transport_to: TransportTo, nonsense: str) -> None:
    with answering(Answer(429, headers={"Retry-After": nonsense}), Answer()) as server:
        assert transport_to(server.url).call("GET", "/devices").status == 200


def test_a_farm_that_asks_for_an_hour_is_not_waited_for(transport_to: TransportTo, clock: ManualClock) -> None:
    with (
        answering(Answer(429, headers={"Retry-After": "3600"})) as server,
        pytest.raises(FarmRefused, match="asks to come back in 3600 s"),
    ):
        transport_to(server.url).call("GET", "/devices")
    assert clock.sleeps == []


# pace and threads


def test_calls_of_one_farm_keep_their_distance(transport_to: TransportTo, clock: ManualClock) -> None:
    with answering() as server:
        transport = transport_to(server.url, pace=2.0)
        for _ in range(3):
            transport.call("GET", "/devices")
    assert clock.sleeps == [2.0, 2.0]


def test_threads_share_the_pace_but_not_the_connection(transport_to: TransportTo, clock: ManualClock) -> None:
    with answering() as server:
        transport = transport_to(server.url, pace=1.0)
        threads = [threading.Thread(target=transport.call, args=("GET", "/devices")) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert len(server.asked) == 4
    assert clock.time() >= ManualClock().time() + 3


def test_a_farm_that_takes_the_call_and_is_silent_is_asked_twice_at_most(transport_to: TransportTo) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        transport = transport_to(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=(1.0, 0.1))
        with pytest.raises(FarmUnreachable, match=r"no answer in time\..*--farm-url"):
            transport.call("GET", "/devices")
        silent.settimeout(0.2)
        calls = 0
        with suppress(TimeoutError):
            while True:
                silent.accept()[0].close()
                calls += 1
    assert calls == 2
