"""How a command is reached: method, path behind the session, and the function that does it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_devicefarm.simulator.automation import Automation


@dataclass(frozen=True, slots=True)
class Request:
    """What a command was called with: the JSON body and the variable parts of its path."""

    body: Mapping[str, Any]
    parts: Mapping[str, str]

    @property
    def element(self) -> str:
        """Id of the element the command is about."""
        return self.parts["element"]


@dataclass(frozen=True, slots=True)
class Route:
    """One command. `{name}` in the path stands for one part of it."""

    method: str
    path: str
    run: Callable[[Automation, Request], Any]
    pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path)
        object.__setattr__(self, "pattern", re.compile(pattern))

    @property
    def name(self) -> str:
        """The command in our words."""
        return self.run.__name__
