"""What Appium sessions left behind: TestGrid calls each of them a build and shows it some time after its end."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from werkzeug.wrappers import Response

from pytest_devicefarm.farms.testgrid.simulator.answers import answer, form
from pytest_devicefarm.farms.testgrid.simulator.capabilities import project_of
from pytest_devicefarm.farms.testgrid.simulator.devices import CODES, known
from pytest_devicefarm.simulator import artifacts
from pytest_devicefarm.simulator.contract import LOOSE_ID, TEXT
from pytest_devicefarm.simulator.sessions import Session
from pytest_devicefarm.simulator.wire import Call, Route, Unknown
from pytest_devicefarm.simulator.world import World

if TYPE_CHECKING:
    from pytest_devicefarm.farms.testgrid.simulator.wire import TestGridWire

_PASSED, _FAILED = "1", "0"


def list_automation_builds(call: Call) -> Response:
    """The runs on a device, the latest first, with an entry for each test case that was named."""
    device = known(call.world, call.body["device_id"])
    clock = call.world.clock
    before, minutes = call.body.get("build_number"), call.body.get("last_minutes")
    rows = []
    for session in reversed(finished(call.world, call.account.name)):
        started = clock.date(session.started)
        if (
            session.device is not device
            or (before is not None and session.id >= before)
            or (minutes is not None and started < clock.calendar() - 60 * minutes)
        ):
            continue
        rows += [
            {
                "build_number": str(session.id),
                "session_name": name,
                "project_name": project_of(session),
                "testcase_name": name,
                "created": _written(started)[:19],
            }
            for name in [case.name for case in session.cases] or ["undefined"]
        ]
    wanted = {name: call.body[name] for name in ("project_name", "session_name") if call.body.get(name)}
    return answer(call, data=[row for row in rows if wanted.items() <= row.items()])


def get_automation_build_logs(call: Call) -> Response:
    """Log and video of a run; what is not there yet is empty."""
    session = build_of(call, call.path["build_number"])
    if fault := call.struck_by("artifact_never"):
        session.never.update(fault.kinds)
    clock, ended = call.world.clock, session.ended or session.started
    log = call.world.artifact(session, "appium_log")
    stored = None if log is None else call.world.storage.find(log)
    failed = any(case.verdict.lower().startswith("fail") for case in session.cases)
    facts = {
        "logs": "" if stored is None else stored.path.read_text(),
        "device_type": CODES[session.device.platform],
        "username": "",
        "name": session.device.name,
        "version": session.device.version,
        "image": session.device.name,
        "src": _video_url(call, session),
        "duration": str(round(ended - session.started)),
        "start_date": _written(clock.date(session.started)),
        "end_date": _written(clock.date(ended)),
        "status": _FAILED if failed else _PASSED,
    }
    return answer(call, "Log info", data=[facts])


def get_device_logs(call: Call) -> Response:
    """Where the log of a device is: it goes through all sessions on it, also the one that runs."""
    device = known(call.world, call.path["device_id"])
    sessions = [s for s in call.world.sessions if s.device is device and "device_log" not in s.never]
    text = b"".join(artifacts.device_log(session, call.world.clock)[1] for session in sessions)
    path = f"/device-cloud/DeviceLogs/{device.udid}/DeviceLog.txt"
    key = call.world.storage.keep(path.lstrip("/"), text)
    url = cast("TestGridWire", call.wire).publish(call, path, key)
    return answer(call, "Device logs", log_file_url=url)


def finished(world: World, account: str) -> list[Session]:
    """The sessions of an account that are shown as builds by now, the oldest first."""
    world.settle()
    shown = world.clock.now() - world.delays.appium_log
    mine = (s for s in world.sessions if s.account == account and s.webdriver_id is not None)
    return [session for session in mine if session.ended is not None and session.ended <= shown]


def build_of(call: Call, number: str) -> Session:
    """The caller's run of this number.

    Raises:
        Unknown: There is none, or it is not shown yet.
    """
    found = (s for s in finished(call.world, call.account.name) if str(s.id) == number)
    session = next(found, None)
    if session is None:
        raise Unknown("Build not found.")
    return session


def _video_url(call: Call, session: Session) -> str:
    key = call.world.artifact(session, "video")
    if key is None:
        return ""
    path = f"/device-cloud/Logs/appium/{call.account.key}/{session.id}/Recording.mp4"
    return cast("TestGridWire", call.wire).publish(call, path, key)


def _written(date: float) -> str:
    return datetime.fromtimestamp(date, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


_FILTERS: dict[str, Any] = {
    "project_name": TEXT,
    "session_name": TEXT,
    "build_number": LOOSE_ID,
    "last_minutes": LOOSE_ID,
}

ROUTES: tuple[Route, ...] = (
    Route(
        "listAutomationBuilds",
        "POST",
        "/api/user/builds",
        list_automation_builds,
        query=None,
        body=form(device_id=TEXT.must(), **_FILTERS),
    ),
    Route(
        "getAutomationBuildLogs",
        "POST",
        "/api/user/logs/{build_number}",
        get_automation_build_logs,
        query=None,
        body=form(),
        effects=frozenset({"artifact_never"}),
    ),
    Route("getDeviceLogs", "POST", "/api/user/device-logs/{device_id}", get_device_logs, query=None, body=form()),
)
