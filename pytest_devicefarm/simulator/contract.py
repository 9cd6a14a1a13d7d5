"""What a farm's requests may hold: names and types of query and body fields."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from werkzeug.datastructures import MultiDict

from pytest_devicefarm.simulator.faults import nearest


class ContractBroken(Exception):
    """A request that the farm's contract does not allow; the text says what is wrong."""


@dataclass(frozen=True)
class Field:
    """One field: how its value is read, what it has to be, and whether it has to be there."""

    read: Callable[[Any], Any]
    wanted: str
    required: bool = False

    def must(self) -> Field:
        """The same field as one that may not be left out."""
        return Field(self.read, self.wanted, required=True)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError
    return value


def _number_text(value: Any) -> int:
    return int(_text(value)) if isinstance(value, str) else _whole(value)


def _loose_id(value: Any) -> int | None:
    return None if value in (None, "") else _number_text(value)


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}[_text(value).lower()]


def _texts(value: Any) -> list[str]:
    if not isinstance(value, list):
        raise ValueError
    return [_text(each) for each in value]


def _ids(value: Any) -> list[int]:
    if not isinstance(value, list):
        raise ValueError
    return [_number_text(each) for each in value]


def _json_object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError
    return value


TEXT = Field(_text, "text")
WHOLE = Field(_whole, "a whole number")
NUMBER_TEXT = Field(_number_text, "a whole number")
LOOSE_ID = Field(_loose_id, "an id, as number or text")
FLAG = Field(_flag, "true or false")
TEXTS = Field(_texts, "a list of texts")
IDS = Field(_ids, "a list of ids")
OBJECT = Field(_json_object, "an object")
ANYTHING = Field(lambda value: value, "anything")


def read_body(raw: bytes) -> dict[str, Any]:
    """The fields of a JSON body; form fields are understood too, since old clients send them under a JSON header."""
    if not raw.strip():
        return {}
    try:
        body = json.loads(raw)
    except ValueError:
        form = dict(parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True))
        if form and raw[:1] not in b"{[" and b"=" in raw:
            return form
        raise ContractBroken("the body is not JSON") from None
    if not isinstance(body, dict):
        raise ContractBroken("the body is not a JSON object")
    return body


def checked(given: Mapping[str, Any], allowed: Mapping[str, Field], where: str) -> dict[str, Any]:
    """The given fields, read as the contract types them.

    Raises:
        ContractBroken: A field is unknown, missing, or of another type.
    """
    values: dict[str, Any] = {}
    for name, value in given.items():
        field = allowed.get(name)
        if field is None:
            raise ContractBroken(f"{name!r} is not allowed in the {where}{nearest(name, allowed)}")
        try:
            values[name] = field.read(value)
        except (ValueError, KeyError, TypeError):
            raise ContractBroken(f"{name!r} in the {where} has to be {field.wanted}, not {value!r}") from None
    for name, field in allowed.items():
        if field.required and name not in values:
            raise ContractBroken(f"{name!r} is missing in the {where}")
    return values


def checked_query(given: MultiDict[str, str], allowed: Mapping[str, Field], lists: frozenset[str]) -> dict[str, Any]:
    """The query's fields; those in `lists` may be repeated and become lists."""
    flat: dict[str, Any] = {name: values if name in lists else values[-1] for name, values in given.lists()}
    return checked(flat, allowed, "query")
