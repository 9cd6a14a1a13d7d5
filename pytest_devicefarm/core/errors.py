"""Every error this package raises, as one tree.

    DeviceFarmError
    ├── ConfigurationError          settings, marks or files the user can mend
    │   └── NoMatchingDevice        no device of the farm can ever satisfy a query
    ├── AppError                    a build that cannot be read, uploaded or parsed
    ├── FarmError                   the farm, or the way to it, failed
    │   ├── FarmUnreachable         no answer: refused, timed out, cut off
    │   ├── FarmRefused             an answer with an error status
    │   │   ├── FarmAuthenticationError   401 or 403
    │   │   └── FarmNotFound        404 or 410
    │   └── FarmAnswerError         an answer that does not say what it should
    ├── LeaseError                  a device could not be had or kept
    │   ├── DeviceWaitTimeout       nobody gave one back in time
    │   └── LeaseLost               held once, not any more
    └── SessionError
        ├── SessionNotCreated       the farm opened no Appium session
        │   └── DeviceBusy          somebody else was quicker
        └── SessionLost             the session ended before its test did

Errors carry their data, survive pickling, and read as a sentence that names the next step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar


class DeviceFarmError(Exception):
    """Any error of this package.

    ``infrastructure`` tells whether the error is about the farm rather than about what the user wrote or tests.
    """

    infrastructure: ClassVar[bool] = True

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __reduce__(self) -> tuple[Any, ...]:
        # Subclasses take other arguments than the message, so the default way of pickling would call them wrongly.
        return _rebuild, (type(self), self.message, dict(self.__dict__))


def _rebuild(kind: type[DeviceFarmError], message: str, state: dict[str, Any]) -> DeviceFarmError:
    error = kind.__new__(kind, message)
    error.__dict__.update(state)
    return error


class ConfigurationError(DeviceFarmError):
    """Settings, marks or files that the user has to mend; never the farm's fault."""

    infrastructure = False


class NoMatchingDevice(ConfigurationError):
    """No device of the farm can ever satisfy a query; carries the near misses.

    Args:
        query: The query as text.
        near_misses: Up to a handful of devices, each with why it does not match.
        farm: Name of the farm.
    """

    def __init__(self, query: str, near_misses: Sequence[tuple[str, Sequence[str]]], farm: str) -> None:
        lines = [f"no device of farm {farm!r} matches {query}"]
        lines += [f"  {device}: {'; '.join(reasons)}" for device, reasons in near_misses]
        lines.append(
            "Change the mark or --farm-device, or give --farm-unmatched=skip to skip such tests; "
            "`devicefarm devices` lists what the farm has."
        )
        super().__init__("\n".join(lines))
        self.query = query
        self.near_misses = tuple((device, tuple(reasons)) for device, reasons in near_misses)
        self.farm = farm


class AppError(DeviceFarmError):
    """A build that cannot be read, uploaded or parsed; the build is at fault, not the farm."""

    infrastructure = False


class FarmError(DeviceFarmError):
    """The farm, or the way to it, failed.

    Args:
        message: What went wrong, with the next step.
        method: HTTP method of the call, or ``None``.
        path: Path of the call without query, or ``None``.
        status: HTTP status of the answer, or ``None`` where there was none.
        answer: The first characters of the answer, already redacted.
    """

    def __init__(
        self,
        message: str,
        *,
        method: str | None = None,
        path: str | None = None,
        status: int | None = None,
        answer: str = "",
    ) -> None:
        super().__init__(message)
        self.method = method
        self.path = path
        self.status = status
        self.answer = answer


class FarmUnreachable(FarmError):
    """No answer from the farm: refused, timed out or cut off."""


class FarmRefused(FarmError):
    """The farm answered with an error status."""


class FarmAuthenticationError(FarmRefused):
    """The farm does not accept the credentials (401) or forbids the call (403); the user has to mend them."""

    infrastructure = False


class FarmNotFound(FarmRefused):
    """The farm knows no such thing (404, 410)."""


class FarmAnswerError(FarmError):
    """The farm answered, but not what its documents promise."""


class LeaseError(DeviceFarmError):
    """A device could not be had or kept."""


class DeviceWaitTimeout(LeaseError):
    """No matching device became free in time.

    Args:
        message: Who holds each of them since when, and what to do.
        holders: One line per matching device.
    """

    def __init__(self, message: str, holders: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.holders = tuple(holders)


class LeaseLost(LeaseError):
    """A lease was held once and is not any more: taken over, expired, or the device is gone."""


class SessionError(DeviceFarmError):
    """Something about an Appium session."""


class SessionNotCreated(SessionError):
    """The farm opened no Appium session.

    Args:
        message: The farm's words, and the next step.
        retryable: Whether another try on another device can help; false for a build that does not install.
    """

    def __init__(self, message: str, *, retryable: bool = True) -> None:
        super().__init__(message)
        self.retryable = retryable


class DeviceBusy(SessionNotCreated):
    """Somebody else took the device between choice and session."""


class SessionLost(SessionError):
    """The session ended before its test did."""
