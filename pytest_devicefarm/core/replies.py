"""How an answer becomes a frozen struct although fields are unknown, missing or of another type than documented.

A field that cannot be read counts as missing, an element of a list that cannot be read is left out and told in
`Answer.problems`; only what the struct demands (an id) makes the answer as a whole unreadable.
"""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from pytest_devicefarm.core.redaction import SignedAddress

R = TypeVar("R")

Id = int | str
"""Ids are numbers in most answers and text in some."""


class Reply(msgspec.Struct, frozen=True):
    """Part of an answer; ``repr`` shows its addresses without their query, which may be a signature."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, str) and "://" in value:
                msgspec.structs.force_setattr(self, name, SignedAddress(value))


class Answer(Reply, frozen=True, kw_only=True):
    """A whole answer that holds lists.

    Attributes:
        problems: One line for each element that could not be read and was left out.
    """

    problems: tuple[str, ...] = msgspec.field(default=(), name=" problems")


def read(value: Any, kind: type[R]) -> R:
    """The value as the struct, tolerating what can be tolerated.

    Raises:
        msgspec.ValidationError: It is nothing of this kind at all.
    """
    problems: list[str] = []
    reply: R = _read(value, kind, problems, "$")
    if problems and isinstance(reply, Answer):
        return msgspec.structs.replace(reply, problems=tuple(problems))
    return reply


def _read(value: Any, kind: Any, problems: list[str], where: str) -> Any:
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError:
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and isinstance(value, Mapping):
            return _read_struct(value, kind, problems, where)
        if typing.get_origin(kind) is tuple and isinstance(value, list):
            return _read_elements(value, typing.get_args(kind)[0], problems, where)
        if typing.get_origin(kind) is types.UnionType:
            inner = [one for one in typing.get_args(kind) if one is not types.NoneType]
            if len(inner) == 1:
                return _read(value, inner[0], problems, where)
        if kind is str and isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        raise


def _read_struct(value: Mapping[str, Any], kind: type[msgspec.Struct], problems: list[str], where: str) -> Any:
    found = {}
    for field in _fields(kind):
        if field.encode_name in value:
            try:
                found[field.name] = _read(
                    value[field.encode_name], field.type, problems, f"{where}.{field.encode_name}"
                )
            except msgspec.ValidationError as error:
                if field.required:
                    raise
                if where == "$" and typing.get_origin(field.type) is tuple:
                    problems.append(f"{where}.{field.encode_name}: {error}")
        elif field.required:
            raise msgspec.ValidationError(f"{where} has no {field.encode_name}")
    return kind(**found)


def _read_elements(values: list[Any], kind: Any, problems: list[str], where: str) -> tuple[Any, ...]:
    found = []
    for index, value in enumerate(values):
        try:
            found.append(_read(value, kind, problems, f"{where}[{index}]"))
        except msgspec.ValidationError as error:
            problems.append(f"{where}[{index}]: {error}")
    return tuple(found)


@functools.cache
def _fields(kind: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    return msgspec.structs.fields(kind)
