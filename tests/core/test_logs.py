"""Neither what the HTTP libraries log nor what frames of theirs hold gives a secret away."""

from __future__ import annotations

import base64
import json
import logging
import signal
import socket
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import pytest
from support.clocks import ManualClock
from support.web import Answer, answering

from pytest_devicefarm.core.connection import HubConnection
from pytest_devicefarm.core.errors import FarmUnreachable
from pytest_devicefarm.core.farm import Hub
from pytest_devicefarm.core.settings import Secret
from pytest_devicefarm.core.transport import Transport

KEY, TOKEN, SIGNATURE = "key-canary-0123", "token-canary-4567", "0123456789abcdef" * 4
BASIC = base64.b64encode(f"ann:{KEY}".encode()).decode()


def a_connection(url: str) -> HubConnection:
    return HubConnection(
        Hub(f"{url}/wd/hub", "ann", Secret(KEY)),
        secret_capabilities={"tg:userToken": Secret(TOKEN)},
        guard=lambda: None,
        clock=ManualClock(),
    )


def ask_for_session(connection: HubConnection) -> object:
    return connection.execute("newSession", {"capabilities": {"firstMatch": [{}], "alwaysMatch": {}}})


@contextmanager
def answering_never() -> Iterator[str]:
    """A server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def shown(trace: TracebackType | None) -> str:
    """Everything that a traceback with local variables prints."""
    return "".join(str(frame.f_locals) for frame, _ in traceback.walk_tb(trace))


def test_a_secret_capability_is_sent_and_neither_given_back_nor_logged(caplog: pytest.LogCaptureFixture) -> None:
    echo = {"value": {"sessionId": "1", "capabilities": {"tg:userToken": TOKEN, "note": f"{TOKEN} {KEY} {BASIC}"}}}
    with caplog.at_level(logging.DEBUG), answering(Answer(body=json.dumps(echo).encode())) as server:
        answer = ask_for_session(a_connection(server.url))
    assert TOKEN in server.asked[0].body.decode()
    assert "/wd/hub/session" in caplog.text
    for secret in (KEY, TOKEN, BASIC):
        assert secret not in caplog.text
        assert secret not in str(answer)


def test_an_error_that_repeats_the_credentials_is_redacted() -> None:
    echo = {"value": {"error": "unknown error", "message": f"{KEY} {BASIC}", "stacktrace": f"ann:{KEY}"}}
    with answering(Answer(500, json.dumps(echo).encode())) as server:
        answer = a_connection(server.url).execute("getPageSource", {"sessionId": "1"})
    assert "***" in str(answer)
    assert KEY not in str(answer)
    assert BASIC not in str(answer)


def test_what_the_app_shows_is_given_to_the_test_as_it_is() -> None:
    with answering(Answer(body=json.dumps({"value": f"password={KEY}"}).encode())) as server:
        answer = a_connection(server.url).execute("getPageSource", {"sessionId": "1"})
    assert answer["value"] == f"password={KEY}"


def test_no_frame_of_a_failed_create_holds_a_secret() -> None:
    with answering(Answer(hang_up=True)) as server, pytest.raises(FarmUnreachable) as failed:
        ask_for_session(a_connection(server.url))
    locals_ = shown(failed.tb)
    for secret in (KEY, TOKEN, BASIC):
        assert secret not in locals_


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timer signals on this system")
@pytest.mark.parametrize("way", ["hub", "farm"])
def test_no_frame_of_an_interrupted_call_holds_a_secret(way: str) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with answering_never() as url:
        hub, farm = a_connection(url), Transport(url, auth=("ann", Secret(KEY)), clock=ManualClock())
        ask: Callable[[], object] = (lambda: ask_for_session(hub)) if way == "hub" else (lambda: farm.call("GET", "/"))
        former = signal.signal(signal.SIGALRM, interrupt)
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        try:
            with pytest.raises(KeyboardInterrupt) as stopped:
                ask()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, former)
        farm.close()
    locals_ = shown(stopped.tb)
    for secret in (KEY, TOKEN, BASIC):
        assert secret not in locals_


def test_a_signature_is_not_logged_and_not_in_a_frame(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    with caplog.at_level(logging.DEBUG), answering(Answer(hang_up=True)) as server:
        transport = Transport(server.url, clock=ManualClock(), retries=0)
        address = f"{server.url}/file?X-Amz-Credential={TOKEN}&X-Amz-Signature={SIGNATURE}"
        with pytest.raises(FarmUnreachable) as failed:
            transport.download(address, tmp_path / "file", limit=10)
        transport.close()
    with caplog.at_level(logging.DEBUG), answering(Answer()) as server:
        transport = Transport(server.url, clock=ManualClock())
        transport.download(address.replace(address.split("/file")[0], server.url), tmp_path / "file", limit=10)
        transport.close()
    below = failed.tb.tb_next  # the frame of this test holds the address by right
    assert "/file?X-Amz-Credential=***" in caplog.text
    assert SIGNATURE not in caplog.text
    assert SIGNATURE not in shown(below)
    assert SIGNATURE not in str(failed.value)
