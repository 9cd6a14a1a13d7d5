"""Object storage with presigned URLs, strict about what the signature covers (AWS Signature Version 4, query form).

Refusals carry the codes of the real service in XML and close the connection; a short body stores nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import mimetypes
import secrets
import shutil
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO
from urllib.parse import parse_qsl, quote, urlsplit
from xml.sax.saxutils import escape

from werkzeug.wrappers import Request, Response
from werkzeug.wsgi import FileWrapper

from pytest_devicefarm.simulator.clock import Clock

PREFIX = "/object-storage/"
"""Where storage begins on the simulator's server."""
UPLOAD_LIFE, DOWNLOAD_LIFE = 1800, 7200
"""Simulated seconds that a URL for an upload and one for a download can be used."""

_ALGORITHM = "AWS4-HMAC-SHA256"
_REGION, _SERVICE = "us-east-1", "s3"
_PIECE = 256 * 1024


class Refused(Exception):
    """A request that storage does not answer as wished; carries the HTTP status, the code and a text.

    ``avoidable`` tells whether the client broke a rule, rather than came late or was cut off.
    """

    def __init__(self, status: int, code: str, message: str, *, avoidable: bool = True) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.avoidable = avoidable


@dataclass(frozen=True)
class StoredObject:
    """A file in storage."""

    key: str
    path: Path
    size: int
    sha256: str
    md5: str
    headers: Mapping[str, str]


class Storage:
    """The objects, their URLs, and the two requests that move them.

    Args:
        clock: Decides when URLs die.
        on_upload: Told the SHA-256 of each file that a client has stored.
        on_violation: Told method, path and reason of each request that broke a rule.
        credentials: Key id and secret that sign; made at random when left out.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        on_upload: Callable[[str], None] = lambda digest: None,
        on_violation: Callable[[str, str, str], None] = lambda method, path, reason: None,
        credentials: tuple[str, str] | None = None,
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="devicefarm-storage-"))
        self._clock = clock
        self._on_upload = on_upload
        self._on_violation = on_violation
        self._id, self._secret = credentials or ("SIM" + secrets.token_hex(8).upper(), secrets.token_urlsafe(30))
        self._objects: dict[str, StoredObject] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        """Removes all files."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def find(self, key: str) -> StoredObject | None:
        """The object of this key."""
        return self._objects.get(key)

    def keep(self, key: str, content: bytes) -> str:
        """Stores bytes of the farm's own and gives their key back."""
        path = self._new_path()
        path.write_bytes(content)
        digests = hashlib.sha256(content).hexdigest(), hashlib.md5(content, usedforsecurity=False).hexdigest()
        self._objects[key] = StoredObject(key, path, len(content), *digests, headers={})
        return key

    def receive(self, key: str, source: IO[bytes]) -> StoredObject:
        """Stores a file that came with a request of the farm's API, piece by piece."""
        path = self._new_path()
        sha256, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
        with path.open("wb") as file:
            while piece := source.read(_PIECE):
                sha256.update(piece)
                md5.update(piece)
                size += file.write(piece)
        stored = StoredObject(key, path, size, sha256.hexdigest(), md5.hexdigest(), headers={})
        with self._lock:
            self._objects[key] = stored
        self._on_upload(stored.sha256)
        return stored

    def sign(self, method: str, base: str, key: str, life: int, headers: Mapping[str, str] | None = None) -> str:
        """A URL that allows one kind of request on one key.

        Args:
            method: PUT or GET.
            base: Scheme and host that the client will use.
            key: Where the object is, or will be.
            life: Simulated seconds until it dies.
            headers: Headers the client has to send just so, names in lower case.
        """
        host = urlsplit(base).netloc
        signed = {"host": host, **(headers or {})}
        stamp = datetime.fromtimestamp(self._clock.now(), UTC).strftime("%Y%m%dT%H%M%SZ")
        path = PREFIX + quote(key, safe="/-_.~")
        query = {
            "X-Amz-Algorithm": _ALGORITHM,
            "X-Amz-Credential": f"{self._id}/{stamp[:8]}/{_REGION}/{_SERVICE}/aws4_request",
            "X-Amz-Date": stamp,
            "X-Amz-Expires": str(life),
            "X-Amz-SignedHeaders": ";".join(sorted(signed)),
        }
        signature = _signature(self._secret, method, path, query, signed)
        return f"{base.rstrip('/')}{path}?{_canonical(query)}&X-Amz-Signature={signature}"

    def answer(self, request: Request) -> Response:
        """Answers a PUT, GET or HEAD on a signed URL."""
        try:
            key = self._authorised(request)
            if request.method == "PUT":
                return self._put(request, key)
            return self.deliver(key, head=request.method == "HEAD")
        except Refused as refusal:
            if refusal.avoidable:
                self._on_violation(request.method, request.path, f"{refusal.code}: {refusal}")
            return refused(refusal.status, refusal.code, str(refusal))

    def _authorised(self, request: Request) -> str:
        path, _, raw_query = request.environ["RAW_URI"].partition("?")
        query = dict(parse_qsl(raw_query, keep_blank_values=True))
        signature = query.pop("X-Amz-Signature", "")
        if not signature:
            raise Refused(403, "AccessDenied", "The request is not signed.")
        self._check_life(query)
        names = query.get("X-Amz-SignedHeaders", "").split(";")
        for name, _ in request.headers:
            if name.lower().startswith("x-amz-") and name.lower() not in names:
                raise Refused(403, "AccessDenied", f"Header {name.lower()} was sent but is not signed.")
        received = {name: request.headers.get(name, "") for name in names}
        method = "GET" if request.method == "HEAD" else request.method
        if not hmac.compare_digest(_signature(self._secret, method, path, query, received), signature):
            raise Refused(403, "SignatureDoesNotMatch", "The signature does not fit the request.")
        return request.path.removeprefix(PREFIX)

    def _check_life(self, query: Mapping[str, str]) -> None:
        try:
            made = datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
            dead = made + int(query["X-Amz-Expires"])
        except (KeyError, ValueError):
            raise Refused(403, "AccessDenied", "The URL does not say how long it lives.") from None
        if self._clock.now() >= dead:
            raise Refused(403, "AccessDenied", "Request has expired", avoidable=False)

    def _put(self, request: Request, key: str) -> Response:
        if "chunked" in request.headers.get("Transfer-Encoding", "").lower():
            raise Refused(501, "NotImplemented", "Transfer-Encoding is not understood; send Content-Length.")
        if request.content_length is None:
            raise Refused(411, "MissingContentLength", "Content-Length is required.")
        stored = self._stream(request, key, request.content_length)
        with self._lock:
            self._objects[key] = stored
        self._on_upload(stored.sha256)
        return Response(status=200, headers={"ETag": f'"{stored.md5}"'})

    def _stream(self, request: Request, key: str, length: int) -> StoredObject:
        path = self._new_path()
        sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
        # Read without werkzeug's guard, which raises on a short body before the piece of a file can be removed.
        source, left = request.environ["wsgi.input"], length
        with path.open("wb") as file:
            while left and (piece := source.read(min(left, _PIECE))):
                sha256.update(piece)
                md5.update(piece)
                file.write(piece)
                left -= len(piece)
        if left:
            path.unlink()
            raise Refused(400, "IncompleteBody", "The body is shorter than Content-Length.", avoidable=False)
        headers = {name.lower(): value for name, value in request.headers}
        return StoredObject(key, path, length, sha256.hexdigest(), md5.hexdigest(), headers)

    def deliver(self, key: str, *, head: bool = False) -> Response:
        """An object as an answer, without asking for a signature.

        Raises:
            Refused: There is none of this key.
        """
        stored = self.find(key)
        if stored is None:
            raise Refused(404, "NoSuchKey", "The specified key does not exist.", avoidable=False)
        kind = mimetypes.guess_type(key)[0] or "application/octet-stream"
        headers = {"Content-Length": str(stored.size), "ETag": f'"{stored.md5}"', "Accept-Ranges": "none"}
        if head:
            return Response(None, 200, headers, content_type=kind)
        content = FileWrapper(stored.path.open("rb"), _PIECE)
        return Response(content, 200, headers, content_type=kind, direct_passthrough=True)

    def _new_path(self) -> Path:
        return self.folder / secrets.token_hex(12)


def refused(status: int, code: str, message: str) -> Response:
    """A refusal in the form of the real service."""
    text = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'
    return Response(body, status, {"Connection": "close"}, content_type="application/xml")


def _canonical(query: Mapping[str, str]) -> str:
    return "&".join(f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in sorted(query.items()))


def _signature(secret: str, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> str:
    canonical_headers = "".join(f"{name}:{' '.join(headers[name].split())}\n" for name in sorted(headers))
    parts = method, path, _canonical(query), canonical_headers, ";".join(sorted(headers)), "UNSIGNED-PAYLOAD"
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    _, day, region, service, end = (query.get("X-Amz-Credential", "") + "////").split("/")[:5]
    stamp = query.get("X-Amz-Date", "")
    key = b"AWS4" + secret.encode()
    for part in (day, region, service, end):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    text = "\n".join((_ALGORITHM, stamp, f"{day}/{region}/{service}/{end}", digest))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
