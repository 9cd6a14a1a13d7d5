"""Opening and closing one Appium session so that it is never left behind, whatever happens in between."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from appium.options.common.base import AppiumOptions
from appium.webdriver.webdriver import WebDriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.remote.command import Command

from pytest_devicefarm.core.clock import Clock
from pytest_devicefarm.core.connection import HubConnection
from pytest_devicefarm.core.errors import DeviceFarmError, FarmAuthenticationError, SessionError
from pytest_devicefarm.core.farm import Farm
from pytest_devicefarm.core.journal import Journal, JournalEntry
from pytest_devicefarm.core.leases import Lease
from pytest_devicefarm.core.model import FarmSession

INTENT_SECONDS = 3600.0
"""How long a session whose create was never answered is looked for at the farm."""


def new_token() -> str:
    """A mark of one attempt, sent in a field the farm shows, so that a lost answer leaves something to find."""
    return f"df-{secrets.token_hex(8)}"


class OpenSession:
    """An Appium session on a leased device; closing it is safe to repeat."""

    def __init__(
        self, farm: Farm, journal: Journal, entry: JournalEntry, driver: WebDriver, session: FarmSession, lease: Lease
    ) -> None:
        self._farm = farm
        self._journal = journal
        self._entry = entry
        self.driver = driver
        self.session = session
        self.lease = lease
        self.closed = False

    @property
    def capabilities(self) -> dict[str, Any]:
        """What the farm gave back."""
        return dict(self.driver.capabilities)

    def commands(self) -> list[dict[str, Any]]:
        """The command timeline so far, as plain data."""
        connection = self.driver.command_executor
        return [asdict(command) for command in connection.commands] if isinstance(connection, HubConnection) else []

    def screenshot(self) -> bytes:
        """What the device shows, a PNG."""
        return self.driver.get_screenshot_as_png()

    def page_source(self) -> bytes:
        """The tree of elements, XML in UTF-8."""
        return self.driver.page_source.encode("utf-8", "replace")

    def briefly(self, step: Callable[[], bytes], seconds: float) -> bytes:
        """Do one thing with the driver that may not take longer than so many seconds."""
        connection = self.driver.command_executor
        if not isinstance(connection, HubConnection):
            return step()
        with connection.limited_to(seconds):
            return step()

    def sign_of_life(self) -> None:
        """Keep the session from idling out; one that is gone already is not this call's business."""
        with contextlib.suppress(WebDriverException, DeviceFarmError):
            self.driver.execute(Command.GET_TIMEOUTS)

    def close(self, *, gently: bool = True) -> None:
        """End the session at the farm, then forget it in the journal.

        Args:
            gently: Quit through the driver first; otherwise straight at the farm, for when time is short.

        Raises:
            DeviceFarmError: It could not be ended; the journal keeps it for the guardian or the next run.
        """
        if self.closed:
            return
        self.closed = True
        if gently and self._quit():
            self._journal.closed(self._entry)
        elif not end_session(self._farm, self._journal, self._entry):
            raise SessionError(
                f"the session on {self.lease.device} could not be ended yet; it stands in the journal and is tried "
                "again when the run ends. `devicefarm reap` tries after that."
            )

    def _quit(self) -> bool:
        try:
            self.driver.quit()
        except (WebDriverException, DeviceFarmError):
            return False  # the farm itself is asked next
        return True


def open_session(
    farm: Farm, lease: Lease, capabilities: Mapping[str, Any], *, journal: Journal, token: str, clock: Clock
) -> OpenSession:
    """Open a session on a leased device.

    The journal knows of it before the farm does, so an answer that is lost, or a process that is killed meanwhile,
    leaves an entry to end it by.

    Raises:
        DeviceBusy: Somebody else took the device.
        SessionNotCreated: The farm refused, with its words.
        FarmUnreachable: No answer; a session that came up all the same is ended.
        LeaseLost: The device is not ours any more.
    """
    farm.before_session(lease.device, capabilities)
    started = clock.time()
    entry = journal.intend("session", lease.device, token, expires=started + INTENT_SECONDS)
    connection = HubConnection(
        farm.hub_of(lease.device),
        secret_capabilities=farm.secret_capabilities(),
        guard=lease.check,
        clock=clock,
        means_lost=farm.means_session_lost,
    )
    try:
        driver = WebDriver(command_executor=connection, options=AppiumOptions().load_capabilities(dict(capabilities)))
    except WebDriverException as refusal:
        # An answer came and it was no, so nothing is open.
        journal.closed(entry)
        raise farm.explain_refusal(_words(refusal), lease.device) from None
    except FarmAuthenticationError:
        journal.closed(entry)
        raise
    except DeviceFarmError:
        # It may have come up all the same. What cannot be settled now stays in the journal.
        with contextlib.suppress(DeviceFarmError):
            end_session(farm, journal, entry)
        raise
    webdriver_id = str(driver.session_id)
    entry = journal.opened(entry, webdriver_id=webdriver_id)
    session = farm.session(lease.device, webdriver_id, driver.capabilities, started=started)
    entry = journal.opened(entry, session_id=session.id)
    return OpenSession(farm, journal, entry, driver, session, lease)


def end_session(farm: Farm, journal: Journal, entry: JournalEntry) -> bool:
    """End what a journal entry speaks of, by all that is known of it; the entry stays where that is not certain.

    Returns:
        Whether it is known to be over now.
    """
    over = farm.end_session(entry.handle)
    if over:
        journal.closed(entry)
    return over


def _words(refusal: WebDriverException) -> str:
    # The client appends an address of its own documentation, which speaks of browsers.
    return (refusal.msg or "").partition("; For documentation on this error")[0].strip() or type(refusal).__name__
