"""The only place that speaks HTTP to a farm.

Two kinds of call, kept apart: authenticated ones to the farm's own address, which follow no redirects so that
credentials go nowhere else, and ones to signed addresses, whose query is the credential and which carry no other.
"""

from __future__ import annotations

import http
import http.cookiejar
import ipaddress
import itertools
import os
import threading
import weakref
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec
import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from requests_toolbelt import MultipartEncoder
from urllib3.exceptions import HTTPError

from pytest_devicefarm.core import retry, transport_errors
from pytest_devicefarm.core.bodies import FileReader
from pytest_devicefarm.core.clock import Clock
from pytest_devicefarm.core.errors import (
    ConfigurationError,
    FarmAnswerError,
)
from pytest_devicefarm.core.logs import keep_out_of_logs
from pytest_devicefarm.core.pacing import Pacer
from pytest_devicefarm.core.redaction import SignedAddress, excerpt, redact, strip_query, visible
from pytest_devicefarm.core.settings import Secret, check_address

T = TypeVar("T")
R = TypeVar("R")
Progress = Callable[[int, int], None]

LARGEST_ANSWER = 32 * 1024 * 1024
"""Bytes of an answer that is kept in memory."""

_CHUNK = 256 * 1024
_UPLOAD_TIMEOUT = (30.0, 300.0)  # the first also bounds the sending of one block, which a slow line makes long
_REPEATABLE = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the farm.

    Attributes:
        path: Path of the call as it was given, without query.
        headers: Case does not matter.
    """

    method: str
    path: str
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    secrets: tuple[Secret, ...] = field(default=(), repr=False)

    def json(self) -> Any:
        """The answer as JSON says it.

        Raises:
            FarmAnswerError: It is no JSON; carries its first characters.
        """
        return self.decode(object)

    def decode(self, kind: type[T]) -> T:
        """The answer as a value of ``kind``; members it does not know are ignored.

        Raises:
            FarmAnswerError: It is no JSON or not of that kind; carries its first characters.
        """
        try:
            return msgspec.json.decode(self.body, type=kind)
        except msgspec.ValidationError as error:
            problem = f"answered JSON that is not as documented ({visible(redact(str(error), self.secrets))})"
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            problem = "answered nothing where JSON should be" if not self.body.strip() else "answered no JSON"
        piece = excerpt(self.body, self.secrets)
        raise FarmAnswerError(
            f"{self.method} {self.path} {problem}{f': {piece}' if piece else ''}. Next step: see that the address is "
            "the farm's API and not its web page or a proxy's",
            method=self.method,
            path=self.path,
            status=self.status,
            answer=piece,
        )


@dataclass(frozen=True, slots=True)
class Download:
    """What was written by `Transport.download`.

    Attributes:
        size: Bytes.
        media_type: Without parameters, lower case; ``""`` where the answer does not say.
    """

    size: int
    media_type: str


class Transport:
    """Calls to one farm; usable from several threads.

    Args:
        base_url: Address of the API, with or without a slash at its end.
        auth: User name and key for HTTP basic authentication.
        secrets: What else must not appear in messages.
        pace: Shortest time between the starts of two calls to the farm, in seconds.
        retries: How often a call is repeated at most.
        timeout: Seconds to connect, and longest silence while reading.
        headers: Sent with every call to the farm, never to a signed address.
        credentials_hint: What to look at when the farm does not accept the credentials.
    """

    def __init__(
        self,
        base_url: str,
        *,
        auth: tuple[str, Secret] | None = None,
        secrets: Iterable[Secret] = (),
        clock: Clock,
        pace: float = 0.0,
        retries: int = 3,
        timeout: tuple[float, float] = (5.0, 60.0),
        headers: Mapping[str, Secret | str] | None = None,
        credentials_hint: str = "check the user name and key of the farm in the environment or credentials.toml",
    ) -> None:
        check_address(base_url)
        self.base_url = base_url.rstrip("/")
        self._auth = auth
        self._headers = dict(headers or {})
        self._secrets = _all_secrets(auth, self._headers, secrets)
        keep_out_of_logs(self._secrets)
        self._clock = clock
        self._pacer = Pacer(clock, pace)
        self._retries = retries
        self._timeout = timeout
        self._hint = credentials_hint
        self._local = threading.local()
        self._sessions: weakref.WeakSet[requests.Session] = weakref.WeakSet()
        self._lock = threading.Lock()

    def close(self) -> None:
        """Give back the connections of all threads."""
        with self._lock:
            for session in self._sessions:
                session.close()

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        json: Any = None,
        form: Mapping[str, Any] | None = None,
        files: Mapping[str, Path] | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool | None = None,
        timeout: tuple[float, float] | None = None,
        ok: Container[int] = range(200, 300),
    ) -> Reply:
        """Ask the farm something.

        Args:
            path: Below the base address, starting with a slash.
            query: ``None`` values are left out; truth values become ``true`` and ``false``.
            json: Body; ``None`` members of its outermost object are left out.
            files: Sent as multipart form data together with ``form``, streamed.
            repeatable: Whether the call may be sent again when it is not known if it arrived; by default all but POST
                and PATCH.
            ok: Statuses that are an answer rather than an error.

        Raises:
            FarmUnreachable: No answer.
            FarmRefused: An answer with another status; `FarmAuthenticationError` and `FarmNotFound` are kinds of it.
            FarmAnswerError: A redirect, or an answer of more than 32 MB.
        """
        if isinstance(json, Mapping):
            json = {name: value for name, value in json.items() if value is not None}
        call = _Call(
            method,
            self.base_url + path,
            path=path,
            repeatable=method in _REPEATABLE if repeatable is None else repeatable,
            timeout=timeout or self._timeout,
            ok=ok,
            options={
                "params": _query(query),
                "headers": {**self._revealed_headers(), **(headers or {})},
                "auth": (self._auth[0].encode(), self._auth[1].reveal().encode()) if self._auth else None,
            },
        )
        if json is not None:
            call.options["json"] = json
        if form is not None and not files:
            call.options["data"] = _query(form)
        with ExitStack() as opened:

            def body() -> dict[str, Any]:
                if not files:
                    return {}
                opened.close()
                fields: dict[str, Any] = _query(form)
                for name, file in files.items():
                    fields[name] = (file.name, opened.enter_context(file.open("rb")), "application/octet-stream")
                encoder = MultipartEncoder(fields)
                return {"data": encoder, "headers": {**call.options["headers"], "Content-Type": encoder.content_type}}

            return self._perform(call, body, lambda response: self._reply(call, response), pacer=self._pacer)

    def put_file(
        self, url: str, file: Path, *, headers: Mapping[str, str] | None = None, progress: Progress | None = None
    ) -> Reply:
        """Upload a file to a signed address, streamed, without credentials.

        Args:
            progress: Called with bytes sent and bytes in all.
        """
        url = SignedAddress(url)
        call = _Call("PUT", url, path=_signed(url), timeout=_UPLOAD_TIMEOUT, options={"headers": dict(headers or {})})
        with ExitStack() as opened:

            def body() -> dict[str, Any]:
                opened.close()
                return {"data": FileReader(opened.enter_context(file.open("rb")), file.stat().st_size, progress)}

            return self._perform(call, body, lambda response: self._reply(call, response))

    def download(self, url: str, target: Path, *, limit: int, progress: Progress | None = None) -> Download:
        """Fetch a signed address into a file, streamed, without credentials.

        Args:
            limit: Most bytes to write.
            progress: Called with bytes written and bytes in all (0 where unknown).

        Raises:
            FarmAnswerError: More than ``limit`` bytes.
            FarmNotFound: It is not there, or the address has expired.
            FarmUnreachable: No answer, or fewer bytes than it announced.
        """
        url = SignedAddress(url)
        call = _Call("GET", url, path=_signed(url), timeout=self._timeout, longest=1800.0, redirects=True)

        def write(response: requests.Response) -> Download:
            total = _content_length(response)
            done = 0
            with target.open("wb") as out:
                for chunk in self._chunks(call, response):
                    done += len(chunk)
                    if max(done, total) > limit:
                        raise self._too_large(call, limit)
                    out.write(chunk)
                    if progress is not None:
                        progress(done, total)
            media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
            return Download(done, media_type)

        return self._perform(call, dict, write)

    def _perform(
        self,
        call: _Call,
        body: Callable[[], dict[str, Any]],
        read: Callable[[requests.Response], R],
        *,
        pacer: Pacer | None = None,
    ) -> R:
        """Send the call, again where that is safe and may help, and read the answer worth having."""
        __tracebackhide__ = True
        for attempt in itertools.count():
            last = attempt >= self._retries
            if pacer is not None:
                pacer.wait()
            try:
                with self._send(call, body()) as response:
                    wait = retry.retry_after(response.headers, self._clock.time())
                    again = retry.worth_repeating(
                        response.status_code, repeatable=call.repeatable, asked_to_wait=wait is not None
                    )
                    if last or not again or response.status_code in call.ok or (wait or 0) > retry.LONGEST_WAIT:
                        self._check(call, response, wait)
                        return read(response)
            except transport_errors.NoAnswer as failure:
                # A silence lasts as long as the patience for it: twice is enough for people to wait.
                last = last or (failure.silent and attempt > 0)
                if last or not (failure.nothing_sent or (call.repeatable and failure.passing)):
                    error = failure.error
                    break
                wait = None
            self._clock.sleep(retry.backoff(attempt) if wait is None else wait)
        # Raised outside the handler: what the HTTP library raised has the address with its query in its text.
        raise error

    def _send(self, call: _Call, body: dict[str, Any]) -> requests.Response:
        __tracebackhide__ = True
        try:
            return self._session().request(
                call.method,
                call.url,
                **{**call.options, **body},
                timeout=call.timeout,
                allow_redirects=call.redirects,
                proxies=_proxies(call.url),
                verify=os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True,
                stream=True,
            )
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            raise transport_errors.no_answer(call.method, call.path, call.url, error, self._secrets) from None
        except BaseException as interruption:  # Ctrl-C, or a time limit of the test
            # Frames of the library hold headers with credentials, and --showlocals prints them.
            raise interruption.with_traceback(None) from None

    def _check(self, call: _Call, response: requests.Response, wait: float | None) -> None:
        """Raise the error for a status that is none of those the call takes for an answer."""
        status = response.status_code
        if status in call.ok:
            return
        if status in range(300, 400) and "Location" in response.headers:
            raise transport_errors.redirected(call.method, call.path, status, response.headers["Location"])
        piece = excerpt(self._read(call, response, 64 * 1024, cut=True), self._secrets)
        raise transport_errors.refused(call.method, call.path, status, piece, hint=self._hint, wait=wait)

    def _reply(self, call: _Call, response: requests.Response) -> Reply:
        body = self._read(call, response, LARGEST_ANSWER)
        return Reply(call.method, call.path, response.status_code, response.headers, body, self._secrets)

    def _read(self, call: _Call, response: requests.Response, limit: int, *, cut: bool = False) -> bytes:
        body = bytearray()
        for chunk in self._chunks(call, response):
            body += chunk
            if len(body) > limit:
                if cut:
                    break
                raise self._too_large(call, limit)
        return bytes(body[:limit])

    def _chunks(self, call: _Call, response: requests.Response) -> Iterator[bytes]:
        __tracebackhide__ = True
        end = self._clock.monotonic() + call.longest
        # A plain read waits for a whole chunk, so a farm that sends byte by byte would never meet the deadline.
        read = getattr(response.raw, "read1", response.raw.read)
        try:
            while chunk := read(_CHUNK, decode_content=True):
                yield chunk
                if self._clock.monotonic() > end:
                    raise TimeoutError(0, f"no end after {call.longest:.0f} s")
            announced = _content_length(response)
            if call.method != "HEAD" and response.raw.tell() < announced:
                raise ConnectionError(0, f"{response.raw.tell()} of {announced} bytes came")
        except (HTTPError, ConnectionError, TimeoutError) as error:
            raise transport_errors.no_answer(
                call.method,
                call.path,
                call.url,
                error,
                self._secrets,
                what="was cut off in the middle of the answer from",
            ) from None

    def _too_large(self, call: _Call, limit: int) -> FarmAnswerError:
        return FarmAnswerError(
            f"{call.method} {call.path} answered more than the {limit} bytes that are taken from a farm",
            method=call.method,
            path=call.path,
        )

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            session.trust_env = False  # .netrc would add credentials; proxies and certificates are looked up per call
            session.max_redirects = 5
            session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
            for scheme in ("http://", "https://"):
                session.mount(scheme, HTTPAdapter(max_retries=0))
            self._local.session = session
            with self._lock:
                self._sessions.add(session)
        return session

    def _revealed_headers(self) -> dict[str, str]:
        return {name: value.reveal() if isinstance(value, Secret) else value for name, value in self._headers.items()}


@dataclass(frozen=True, slots=True)
class _Call:
    """What is sent, apart from a body that has to be made anew for each try.

    Attributes:
        timeout: Seconds to connect, and longest silence.
        longest: Seconds in which the body of the answer has to be here.
    """

    method: str
    url: str = field(repr=False)
    path: str
    timeout: tuple[float, float]
    longest: float = 300.0
    repeatable: bool = True
    redirects: bool = False
    ok: Container[int] = range(200, 300)
    options: dict[str, Any] = field(default_factory=dict, repr=False)


def _all_secrets(
    auth: tuple[str, Secret] | None, headers: Mapping[str, Secret | str], others: Iterable[Secret]
) -> tuple[Secret, ...]:
    secrets = [*others, *(value for value in headers.values() if isinstance(value, Secret))]
    if auth is not None:
        user, key = auth
        secrets += [key, Secret(f"{user}:{key.reveal()}")]
    return tuple(secrets)


def _query(values: Mapping[str, Any] | None) -> dict[str, Any]:
    def text(value: Any) -> Any:
        if isinstance(value, bool):
            return "true" if value else "false"
        return [text(one) for one in value] if isinstance(value, (list, tuple)) else str(value)

    return {name: text(value) for name, value in (values or {}).items() if value is not None}


def is_loopback(url: str) -> bool:
    """Whether an address is on this machine, where no proxy may come in between."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _proxies(url: str) -> dict[str, str]:
    return {} if is_loopback(url) else dict(get_environ_proxies(url))


def _signed(url: str) -> str:
    """What messages show of a signed address.

    Raises:
        FarmAnswerError: No request can go there; the farm gave it, so the farm is at fault.
    """
    shown = visible(strip_query(url))
    try:
        check_address(url)
    except ConfigurationError:
        raise FarmAnswerError(f"the farm gave {shown!r} where an address for a file should be") from None
    return shown


def _content_length(response: requests.Response) -> int:
    text = response.headers.get("Content-Length", "")
    return int(text) if text.isascii() and text.isdigit() else 0
