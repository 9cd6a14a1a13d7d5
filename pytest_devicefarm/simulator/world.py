"""The state of a simulated farm: who uses what, what is stored, and what happens as its clock moves.

One lock guards all changes and is held only while something is looked up or changed, never while a command runs or
somebody waits. States that depend on time are worked out when they are asked for.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from pytest_devicefarm.simulator import artifacts
from pytest_devicefarm.simulator.apps import App, Apps, Version
from pytest_devicefarm.simulator.buildfile import read_build
from pytest_devicefarm.simulator.clock import Clock
from pytest_devicefarm.simulator.devices import Device
from pytest_devicefarm.simulator.engine import Engine
from pytest_devicefarm.simulator.faults import Fault, Faults
from pytest_devicefarm.simulator.installs import Installs
from pytest_devicefarm.simulator.mailbox import Mailbox
from pytest_devicefarm.simulator.record import Record, overlaps
from pytest_devicefarm.simulator.reservations import Reservation, Reservations
from pytest_devicefarm.simulator.sessions import COMPLETE, ERROR, TERMINATED, TIMEOUT, Session, Sessions
from pytest_devicefarm.simulator.storage import Storage

SHORTEST_IDLE, LONGEST_IDLE, USUAL_IDLE = 10.0, 1800.0, 600.0
"""Bounds of the pause between two commands, and the pause allowed when a session asks for none; seconds."""


@dataclass(frozen=True)
class Delays:
    """How long the farm takes for things, in simulated seconds; those of artifacts count from the session's end."""

    parsing: float = 4.0
    installing: float = 3.0
    cleaning: float = 2.0
    preparing: float = 1.0
    rebooting: float = 20.0
    session_create: float = 2.0
    device_log: float = 4.0
    appium_log: float = 3.0
    video: float = 8.0
    network_log: float = 6.0


@dataclass(frozen=True)
class Account:
    """Somebody who may use the farm."""

    id: int
    name: str
    key: str = field(repr=False)


class NoSuchDevice(Exception):
    """No device fits a wish, whether free or not."""


class DeviceTaken(Exception):
    """Devices fit a wish, but none is free for this account."""


class World:
    """A farm's devices, bookings, apps, sessions and storage.

    Args:
        devices: What the farm has.
        clock: Its time.
        delays: How long it takes for things.
        faults: What goes wrong, and when.
        accounts: Who may use it: name to key, the first is the customer's own.
        appium_capabilities: Capabilities to set when sessions are passed on to a real Appium server.

    Attributes:
        cleans_after_use: Whether a device cleans and prepares itself after each session, before it is free again.
    """

    def __init__(
        self,
        devices: Iterable[Device],
        *,
        clock: Clock | None = None,
        delays: Delays | None = None,
        faults: Iterable[Fault] = (),
        accounts: Mapping[str, str] | None = None,
        appium_capabilities: Mapping[str, Any] | None = None,
    ) -> None:
        self.clock = clock or Clock()
        self.delays = delays or Delays()
        self.devices = tuple(devices)
        self.faults = Faults(faults)
        names = accounts or {"simulated": secrets.token_hex(16), "other": secrets.token_hex(16)}
        self.accounts = tuple(Account(number, name, key) for number, (name, key) in enumerate(names.items(), 1))
        self.appium_capabilities = dict(appium_capabilities or {})
        self.cleans_after_use = False
        self.reservations = Reservations()
        self.apps = Apps()
        self.installs = Installs()
        self.sessions = Sessions()
        self.record = Record()
        self.storage = Storage(self.clock, on_upload=self.record.upload, on_violation=self.record.violation)
        self.mailbox = Mailbox()
        self.lock = threading.RLock()

    def close(self) -> None:
        """Ends every session and wait, and removes all stored files."""
        self.clock.close()
        for session in self.sessions:
            self.end_session(session, TERMINATED)
        self.storage.close()

    # Accounts

    def set_credentials(self, name: str | None, key: str | None) -> None:
        """Gives the first account another name, another key, or both."""
        first, *others = self.accounts
        self.accounts = (replace(first, name=name or first.name, key=key or first.key), *others)

    def account_id(self, name: str) -> int:
        """The number of an account; 0 when there is none of this name."""
        return next((account.id for account in self.accounts if account.name == name), 0)

    # Devices

    def device(self, udid: str) -> Device | None:
        """The device of this UDID."""
        return next((d for d in self.devices if d.udid == udid), None)

    def booked(self, device: Device) -> bool:
        """Whether somebody, the caller included, uses the device or holds it reserved."""
        now = self.clock.now()
        with self.lock:
            self._settle()
            return (
                now < device.occupied_until
                or self.sessions.on(device) is not None
                or self.reservations.holder(device.udid, now) is not None
            )

    def free_for(self, account: str, device: Device) -> bool:
        """Whether this account can open a session on the device at this moment."""
        now = self.clock.now()
        with self.lock:
            self._settle()
            return (
                now >= device.occupied_until
                and self.sessions.on(device) is None
                and self.reservations.holder(device.udid, now) in (None, account)
            )

    def clean(self, device: Device, at: float | None = None) -> None:
        """Lets a device clean itself and then prepare itself, now or from an earlier moment on."""
        with self.lock:
            device.cleaning_until = (self.clock.now() if at is None else at) + self.delays.cleaning
            device.preparing_until = device.cleaning_until + self.delays.preparing

    def restart(self, device: Device) -> None:
        """Starts a device anew, which ends the session on it."""
        session = self.sessions.on(device)
        if session is not None:
            self.end_session(session, ERROR)
        with self.lock:
            device.rebooting_until = self.clock.now() + self.delays.rebooting

    # Reservations

    def book(
        self, account: str, device: Device, start: float, end: float, *, comments: str = "", pending: bool = False
    ) -> Reservation | None:
        """Books a device for a period, also a later one; None when somebody has it for a part of that time."""
        with self.lock:
            self._settle()
            now = self.clock.now()
            session = self.sessions.on(device)
            others = session is not None and session.account != account and start <= now
            others = others or start < max(device.busy_until, device.booked_until)
            if others or self.reservations.between(device.udid, start, end) is not None:
                return None
            udids, seconds = (device.udid,), end - start
            return self.reservations.add(account, udids, start, seconds, comments=comments, pending=pending)

    def reserve(
        self, account: str, udids: Iterable[str], seconds: float, refused: Iterable[str] = ()
    ) -> tuple[Reservation, tuple[str, ...], tuple[str, ...]]:
        """Books what can be booked of the devices named; gives the booking, what was got and what was not.

        Only private devices that are free can be booked. A booking without any device is kept as cancelled.
        """
        with self.lock:
            self._settle()
            now = self.clock.now()
            got: list[str] = []
            failed: list[str] = []
            for udid in dict.fromkeys(udids):
                device = self.device(udid)
                fits = device is not None and device.private and device.drivable and udid not in refused
                free = fits and device is not None and not self.booked(device)
                (got if free else failed).append(udid)
            made = self.reservations.add(account, got, now, seconds)
            if not got:
                made.cancelled = now
            return made, tuple(got), tuple(failed)

    def cancel(self, reservation: Reservation) -> None:
        """Ends a booking; one that has ended already is left as it is."""
        with self.lock:
            now = self.clock.now()
            if reservation.status(now) == "reserved":
                reservation.cancelled = now

    # Apps

    def register_build(
        self, account: str, key: str, filename: str, app: App | None = None, failure: str = ""
    ) -> Version | None:
        """Makes a build of a stored file; None when storage has no such file.

        Without an app the build becomes the first one of a new app.
        """
        stored = self.storage.find(key)
        if stored is None:
            return None
        facts = read_build(stored.path, filename)
        with self.lock:
            now = self.clock.now()
            if app is None:
                app = self.apps.new_app(facts.label, facts.platform, now, account)
            version = Version(
                id=self.apps.next_version_id(),
                app_id=app.id,
                name=facts.label,
                version=facts.version,
                package=facts.package,
                filename=filename,
                key=key,
                path=stored.path,
                sha256=stored.sha256,
                created=now,
                ready=now + self.delays.parsing,
                creator=account,
                failure=failure or facts.failure,
            )
            app.versions[version.id] = version
        self.record.register(app_id=app.id, version_id=version.id, filename=filename, sha256=stored.sha256)
        return version

    # Sessions

    def begin_session(
        self,
        account: str,
        wanted: Callable[[Device], bool],
        *,
        name: str,
        description: str,
        capabilities: dict[str, Any],
        build: Version | None,
        idle_limit: float | None,
    ) -> Session:
        """Takes a free device that is wanted and starts a session on it; `ready_session` opens it for commands.

        Raises:
            NoSuchDevice: No drivable device is wanted.
            DeviceTaken: All that are wanted are in use, or reserved by others.
        """
        with self.lock:
            self._settle()
            matching = [d for d in self.devices if d.drivable and wanted(d)]
            if not matching:
                raise NoSuchDevice
            free = [d for d in matching if self.free_for(account, d)]
            if not free:
                raise DeviceTaken
            now = self.clock.now()
            return self.sessions.add(
                account=account,
                device=free[0],
                name=name,
                description=description,
                capabilities=capabilities,
                build=build,
                idle_limit=min(max(idle_limit or USUAL_IDLE, SHORTEST_IDLE), LONGEST_IDLE),
                started=now,
                last_command=now,
                updated=now,
            )

    def ready_session(self, session: Session, webdriver_id: str) -> bool:
        """Opens a begun session for commands; says no when it was ended in the meantime."""
        with self.lock:
            if not session.open:
                return False
            session.webdriver_id = webdriver_id
            session.last_command = session.updated = self.clock.now()
            return True

    def end_session(self, session: Session, state: str = COMPLETE) -> bool:
        """Ends a session and frees its device; says whether it was still open."""
        with self.lock:
            if not session.open:
                return False
            engine = self._ended(session, state, self.clock.now())
        _close(engine)
        self.clock.wake()
        return True

    def open_session(self, webdriver_id: str) -> Session | None:
        """The session that takes commands under this id; None when there is none, or it has ended."""
        with self.lock:
            self._settle()
            session = self.sessions.by_webdriver_id(webdriver_id)
            return session if session is not None and session.open else None

    def artifact(self, session: Session, kind: str) -> str | None:
        """The storage key of what a session left behind; None while the farm has not made it.

        Args:
            session: The session.
            kind: `device_log`, `appium_log`, `video` or `network_log`.
        """
        with self.lock:
            self._settle()
            late = session.ended is None or self.clock.now() < session.ended + getattr(self.delays, kind)
            if late or kind in session.never:
                return None
            if kind not in session.stored:
                filename, content = artifacts.MAKERS[kind](session, self.clock)
                session.stored[kind] = self.storage.keep(f"sessions/{session.id}/{filename}", content)
            return session.stored[kind]

    def settle(self) -> None:
        """Ends the sessions that have died of inactivity by now."""
        with self.lock:
            self._settle()

    def _settle(self) -> None:
        now = self.clock.now()
        for session in self.sessions:
            end = session.idle_end()
            if end is not None and end <= now:
                engine = self._ended(session, TIMEOUT, end)
                # Nobody may wait for an engine while the lock is held.
                threading.Thread(target=_close, args=(engine,), daemon=True).start()

    def _ended(self, session: Session, state: str, at: float) -> Engine | None:
        """Marks a session as ended and gives its engine, which is still to be closed."""
        session.ended = session.updated = at
        session.state = state
        if self.cleans_after_use:
            self.clean(session.device, at)
        engine, session.engine = session.engine, None
        if engine is not None:
            session.device_lines = engine.device_lines()
        return engine

    # Facts for tests

    def facts(self) -> dict[str, Any]:
        """The record as JSON: what was asked, stored, begun and ended; ended things stay in it."""
        self.settle()
        with self.lock:
            now = self.clock.now()
            sessions = list(self.sessions)
            reservations = list(self.reservations)
            return {
                "time": now,
                "overlaps": overlaps(sessions, now),
                **self.record.facts(),
                "open_sessions": [s.id for s in sessions if s.open],
                "open_reservations": [r.id for r in reservations if r.status(now) == "reserved"],
                "sessions": [_session_facts(s) for s in sessions],
                "reservations": [
                    {**asdict(r), "status": r.status(now), "released": r.released(now)} for r in reservations
                ],
            }


def _close(engine: Engine | None) -> None:
    if engine is not None:
        engine.close()


def _session_facts(session: Session) -> dict[str, Any]:
    return {
        "id": session.id,
        "account": session.account,
        "udid": session.device.udid,
        "name": session.name,
        "description": session.description,
        "state": session.state,
        "open": session.open,
        "verdicts": list(session.verdicts),
        "cases": [{"name": case.name, "steps": list(case.steps), "verdict": case.verdict} for case in session.cases],
        "started": session.started,
        "ended": session.ended,
        "webdriver_id": session.webdriver_id,
        "commands": len(session.commands),
        "app": None if session.build is None else session.build.id,
    }
