"""What a farm owes its users about sessions: opened, judged once, and ended whatever happened."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path

import pytest
from selenium.common.exceptions import NoSuchElementException

from pytest_devicefarm.core.errors import DeviceFarmError, FarmError, SessionLost
from pytest_devicefarm.core.farm import FarmSpec, SessionHandle
from pytest_devicefarm.core.journal import orphans
from pytest_devicefarm.core.model import Device, Verdict
from pytest_devicefarm.core.reaping import reap
from pytest_devicefarm.core.sessions import OpenSession, end_session
from pytest_devicefarm.testing.bench import FarmBench
from pytest_devicefarm.testing.process import Process
from pytest_devicefarm.testing.relay import COMMAND, CREATE, QUIT, Relay
from pytest_devicefarm.testing.setting import Setting, Start

TOKEN = "df-0123456789abcdef"
REAP_SECONDS = 30.0


class SessionContract(Setting):
    """Appium sessions."""

    @pytest.fixture
    def opened(self, here: Process, device: Device) -> OpenSession:
        """An open session; a test closes it, or shows that it has ended."""
        return here.open(here.lease([device]), token=TOKEN)

    def handle(self, opened: OpenSession, **known: str) -> SessionHandle:
        """What a process that has lost its memory still knows of a session."""
        return SessionHandle(TOKEN, opened.session.device.udid, opened.session.started, **known)

    def test_the_capabilities_ask_for_this_very_device(self, here: Process, spec: FarmSpec, device: Device) -> None:
        """Flat, with prefixes, and with an end for a session that nobody drives."""
        wanted = here.farm.capabilities(device, None, name="test_login", token=TOKEN, reset="app")
        assert wanted["appium:udid"] == device.udid
        assert wanted["appium:newCommandTimeout"] > 0
        assert all(":" in name for name in wanted if name not in {"platformName", "browserName"})
        assert (TOKEN in str(wanted)) == ("token" not in spec.cannot)

    def test_what_belongs_to_the_device_may_not_be_changed(self, here: Process) -> None:
        """The device itself above all."""
        assert "appium:udid" in here.farm.allotted

    def test_an_open_session_is_known_by_all_its_names(
        self, opened: OpenSession, spec: FarmSpec, bench: FarmBench, device: Device
    ) -> None:
        """The WebDriver id, the device, and the page in the farm's portal."""
        session = opened.session
        assert session.webdriver_id == opened.driver.session_id
        assert set(bench.sessions()) == {session.webdriver_id}
        assert session.device == device
        assert session.url.startswith(("http://", "https://")) == ("link" not in spec.cannot)
        opened.close()
        assert not bench.sessions()

    @pytest.mark.parametrize("passed", [True, False, None])
    def test_a_verdict_is_told_once(
        self, opened: OpenSession, here: Process, spec: FarmSpec, bench: FarmBench, relay: Relay, passed: bool | None
    ) -> None:
        """Before or after the end, as the farm wants it; a test without a verdict leaves none."""
        verdict = Verdict(passed, "tests/test_shop.py::test_login", "call passed")
        calls = len(relay.calls)
        here.farm.report_before_quit(opened.driver, verdict)
        before = len(relay.calls) - calls
        opened.close()
        calls = len(relay.calls)
        here.farm.report_after_quit(opened.session, verdict)
        if "verdict" in spec.cannot:
            assert not before
            assert len(relay.calls) == calls
            return
        told = [each for each in bench.verdicts(opened.session) if each is not None]
        assert told == ([] if passed is None else [passed])

    def test_an_open_that_was_refused_leaves_nothing(
        self, start: Start, spec: FarmSpec, bench: FarmBench, relay: Relay, device: Device
    ) -> None:
        """Neither a session nor a booking."""
        here = start(booked=600)
        lease = here.lease([device])
        with relay.troubled("error", calls=CREATE), pytest.raises(FarmError):
            here.open(lease)
        here.release(lease)
        assert not bench.sessions()
        assert not spec.reserve or not bench.bookings()

    def test_an_open_whose_answer_was_lost_leaves_nothing(
        self, here: Process, spec: FarmSpec, bench: FarmBench, relay: Relay, device: Device
    ) -> None:
        """It is found by its token; where the farm shows none the journal keeps it until it ends by itself."""
        lease = here.lease([device])
        with relay.troubled("lost", calls=CREATE), pytest.raises(FarmError):
            here.open(lease, token=TOKEN)
        assert not bench.sessions() or "token" in spec.cannot
        assert bool(here.journal.mine()) == bool(bench.sessions())

    def test_a_command_that_fails_leaves_the_session_as_it_is(self, opened: OpenSession, bench: FarmBench) -> None:
        """It is the test's business, and the session is closed as ever."""
        with pytest.raises(NoSuchElementException):
            opened.driver.find_element("xpath", "//never-there")
        opened.close()
        assert not bench.sessions()

    def test_a_hub_that_fails_in_the_middle_leaves_nothing(
        self, opened: OpenSession, here: Process, bench: FarmBench, relay: Relay
    ) -> None:
        """The command says that the session is lost; the session is ended all the same."""
        with relay.troubled("error", calls=COMMAND), pytest.raises(SessionLost):
            _ = opened.driver.page_source
        opened.close()
        assert not bench.sessions()
        assert not here.journal.mine()

    def test_a_quit_that_fails_leaves_nothing(
        self, opened: OpenSession, here: Process, bench: FarmBench, relay: Relay
    ) -> None:
        """Ended by another way, or later; until then the journal keeps it."""
        with relay.troubled("error", calls=QUIT), contextlib.suppress(DeviceFarmError):
            opened.close()
        left = here.journal.mine()
        assert bool(left) == bool(bench.sessions())
        for entry in left:
            end_session(here.farm, here.journal, entry)
        assert not bench.sessions()
        assert not here.journal.mine()

    def test_a_session_can_be_ended_twice(self, opened: OpenSession, here: Process, bench: FarmBench) -> None:
        """Both times it is known to be over."""
        handle = self.handle(opened, webdriver_id=opened.session.webdriver_id, session_id=opened.session.id)
        assert here.farm.end_session(handle)
        assert not bench.sessions()
        assert here.farm.end_session(handle)

    def test_a_session_is_ended_by_its_token_alone(
        self, opened: OpenSession, start: Start, spec: FarmSpec, bench: FarmBench
    ) -> None:
        """As by another process after a lost answer; where the farm shows none it is not said to be over."""
        ended = start().farm.end_session(self.handle(opened))
        assert ended or "token" in spec.cannot
        assert ended == (not bench.sessions())

    def test_a_session_of_somebody_else_is_left_alone(
        self, opened: OpenSession, here: Process, bench: FarmBench
    ) -> None:
        """Another token, the same device, asked for at another time."""
        stranger = dataclasses.replace(self.handle(opened), token="df-other", since=opened.session.started - 86400)
        assert not here.farm.end_session(stranger)
        assert set(bench.sessions()) == {opened.session.webdriver_id}
        opened.close()

    def test_what_a_dead_process_left_is_ended_by_its_journal(
        self, start: Start, spec: FarmSpec, bench: FarmBench, device: Device, tmp_path: Path
    ) -> None:
        """Session and booking, by any other process of the account."""
        dead, alive = start(booked=600), start()
        dead.open(dead.lease([device]))
        left = dead.journal.mine()
        dead.die()
        entries = orphans(tmp_path / "state", alive.farm.account, clock=bench.clock)
        assert {entry.id for entry in entries} == {entry.id for entry in left}
        report = reap(alive.farm, tmp_path / "state", entries, clock=bench.clock, deadline=REAP_SECONDS)
        assert {entry.id for entry in report.ended} == {entry.id for entry in left}
        assert not bench.sessions()
        assert not spec.reserve or not bench.bookings()
