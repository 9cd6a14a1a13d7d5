from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
import requests
from werkzeug.wrappers import Request

from pytest_devicefarm.simulator.clock import Clock
from pytest_devicefarm.simulator.server import serve
from pytest_devicefarm.simulator.storage import Storage

KEY = "u/my app+1.apk"
SIGNED = {"content-type": "application/octet-stream", "x-amz-tagging": "unsaved=true"}


@dataclass
class Served:
    storage: Storage
    clock: Clock
    url: str
    uploads: list[str]

    def put_url(self, life: int = 1800) -> str:
        return self.storage.sign("PUT", self.url, KEY, life, SIGNED)

    def get_url(self) -> str:
        return self.storage.sign("GET", self.url, KEY, 7200)


@pytest.fixture
def served() -> Iterator[Served]:
    clock, uploads = Clock(speed=0), list[str]()
    storage = Storage(clock, on_upload=uploads.append)
    with serve(Request.application(storage.answer)) as url:
        yield Served(storage, clock, url, uploads)
    storage.close()


def put(url: str, data: object = b"bytes", headers: dict[str, str] | None = None) -> requests.Response:
    return requests.put(url, data=data, headers=SIGNED if headers is None else headers, timeout=10)  # type: ignore[arg-type]


def code(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.text.partition("<Code>")[2].partition("</Code>")[0]


def raw(url: str, head: str, body: bytes = b"") -> int:
    """Sends a request as it stands, then closes the sending side, and gives the status."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
        target = f"{parts.path}?{parts.query}"
        signed = "".join(f"{name}: {value}\r\n" for name, value in SIGNED.items())
        connection.sendall(f"PUT {target} HTTP/1.1\r\nHost: {parts.netloc}\r\n{signed}{head}\r\n".encode() + body)
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile() as answer:
            return int(answer.readline().split()[1])


def test_a_signature_is_that_of_other_signers() -> None:
    storage = Storage(Clock(speed=0, start=1795576474), credentials=("SIMID", "SIMSECRET"))
    url = storage.sign("PUT", "http://127.0.0.1:4711", KEY, 1800, SIGNED)
    storage.close()
    # Made by botocore's S3SigV4QueryAuth from the same key, moment, address and headers.
    assert url.endswith("X-Amz-Signature=80abf729719285fdec8afca985a6b38bcdf66eace86a122d13a320ac6d6c9180")


def test_a_put_as_signed_is_stored(served: Served) -> None:
    answer = put(served.put_url())
    assert answer.status_code == 200
    assert answer.headers["ETag"] == '"4b3a6218bb3e3a7303e8a171a60fcf92"'
    stored = served.storage.find(KEY)
    assert stored is not None
    assert stored.path.read_bytes() == b"bytes"
    assert served.uploads == [stored.sha256]


@pytest.mark.parametrize(
    ("headers", "refusal"),
    [
        ({"content-type": SIGNED["content-type"]}, "SignatureDoesNotMatch"),
        ({**SIGNED, "x-amz-tagging": "unsaved=false"}, "SignatureDoesNotMatch"),
        ({**SIGNED, "content-type": "text/plain"}, "SignatureDoesNotMatch"),
        ({**SIGNED, "x-amz-acl": "private"}, "AccessDenied"),
    ],
)
def test_other_headers_than_signed_are_refused(served: Served, headers: dict[str, str], refusal: str) -> None:
    assert code(put(served.put_url(), headers=headers)) == (403, refusal)
    assert served.storage.find(KEY) is None


def test_a_changed_signature_is_refused(served: Served) -> None:
    url = served.put_url()
    assert code(put(url[:-4] + ("0000" if url[-4:] != "0000" else "1111"))) == (403, "SignatureDoesNotMatch")


def test_another_key_in_the_path_is_refused(served: Served) -> None:
    assert code(put(served.put_url().replace("my%20app", "your%20app"))) == (403, "SignatureDoesNotMatch")


def test_a_longer_life_than_signed_is_refused(served: Served) -> None:
    assert code(put(served.put_url().replace("Expires=1800", "Expires=9000"))) == (403, "SignatureDoesNotMatch")


def test_a_url_without_a_query_is_refused(served: Served) -> None:
    assert code(put(served.put_url().partition("?")[0])) == (403, "AccessDenied")


def test_a_dead_url_is_refused(served: Served) -> None:
    url = served.put_url(life=1)
    served.clock.advance(2)
    assert code(put(url)) == (403, "AccessDenied")


def test_a_body_in_chunks_is_refused(served: Served) -> None:
    assert code(put(served.put_url(), data=iter([b"by", b"tes"]))) == (501, "NotImplemented")


def test_a_body_without_a_length_is_refused(served: Served) -> None:
    assert raw(served.put_url(), "") == 411


def test_a_short_body_stores_nothing(served: Served) -> None:
    assert raw(served.put_url(), "Content-Length: 100\r\n", b"only this") == 400
    assert served.storage.find(KEY) is None
    assert served.uploads == []
    assert list(served.storage.folder.iterdir()) == []


def test_a_refused_upload_of_some_size_still_gets_its_answer(served: Served) -> None:
    body = bytes(20_000_000)
    assert code(put(served.put_url(), data=body, headers={})) == (403, "SignatureDoesNotMatch")


def test_a_stored_file_is_read_by_a_signed_url(served: Served) -> None:
    served.storage.keep(KEY, b"content")
    answer = requests.get(served.get_url(), timeout=10)
    assert (answer.status_code, answer.content, answer.headers["Content-Length"]) == (200, b"content", "7")


def test_a_head_request_gives_the_length_only(served: Served) -> None:
    served.storage.keep(KEY, b"content")
    answer = requests.head(served.get_url(), timeout=10)
    assert (answer.status_code, answer.content, answer.headers["Content-Length"]) == (200, b"", "7")


def test_links_die_after_two_hours(served: Served) -> None:
    served.storage.keep(KEY, b"content")
    url = served.get_url()
    served.clock.advance(7199)
    assert requests.get(url, timeout=10).status_code == 200
    served.clock.advance(1)
    assert code(requests.get(url, timeout=10)) == (403, "AccessDenied")


def test_a_url_to_read_does_not_allow_to_write(served: Served) -> None:
    assert code(put(served.get_url(), headers={})) == (403, "SignatureDoesNotMatch")


def test_a_key_that_holds_nothing_is_not_found(served: Served) -> None:
    assert code(requests.get(served.get_url(), timeout=10)) == (404, "NoSuchKey")
