"""The signed-in way to one TestGrid server: the token goes into each form, and comes out of each answer."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pytest_devicefarm.core.clock import Clock
from pytest_devicefarm.core.errors import ConfigurationError, FarmAnswerError, FarmError
from pytest_devicefarm.core.redaction import HIDDEN, redact
from pytest_devicefarm.core.settings import Secret
from pytest_devicefarm.core.transport import Download, Transport, is_loopback
from pytest_devicefarm.farms.testgrid.api._envelope import CREDENTIALS_HINT, JUDGED, judged, plain

PACE = 0.05
"""Shortest time between two calls of one client to a server elsewhere, in seconds; TestGrid documents no limit."""

UPLOAD_TIMEOUT = (30.0, 600.0)
"""Seconds for one block of a file to be sent, and longest silence while the server stores it."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A token, or what a token is got with."""

    user_token: Secret | None = None
    email: str = ""
    password: Secret | None = None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What is known of the account once there is a token; ``user_id`` is ``""`` for a token that was given."""

    token: Secret
    user_id: str = ""
    secrets: tuple[Secret, ...] = field(default=(), repr=False)


class Connection:
    """Calls of one account; usable from several threads."""

    def __init__(self, url: str, credentials: Credentials, *, clock: Clock) -> None:
        self._url = url
        self._credentials = credentials
        self._clock = clock
        self._lock = threading.Lock()
        self._account: SignedIn | None = None
        self._transports: dict[str, Transport] = {}

    def close(self) -> None:
        """Give back the connections."""
        with self._lock:
            for transport in self._transports.values():
                transport.close()
            self._transports.clear()

    @property
    def account(self) -> SignedIn:
        """The account, signed in at the first use.

        Raises:
            ConfigurationError: There is neither a token nor an e-mail address with its password.
            FarmAuthenticationError: The server does not accept them.
        """
        with self._lock:
            if self._account is None:
                self._account = self._sign_in()
            return self._account

    def ask(
        self,
        method: str,
        path: str,
        *,
        form: Mapping[str, Any],
        files: Mapping[str, Path] | None,
        repeatable: bool,
    ) -> dict[str, Any]:
        """Send a form with the token; the answer is an envelope that says success, without the token in it."""
        account = self.account
        return self._exchange(
            self._transport(self._url),
            method,
            path,
            form={"user_token": account.token.reveal(), **form},
            files=files,
            repeatable=repeatable,
            hidden=_forms(account.token),
        )

    def end(self, hub_url: str, webdriver_id: str) -> None:
        """Send Delete Session of W3C WebDriver to the Appium server at an address."""
        self._transport(hub_url).call("DELETE", f"/session/{quote(webdriver_id, safe='')}")

    def download(self, address: str, target: Path, *, limit: int) -> Download:
        """Write a file of the server to ``target``; where its address held the token, `ask` left ``***`` behind."""
        token = self.account.token
        url = address.strip().replace(HIDDEN, quote(token.reveal(), safe=""))
        try:
            return self._transport(self._url).download(url, target, limit=limit)
        except FarmError as error:
            # The path of an address may be the token, and messages name paths.
            raise type(error)(
                redact(error.message, self.account.secrets),
                method=error.method,
                path=redact(error.path or "", self.account.secrets),
                status=error.status,
                answer=error.answer,
            ) from None

    def _sign_in(self) -> SignedIn:
        """Called with the lock held; the token is a secret of every message from here on."""
        known = self._credentials
        if known.user_token is not None:
            return SignedIn(known.user_token, secrets=(known.user_token,))
        if not known.email or known.password is None:
            raise ConfigurationError(
                f"TestGrid needs a user token, or an e-mail address and its password: {CREDENTIALS_HINT}"
            )
        transport = self._connect(self._url, (known.password,))
        try:
            answer = self._exchange(
                transport,
                "POST",
                "/api/get-usertoken",
                form={"email": known.email, "password": known.password.reveal()},
                files=None,
                repeatable=True,
                hidden=(),
            )
        finally:
            transport.close()
        token = answer.get("user_token")
        if not isinstance(token, str) or not token.strip():
            raise FarmAnswerError(
                f"POST /api/get-usertoken took the password of {known.email} and gave no token. "
                "Copy one from the portal and set TESTGRID_USER_TOKEN.",
                method="POST",
                path="/api/get-usertoken",
            )
        secret = Secret(token)
        return SignedIn(secret, str(answer.get("user_id") or ""), (secret, known.password))

    def _exchange(
        self,
        transport: Transport,
        method: str,
        path: str,
        *,
        form: Mapping[str, Any],
        files: Mapping[str, Path] | None,
        repeatable: bool,
        hidden: tuple[str, ...],
    ) -> dict[str, Any]:
        answer = transport.call(
            method,
            path,
            form=form,
            files=files,
            repeatable=repeatable,
            timeout=UPLOAD_TIMEOUT if files else None,
            ok=JUDGED,
        )
        envelope = judged(answer)
        try:
            found: dict[str, Any] = plain(envelope, hidden)
        except RecursionError:
            raise FarmAnswerError(
                f"{method} {path} answered JSON that is nested too deeply",
                method=method,
                path=path,
                status=answer.status,
            ) from None
        return found

    def _transport(self, url: str) -> Transport:
        account = self.account
        with self._lock:
            if url not in self._transports:
                self._transports[url] = self._connect(url, account.secrets)
            return self._transports[url]

    def _connect(self, url: str, secrets: tuple[Secret, ...]) -> Transport:
        return Transport(
            url,
            secrets=secrets,
            clock=self._clock,
            pace=0.0 if is_loopback(url) else PACE,
            credentials_hint=CREDENTIALS_HINT,
        )


def _forms(token: Secret) -> tuple[str, ...]:
    text = token.reveal()
    return tuple({text, quote(text, safe="")})
