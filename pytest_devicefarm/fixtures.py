"""The fixtures; each only asks the keeper and ends nothing: what was lent is ended when the whole test is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from pytest_devicefarm.core.errors import ConfigurationError
from pytest_devicefarm.protocol import device_tests, loan_of

if TYPE_CHECKING:
    from appium.webdriver.webdriver import WebDriver

    from pytest_devicefarm.core.farm import Farm
    from pytest_devicefarm.core.leases import Lease
    from pytest_devicefarm.core.model import App, Device, FarmSession


@pytest.fixture(scope="session")
def device_farm(pytestconfig: pytest.Config) -> Farm:
    """The opened farm of this run; ``.api`` is the vendor's whole typed client. Session-scoped."""
    return device_tests(pytestconfig).run.farm


@pytest.fixture(scope="session")
def lease_device(pytestconfig: pytest.Config) -> Callable[..., AbstractContextManager[Lease]]:
    """Factory for a device of one's own in a wider fixture, a context manager. Session-scoped.

    ``with lease_device(platform="ios") as lease:`` takes what the ``device`` mark takes. Such a device is held beside
    the test's own, so a run in which every process does this needs as many devices more.
    """
    tests = device_tests(pytestconfig)

    @contextmanager
    def lease(**wanted: Any) -> Iterator[Lease]:
        from pytest_devicefarm.core.query import DeviceQuery

        with tests.keeper.lease_apart(DeviceQuery.of(**wanted)) as leased:
            yield leased

    return lease


@pytest.fixture(scope="session")
def upload_app(pytestconfig: pytest.Config) -> Callable[[str], App]:
    """Factory that gives a build at the farm by path or reference, uploaded once per build. Session-scoped."""
    keeper = device_tests(pytestconfig).keeper
    return lambda path_or_reference: keeper.builds.upload(str(path_or_reference))


@pytest.fixture
def device_lease(request: pytest.FixtureRequest) -> Lease:
    """The test's lease; ``.device`` is its device, ``.check()`` raises `LeaseLost` where it was lost."""
    tests, loan = loan_of(request)
    _refuse_roles(loan.plan.several, "device_lease", "leased_devices")
    return tests.keeper.leases(loan)[""]


@pytest.fixture
def leased_device(request: pytest.FixtureRequest) -> Device:
    """The test's device: id, udid, name, platform, version, model, manufacturer, tags."""
    _, loan = loan_of(request)
    _refuse_roles(loan.plan.several, "leased_device", "leased_devices")
    lease: Lease = request.getfixturevalue("device_lease")
    return lease.device


@pytest.fixture
def leased_devices(request: pytest.FixtureRequest) -> Mapping[str, Device]:
    """The test's devices by role."""
    tests, loan = loan_of(request)
    return {role: lease.device for role, lease in tests.keeper.leases(loan).items()}


@pytest.fixture
def uploaded_app(request: pytest.FixtureRequest) -> App | None:
    """The test's build at the farm: that of its ``app`` mark, else the ``--farm-app`` for its device's platform.

    ``None`` where the run has no build at all.
    """
    tests, loan = loan_of(request)
    _refuse_roles(loan.plan.several, "uploaded_app", "appium_drivers")
    return tests.keeper.app(loan, "")


@pytest.fixture
def installed_app(request: pytest.FixtureRequest, uploaded_app: App | None) -> App | None:
    """The build as the session will have it; farms that install while they open it find it in the capabilities."""
    tests, loan = loan_of(request)
    return tests.keeper.installed(loan, "")


@pytest.fixture
def appium_capabilities(
    request: pytest.FixtureRequest, device_lease: Lease, installed_app: App | None
) -> dict[str, Any]:
    """The W3C capabilities about to be sent, complete but for secrets.

    Override it in a conftest to add some for every test::

        @pytest.fixture
        def appium_capabilities(appium_capabilities):
            return {**appium_capabilities, "appium:language": "de"}
    """
    tests, loan = loan_of(request)
    return tests.keeper.capabilities(loan, "")


@pytest.fixture
def open_driver(request: pytest.FixtureRequest) -> Callable[..., WebDriver]:
    """Factory that opens the session and gives the driver: ``open_driver(capabilities)``.

    In tests that have roles it takes ``role=`` too. A changed ``udid`` is refused. What the farm does not open
    is tried again on another device.
    """
    tests, loan = loan_of(request)

    def open_driver(capabilities: Mapping[str, Any] | None = None, role: str = "") -> WebDriver:
        tests.keeper.leases(loan)
        if role not in loan.plan.queries:
            raise ConfigurationError(
                f"{loan.item.nodeid} has no role {role!r}; its roles are {', '.join(loan.plan.queries) or 'none'}"
            )
        if capabilities is None:
            capabilities = tests.keeper.capabilities(loan, role)
        return tests.keeper.open(loan, role, capabilities)

    return open_driver


@pytest.fixture
def appium_driver(request: pytest.FixtureRequest, open_driver: Callable[..., WebDriver]) -> WebDriver:
    """The driver of the test's session, an unwrapped ``appium.webdriver.Remote``."""
    _, loan = loan_of(request)
    _refuse_roles(loan.plan.several, "appium_driver", "appium_drivers")
    return open_driver(request.getfixturevalue("appium_capabilities"))


@pytest.fixture
def appium_drivers(request: pytest.FixtureRequest, open_driver: Callable[..., WebDriver]) -> Mapping[str, WebDriver]:
    """The drivers by role; the devices are leased all or none, so two such tests cannot block each other."""
    _, loan = loan_of(request)
    return {role: open_driver(role=role) for role in loan.plan.queries}


@pytest.fixture
def farm_session(request: pytest.FixtureRequest, appium_driver: WebDriver) -> FarmSession:
    """The session at the farm: its id there, the WebDriver id, and its address in the farm's portal."""
    _, loan = loan_of(request)
    return loan.sessions[""].session


def _refuse_roles(several: bool, name: str, plural: str) -> None:
    if several:
        raise ConfigurationError(f"{name} is for tests of one device; this one has roles: use {plural}")
