"""A farm's API on the network: routes, credentials, contract, faults and the record, over one world.

Farms declare `Route`s and subclass `Wire`; everything that is the same for all of them happens here.
"""

from __future__ import annotations

import json
import re
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug.exceptions import ClientDisconnected, HTTPException, MethodNotAllowed
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from pytest_devicefarm.simulator import control, storage
from pytest_devicefarm.simulator.contract import ContractBroken, Field, checked, checked_query, read_body
from pytest_devicefarm.simulator.faults import IN_PLACES, Fault, FaultError, nearest
from pytest_devicefarm.simulator.server import ConnectionDropped
from pytest_devicefarm.simulator.world import Account, World

STORAGE_OPERATIONS = ("storage.put", "storage.get")


class Unknown(Exception):
    """An id that the farm does not know; answered with 404."""


class Denied(Exception):
    """What the farm's rules do not allow at this moment; answered with 409."""


@dataclass(frozen=True)
class Route:
    """One operation of the farm's API.

    Attributes:
        operation: Its id in the farm's API description.
        method: The verb; ANY for all.
        path: Template as the description spells it, `/devices/{deviceId}/status`; `{path:name}` takes slashes too.
        handler: Answers it.
        query: Fields of the query; those in `lists` may be repeated.
        body: Fields of the JSON body; None leaves the body to the handler.
        effects: Faults of `IN_PLACES` that the handler knows how to suffer.
    """

    operation: str
    method: str
    path: str
    handler: Callable[[Call], Response]
    query: Mapping[str, Field] | None = field(default_factory=dict)
    lists: frozenset[str] = frozenset()
    body: Mapping[str, Field] | None = field(default_factory=dict)
    effects: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Call:
    """One request, checked and authenticated, on its way to a handler."""

    wire: Wire
    request: Request
    account: Account
    path: Mapping[str, str]
    query: Mapping[str, Any]
    body: Mapping[str, Any]
    fault: Fault | None

    @property
    def world(self) -> World:
        """The farm's state."""
        return self.wire.world

    @property
    def base(self) -> str:
        """Scheme and host under which the client reached the farm."""
        return self.request.host_url.rstrip("/")

    def path_id(self, name: str) -> int:
        """A numeric id out of the path."""
        try:
            return int(self.path[name])
        except ValueError:
            raise Unknown(f"{name} {self.path[name]!r} is not known") from None

    def struck_by(self, effect: str) -> Fault | None:
        """The fault that strikes this call if it has this effect."""
        return self.fault if self.fault is not None and self.fault.effect == effect else None


class Wire(ABC):
    """A WSGI application that answers as one kind of farm.

    Args:
        world: The farm's state.
        routes: Prefix to the operations below it.
        dialect: Where the vendor's documents and public clients differ: `seen` or `documented`.
    """

    farm: str
    request_class: type[Request] = Request

    def __init__(self, world: World, routes: Mapping[str, Iterable[Route]], *, dialect: str = "seen") -> None:
        if dialect not in ("seen", "documented"):
            raise ValueError(f"dialect {dialect!r} is not known; there are 'seen' and 'documented'")
        self.world = world
        self.dialect = dialect
        self._routes: dict[str, Route] = {}
        rules = []
        for prefix, some in routes.items():
            for route in some:
                self._routes[route.operation] = route
                methods = None if route.method == "ANY" else [route.method]
                rules.append(Rule(prefix + _rule(route.path), endpoint=route.operation, methods=methods))
        self._map = Map(rules, strict_slashes=False, merge_slashes=False)
        for fault in world.faults:
            self.check(fault)

    @property
    def documented(self) -> bool:
        """Whether to answer as the vendor's documents have it."""
        return self.dialect == "documented"

    @property
    def operations(self) -> tuple[str, ...]:
        """The ids of all operations that can be called, counted and made to fail."""
        return (*self._routes, *STORAGE_OPERATIONS)

    def check(self, fault: Fault) -> None:
        """Looks whether a fault can strike this farm.

        Raises:
            FaultError: The farm has no such operation, or the effect is not for it.
        """
        if fault.operation not in self.operations:
            raise FaultError(f"operation {fault.operation!r} is not known{nearest(fault.operation, self.operations)}")
        places = [name for name, route in self._routes.items() if fault.effect in route.effects]
        if fault.effect in IN_PLACES and fault.operation not in places:
            raise FaultError(f"effect {fault.effect!r} is for {' or '.join(places) or 'other farms'} only")

    @abstractmethod
    def authenticate(self, request: Request, operation: str) -> Account | None:
        """Whose request it is; None refuses it."""

    def fields(self, request: Request) -> Mapping[str, Any]:
        """The fields of a body, not yet checked."""
        return read_body(request.get_data())

    @abstractmethod
    def refusal(self, operation: str, status: int, message: str) -> Response:
        """An error in the farm's own form."""

    @abstractmethod
    def hub_url(self, url: str) -> str:
        """Where the farm takes WebDriver sessions when it is served under this address."""

    @abstractmethod
    def environment(self, url: str) -> dict[str, str]:
        """The variables that lead a client here when it is served under this address."""

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """The WSGI entry."""
        request = self.request_class(environ)
        if request.path.startswith(control.PREFIX):
            return control.answer(self, request)(environ, start_response)
        operation, arguments, response = self._match(request)
        if response is None:
            try:
                response = self._respond(request, operation, arguments)
            except ConnectionDropped:
                self._note(request, operation, 0)
                request.close()
                raise
        response.call_on_close(request.close)
        self._note(request, operation, response.status_code)
        return response(environ, start_response)

    def _note(self, request: Request, operation: str, status: int) -> None:
        at = self.world.clock.now()
        self.world.record.request(operation, at=at, method=request.method, path=request.path, status=status)

    def _match(self, request: Request) -> tuple[str, Mapping[str, str], Response | None]:
        if request.path.startswith(storage.PREFIX):
            return ("storage.put" if request.method == "PUT" else "storage.get"), {}, None
        try:
            adapter = self._map.bind("", path_info=request.path.rstrip("/") or "/", default_method=request.method)
            operation, arguments = adapter.match()
        except MethodNotAllowed:
            return "unknown", {}, self._broken(request, "unknown", 405, "this path does not take this method")
        except HTTPException:
            return "unknown", {}, self._broken(request, "unknown", 404, "there is no such operation")
        return operation, arguments, None

    def _respond(self, request: Request, operation: str, arguments: Mapping[str, str]) -> Response:
        stored = operation in STORAGE_OPERATIONS
        account = None if stored else self.authenticate(request, operation)
        if account is None and not stored:
            return self.refusal(operation, 401, "These credentials are not valid.")
        fault = self.world.faults.take(operation)
        if fault is not None and (early := self._before(fault)) is not None:
            return early
        if account is None:
            response = self._storage(request)
        else:
            response = self._handle(request, operation, arguments, account, fault)
        return response if fault is None else _after(fault, response)

    def _storage(self, request: Request) -> Response:
        if request.method not in ("PUT", "GET", "HEAD"):
            return Response(status=405)
        return self.world.storage.answer(request)

    def _handle(
        self, request: Request, operation: str, arguments: Mapping[str, str], account: Account, fault: Fault | None
    ) -> Response:
        route = self._routes[operation]
        try:
            if "chunked" in request.headers.get("Transfer-Encoding", "").lower():
                raise ContractBroken("the body has to come with its length, not in chunks")
            query = {} if route.query is None else checked_query(request.args, route.query, route.lists)
            body = {} if route.body is None else checked(self.fields(request), route.body, "body")
            return route.handler(Call(self, request, account, arguments, query, body, fault))
        except ClientDisconnected:
            raise ConnectionDropped from None
        except ContractBroken as error:
            return self._broken(request, operation, 400, str(error))
        except Unknown as error:
            return self.refusal(operation, 404, str(error))
        except Denied as error:
            return self.refusal(operation, 409, str(error))
        except ConnectionDropped:
            raise
        except Exception as error:
            self.world.record.failure(request.method, request.path, traceback.format_exc())
            return self.refusal(operation, 500, f"The simulator failed: {type(error).__name__}.")

    def _broken(self, request: Request, operation: str, status: int, reason: str) -> Response:
        self.world.record.violation(request.method, request.path, reason)
        return self.refusal(operation, status, f"{request.method} {request.path}: {reason}")

    def _before(self, fault: Fault) -> Response | None:
        if fault.effect == "drop":
            raise ConnectionDropped
        if fault.effect == "delay":
            self.world.clock.sleep(fault.seconds)
        if fault.effect != "status":
            return None
        response = self._failing(fault)
        if fault.retry_after:
            response.headers["Retry-After"] = str(fault.retry_after)
        return response

    def _failing(self, fault: Fault) -> Response:
        status = fault.status or 500
        if fault.html:
            return Response(fault.html, status, content_type="text/html; charset=utf-8")
        if fault.text:
            return Response(fault.text, status, content_type="text/plain; charset=utf-8")
        if fault.body is None and fault.operation in STORAGE_OPERATIONS:
            return storage.refused(status, "InternalError", fault.reason or "We encountered an internal error.")
        if fault.body is None:
            return self.refusal(fault.operation, status, fault.reason or "Something went wrong.")
        return compact(fault.body, status)


def compact(value: Any, status: int = 200) -> Response:
    """JSON without blanks, which shell clients match with patterns."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return Response(text, status, content_type="application/json; charset=utf-8")


def _after(fault: Fault, response: Response) -> Response:
    if fault.effect == "lost_reply":
        response.close()
        raise ConnectionDropped
    if fault.effect == "half":
        length = response.content_length or len(response.get_data())
        content = b"".join(response.iter_encoded())
        response.close()
        half = Response(content[: len(content) // 2], response.status_code, content_type=response.content_type)
        half.headers["Content-Length"] = str(length)
        return half
    if fault.effect == "wrong_types" and response.is_json:
        return compact(_confused(json.loads(response.get_data())), response.status_code)
    return response


def _confused(value: Any) -> Any:
    match value:
        case dict():
            return {name: _confused(each) for name, each in value.items()}
        case list():
            return [_confused(each) for each in value] if any(isinstance(v, dict) for v in value) else "list"
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return f"no. {value}"
        case str():
            return len(value)
        case _:
            return {}


def _rule(template: str) -> str:
    return re.sub(r"\{(?:(path):)?(\w+)\}", lambda m: f"<{m[1] + ':' if m[1] else ''}{m[2]}>", template)
