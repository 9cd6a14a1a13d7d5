"""The WebDriver connection to a farm's hub: it guards, records and explains, so that the driver stays unwrapped.

It never repeats a command: a tap that was sent twice is worse than one that failed.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import ParseResult, urlsplit

import urllib3
from appium.webdriver.appium_connection import AppiumConnection
from appium.webdriver.client_config import AppiumClientConfig

from pytest_devicefarm.core.clock import Clock
from pytest_devicefarm.core.errors import (
    DeviceFarmError,
    FarmAnswerError,
    FarmAuthenticationError,
    FarmError,
    FarmUnreachable,
    SessionLost,
)
from pytest_devicefarm.core.farm import Hub
from pytest_devicefarm.core.logs import keep_out_of_logs
from pytest_devicefarm.core.redaction import excerpt, redact
from pytest_devicefarm.core.settings import Secret
from pytest_devicefarm.core.transport import is_loopback
from pytest_devicefarm.core.transport_errors import reason_of

CONNECT_SECONDS = 10.0
CREATE_SECONDS = 1800.0  # copying and installing a large build is part of the create
COMMAND_SECONDS = 900.0
QUIT_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Command:
    """One WebDriver command as it went over the wire, typed text masked.

    Attributes:
        name: Name in the client, for example ``findElement``.
        target: What it was about: a locator, an element, an address; ``""`` for nothing.
        started: Seconds since the epoch.
        duration: Seconds.
        error: W3C error code or the kind of failure, ``""`` for success.
    """

    name: str
    target: str
    started: float
    duration: float
    error: str


class HubConnection(AppiumConnection):
    """Sends WebDriver commands to one hub.

    Args:
        hub: Address and credentials; they travel in headers, and only to this very host.
        secret_capabilities: Added while a session is asked for, taken out of the answer.
        guard: Called before each command; raises `LeaseLost` where the device is not ours any more.

    Raises (from every command):
        FarmUnreachable: The hub gave no answer to the create.
        FarmAuthenticationError: The hub does not accept the credentials.
        SessionLost: The hub is gone, or the session ended without our doing.
    """

    def __init__(
        self,
        hub: Hub,
        *,
        secret_capabilities: Mapping[str, Secret],
        guard: Callable[[], None],
        clock: Clock,
        means_lost: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._hub = hub
        self._means_lost = means_lost
        self._secrets = dict(secret_capabilities)
        self._guard = guard
        self._clock = clock
        self._quit = False
        self._limit = COMMAND_SECONDS
        self.commands: list[Command] = []
        config = AppiumClientConfig(
            remote_server_addr=hub.url,
            username=hub.username,
            password=hub.password.reveal() if hub.password else None,
            timeout=_timeout(COMMAND_SECONDS),
            init_args_for_pool_manager={"init_args_for_pool_manager": {"retries": False}},
        )
        super().__init__(client_config=config, ignore_proxy=is_loopback(hub.url))
        keep_out_of_logs(self._all_secrets())

    def get_remote_connection_headers(self, parsed_url: ParseResult, keep_alive: bool = True) -> dict[str, Any]:  # type: ignore[override]
        """Headers for one request; refuses to follow the hub to another host, where credentials would leak."""
        if parsed_url.netloc != urlsplit(self._hub.url).netloc:
            raise FarmAnswerError(
                f"the hub sent us on to {parsed_url.netloc}, where credentials may not go; check the hub address"
            )
        headers: dict[str, Any] = super().get_remote_connection_headers(parsed_url, keep_alive=keep_alive)
        return headers

    def execute(self, command: str, params: dict[str, Any]) -> Any:
        """Send one command, record it, and turn failures of the farm into our errors."""
        if command != "quit":
            self._guard()
        target = _describe(command, params)
        started, began = self._clock.time(), self._clock.monotonic()
        error = ""
        self.client_config.timeout = _timeout(
            {"newSession": CREATE_SECONDS, "quit": QUIT_SECONDS}.get(command, self._limit)
        )
        try:
            answer = self._send(command, params)
            error = _error_code(answer)
            self._judge(command, answer, error)
            return answer
        except Exception as problem:
            error = error or type(problem).__name__
            raise
        except BaseException as problem:
            error = type(problem).__name__
            raise
        finally:
            self._quit = self._quit or command == "quit"
            self.commands.append(Command(command, target, started, self._clock.monotonic() - began, error))

    @contextlib.contextmanager
    def limited_to(self, seconds: float) -> Iterator[None]:
        """Wait no longer than so many seconds for the answer to each command inside."""
        former, self._limit = self._limit, seconds
        try:
            yield
        finally:
            self._limit = former

    def _send(self, command: str, params: dict[str, Any]) -> Any:
        # Frames below this one hold headers with credentials, and --showlocals prints them: whatever comes from there
        # is raised as if it came from here.
        try:
            return self._exchange(command, params)
        except (urllib3.exceptions.HTTPError, OSError) as problem:
            reason = reason_of(problem, self._all_secrets())
            if command == "newSession":
                raise FarmUnreachable(
                    f"the hub at {self._hub.url} gave no answer to the session request: {reason}. "
                    "Check the address (`devicefarm doctor`) and the network.",
                    method="POST",
                    path="/session",
                ) from None
            raise SessionLost(
                f"the hub at {self._hub.url} gave no answer to {command}: {reason}. "
                "See whether it is up (`devicefarm doctor`)."
            ) from None
        except BaseException as problem:  # Ctrl-C, or a time limit of the test
            raise problem.with_traceback(None) from None

    def _exchange(self, command: str, params: dict[str, Any]) -> Any:
        """Send one command; secrets go in on the way out, and come out of the answer."""
        if command == "newSession":
            params = _with_secrets(params, self._secrets)
        try:
            answer: Any = super().execute(command, params)  # type: ignore[no-untyped-call]
        except (AttributeError, TypeError):  # the client takes for granted that an answer is an object
            raise self._nonsense(command, 200, "JSON, but no object") from None
        status = answer.get("status") if isinstance(answer, dict) else None
        failed = isinstance(status, int) and status >= 400
        if not failed and command != "newSession":
            return answer  # what the app under test says is the test's business
        return _redacted(_without(answer, self._secrets), self._all_secrets())

    def _judge(self, command: str, answer: Any, error: str) -> None:
        status = answer.get("status") if isinstance(answer, dict) else None
        if not isinstance(status, int) or status < 400:
            if command == "newSession":
                self._check_created(answer)
            return
        text = str(answer.get("value", ""))
        if status in (401, 403) and not error:
            raise FarmAuthenticationError(
                f"the hub at {self._hub.url} does not accept the credentials ({status}): {text[:200]}",
                method="POST",
                path="/session",
                status=status,
                answer=text[:200],
            )
        # Of an answer that is not WebDriver's, the client would make a success or a KeyError.
        if not error and not self._quit and (command == "quit" or not _is_webdriver(text)):
            raise self._nonsense(command, status, text)
        if command == "newSession" or self._quit:
            return
        if error and self._means_lost(text):
            words = _piece(_message(text))
            raise SessionLost(f"the session ended before the test did: {command} was answered with {words}.")
        if error == "invalid session id" and command != "quit":
            raise SessionLost(
                f"the session ended before the test did: {command} was answered with {error!r}. "
                "Idle too long, ended in the farm's portal, or the device went away; the farm's session page tells."
            )
        if not error and status >= 500:
            raise self._nonsense(command, status, text)

    def _check_created(self, answer: Any) -> None:
        """Refuse what the client would take for a session although nothing can be done with it."""
        value = answer.get("value") if isinstance(answer, dict) else None
        if not isinstance(value, dict) or not isinstance(value.get("sessionId"), str) or not value["sessionId"]:
            raise self._no_hub(200, value if isinstance(value, str) else json.dumps(value, default=str))

    def _nonsense(self, command: str, status: int, text: str) -> DeviceFarmError:
        """The error for an answer that no hub would give."""
        if command == "newSession":
            return self._no_hub(status, text)
        return SessionLost(
            f"the hub answered {command} with {status}: {_piece(text)}. See whether it is up (`devicefarm doctor`)."
        )

    def _no_hub(self, status: int, text: str) -> FarmError:
        """The error for an answer to the session request that no hub would give; a session may have come up or not."""
        kind = FarmUnreachable if status >= 500 else FarmAnswerError
        return kind(
            f"the hub at {self._hub.url} answered the session request with {status} and no session: {_piece(text)}. "
            "Check that the address is that of the hub (--farm-hub-url, `devicefarm doctor`), and not of a web page.",
            method="POST",
            path="/session",
            status=status,
            answer=_piece(text),
        )

    def _all_secrets(self) -> list[Secret]:
        password = self._hub.password
        if password is None:
            return list(self._secrets.values())
        return [*self._secrets.values(), password, Secret(f"{self._hub.username}:{password.reveal()}")]


def _timeout(read: float) -> Any:
    # The client's type says a number, but it hands the value to urllib3 unread; a connect must not take minutes.
    return urllib3.Timeout(connect=CONNECT_SECONDS, read=read)


def _error_code(answer: Any) -> str:
    """The W3C error code of an answer (W3C WebDriver, Handling Errors), ``""`` where it holds none."""
    value = answer.get("value") if isinstance(answer, dict) else None
    if isinstance(value, str) and isinstance(answer.get("status"), int) and answer["status"] >= 400:
        try:
            value = json.loads(value)
        except ValueError:
            return ""
        value = value.get("value") if isinstance(value, dict) else None
    if isinstance(value, dict) and isinstance(value.get("error"), str):
        return str(value["error"])
    return ""


def _message(text: str) -> str:
    value = json.loads(text).get("value")
    return str(value.get("message", "")) if isinstance(value, dict) else ""


def _is_webdriver(text: str) -> bool:
    """Whether an answer has the one member that every WebDriver answer has (W3C WebDriver, Protocol)."""
    try:
        answer = json.loads(text)
    except ValueError:
        return False
    return isinstance(answer, dict) and "value" in answer


def _piece(text: str) -> str:
    return excerpt(text.encode("utf-8", "replace"))


def _with_secrets(params: dict[str, Any], secrets: Mapping[str, Secret]) -> dict[str, Any]:
    capabilities = params["capabilities"]
    always = {**capabilities.get("alwaysMatch", {}), **{name: secret.reveal() for name, secret in secrets.items()}}
    return {**params, "capabilities": {**capabilities, "alwaysMatch": always}}


def _without(answer: Any, names: Mapping[str, Secret]) -> Any:
    if isinstance(answer, dict):
        return {key: _without(value, names) for key, value in answer.items() if key not in names}
    return answer


def _redacted(answer: Any, secrets: list[Secret]) -> Any:
    match answer:
        case dict():
            return {key: _redacted(value, secrets) for key, value in answer.items()}
        case list():
            return [_redacted(value, secrets) for value in answer]
        case str():
            return redact(answer, secrets)
    return answer


def _describe(command: str, params: Mapping[str, Any]) -> str:
    if "using" in params:
        return f"{params['using']}={params['value']}"
    if "text" in params or (command == "sendKeysToElement" and "value" in params):
        return f"{params.get('id', '')} <{len(str(params.get('text', '')))} characters>".strip()
    for key in ("id", "url", "script", "orientation", "name"):
        if isinstance(params.get(key), str):
            return str(params[key])[:200]
    return ""
