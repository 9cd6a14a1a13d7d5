"""From marks on an item to what the test asks for; nothing here talks to a farm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from pytest_devicefarm.core.errors import ConfigurationError

if TYPE_CHECKING:
    from pytest_devicefarm.core.query import DeviceQuery

MARKERS = (
    "device(platform=, version=, name=, model=, manufacturer=, udid=, tags=, group=, real=, role=): "
    "what the test asks of its device; several roles make a test of several devices",
    "appium_capabilities(capabilities): capabilities added to the test's session",
    "app(path_or_reference): the build this test gets instead of --farm-app",
)

DEVICE_FIXTURES = frozenset(
    {
        "appium_capabilities",
        "appium_driver",
        "appium_drivers",
        "device_lease",
        "farm_session",
        "installed_app",
        "leased_device",
        "leased_devices",
        "open_driver",
        "uploaded_app",
    }
)
"""Fixtures that need a device; a test that uses none of them never leases one."""

APP_FIXTURES = DEVICE_FIXTURES - {"device_lease", "leased_device", "leased_devices"}
"""Fixtures for which the test's build is uploaded."""

LEASING_FIXTURES = DEVICE_FIXTURES | {"lease_device"}
"""Fixtures through which something may be left behind at the farm."""

_PLAN: pytest.StashKey[TestPlan] = pytest.StashKey()


@dataclass(frozen=True, slots=True)
class TestPlan:
    """What one test asks for.

    Attributes:
        queries: One query for each role; the only role of an ordinary test is ``""``.
        app: Path or reference from the nearest ``app`` mark, ``""`` for none.
        capabilities: From the ``appium_capabilities`` marks, the nearest wins.
        wants_app: Whether a build goes with the device.
    """

    __test__ = False

    queries: Mapping[str, DeviceQuery]
    app: str = ""
    capabilities: Mapping[str, Any] = field(default_factory=dict)
    wants_app: bool = True

    @property
    def several(self) -> bool:
        """Whether the test has roles."""
        return tuple(self.queries) != ("",)


def uses_device(item: pytest.Item) -> bool:
    """Whether the test uses one of our device fixtures, by name or through a fixture of its own."""
    return not DEVICE_FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))


def may_lease(item: pytest.Item) -> bool:
    """Whether the test uses a device of its own or one that a wider fixture leases."""
    return not LEASING_FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))


def plan_of(item: pytest.Item) -> TestPlan:
    """What the test asks for, read once from its marks.

    Raises:
        ConfigurationError: A mark cannot be read or two contradict each other; names the test.
    """
    if _PLAN not in item.stash:
        item.stash[_PLAN] = _read(item)
    return item.stash[_PLAN]


def _read(item: pytest.Item) -> TestPlan:
    try:
        capabilities: dict[str, Any] = {}
        for mark in reversed(list(item.iter_markers("appium_capabilities"))):
            capabilities |= _mapping(mark)
        app = next((_text(mark) for mark in item.iter_markers("app")), "")
        queries = _queries(item)
    except ConfigurationError as error:
        raise ConfigurationError(f"{item.nodeid}: {error}") from None
    names = set(getattr(item, "fixturenames", ()))
    # A test that names none of our fixtures asks for them as it runs, so it may well want the driver.
    wants_app = bool(names & APP_FIXTURES) or not names & DEVICE_FIXTURES
    return TestPlan(queries=queries, app=app, capabilities=capabilities, wants_app=wants_app)


def _queries(item: pytest.Item) -> dict[str, DeviceQuery]:
    from pytest_devicefarm.core.query import DeviceQuery

    every = DeviceQuery()
    by_role: dict[str, DeviceQuery] = {}
    # From the module's mark to the test's own, so that roles keep the order in which a reader meets them.
    for mark in reversed(list(item.iter_markers("device"))):
        if mark.args:
            raise ConfigurationError(
                f"the device mark takes keywords only, not {mark.args[0]!r}; write for example platform='android'"
            )
        wanted = dict(mark.kwargs)
        role = wanted.pop("role", None)
        query = DeviceQuery.of(**wanted)
        if role is None:
            every = every & query
        elif not isinstance(role, str) or not role:
            raise ConfigurationError(f"the role of a device mark has to be a name, not {role!r}")
        else:
            by_role[role] = by_role.get(role, DeviceQuery()) & query
    return {role: every & query for role, query in by_role.items()} or {"": every}


def _mapping(mark: pytest.Mark) -> dict[str, Any]:
    if len(mark.args) != 1 or mark.kwargs or not isinstance(mark.args[0], Mapping):
        raise ConfigurationError("the appium_capabilities mark takes one dict, for example {'appium:language': 'de'}")
    return dict(mark.args[0])


def _text(mark: pytest.Mark) -> str:
    if len(mark.args) != 1 or mark.kwargs or not str(mark.args[0]):
        raise ConfigurationError("the app mark takes one path or reference, for example 'build/shop.apk'")
    return str(mark.args[0])
