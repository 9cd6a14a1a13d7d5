from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import closing
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from werkzeug.wrappers import Request, Response

from pytest_devicefarm.simulator.server import ConnectionDropped, serve


@Request.application
def echo(request: Request) -> Response:
    return Response(f"{request.method} {request.path} {len(request.get_data())}")


def dropping(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    raise ConnectionDropped


def test_any_verb_reaches_the_application() -> None:
    with serve(echo) as url:
        assert requests.request("PURGE", f"{url}/a%20b", data=b"123", timeout=10).text == "PURGE /a b 3"


def test_a_connection_serves_many_requests() -> None:
    with serve(echo) as url, closing(HTTPConnection(urlsplit(url).netloc, timeout=10)) as connection:
        sockets = set()
        for number in range(3):
            connection.request("POST", f"/{number}", body=bytes(number))
            assert connection.getresponse().read().decode() == f"POST /{number} {number}"
            sockets.add(connection.sock)
        assert len(sockets) == 1
        assert None not in sockets


def test_many_connections_are_served_at_once() -> None:
    together = threading.Barrier(20)

    @Request.application
    def meeting(request: Request) -> Response:
        together.wait(10)
        return Response("met")

    with serve(meeting) as url:
        answers: list[str] = []
        threads = [
            threading.Thread(target=lambda: answers.append(requests.get(url, timeout=10).text)) for _ in range(20)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    assert answers == ["met"] * 20


def test_an_application_can_break_off_a_connection() -> None:
    with serve(dropping) as url, pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=10)


def test_a_stopped_server_leaves_no_connection_open() -> None:
    with serve(echo) as url:
        connection = socket.create_connection((urlsplit(url).hostname, urlsplit(url).port), timeout=10)
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(1)
    with connection:
        while connection.recv(1024):
            pass


def test_only_loopback_is_served() -> None:
    with serve(echo) as url:
        assert urlsplit(url).hostname == "127.0.0.1"
