"""Results of runs by the tokens of an application: progress, test cases and network traffic."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from werkzeug.wrappers import Response

from pytest_devicefarm.farms.testgrid.simulator.answers import answer, form
from pytest_devicefarm.farms.testgrid.simulator.apps import application_of
from pytest_devicefarm.farms.testgrid.simulator.runs import build_of
from pytest_devicefarm.simulator import artifacts
from pytest_devicefarm.simulator.contract import TEXT
from pytest_devicefarm.simulator.sessions import Case, Session
from pytest_devicefarm.simulator.wire import Call, Route
from pytest_devicefarm.simulator.world import World

if TYPE_CHECKING:
    from pytest_devicefarm.farms.testgrid.simulator.wire import TestGridWire

_STARTED, _PASSED, _FAILED = "1", "2", "3"
_RUNNING, _FINISHED = 1, 3


def get_execution_detail(call: Call) -> Response:
    """How a run went on its device, test case by test case; it is finished when its network traffic is there too."""
    application_of(call)
    session = build_of(call, call.body["build_number"])
    codes = [_code(case) for case in session.cases]
    over = _traffic_is_complete(call.world, session)
    device = {
        "build_test_id": str(session.id),
        "device_id": str(session.device.id),
        "device_name": session.device.name,
        "no_of_not_started": "0",
        "no_of_started": str(codes.count(_STARTED)),
        "no_of_pass": str(codes.count(_PASSED)),
        "no_of_fail": str(codes.count(_FAILED)),
        "no_of_stopped": "0",
        "no_of_skipped": "0",
        "test_cases": [_case_json(case) for case in session.cases],
        "info": {"bundle_id": "" if session.build is None else session.build.package or ""},
        "is_completed": _FINISHED if over else _RUNNING,
    }
    return answer(
        call,
        "execution detail of build",
        is_build_completed_in_all_devices=str(int(over)),
        build_number=str(session.id),
        build_url=f"{call.base}/build/apps/{session.id}",
        build_devices=[device],
    )


def get_network_log(call: Call) -> Response:
    """What the app said to its backend, as rows of TestGrid's own; none while the log is not made."""
    application_of(call)
    session = build_of(call, call.body["build_test_id"])
    if fault := call.struck_by("artifact_never"):
        session.never.update(fault.kinds)
    if call.world.artifact(session, "network_log") is None:
        return answer(call, "Network Log", data=[])
    entries = artifacts.network_entries(session, call.world.clock)
    return answer(
        call, "Network Log", data=[_row(call, session, number, each) for number, each in enumerate(entries, 1)]
    )


def _traffic_is_complete(world: World, session: Session) -> bool:
    made = world.artifact(session, "network_log") is not None
    return made or "network_log" in session.never


def _row(call: Call, session: Session, number: int, entry: dict[str, Any]) -> dict[str, Any]:
    request, reply = entry["request"], entry["response"]
    start = datetime.fromisoformat(entry["startedDateTime"]).timestamp()
    end = start + entry["time"] / 1000
    path = f"/process/fd/{session.webdriver_id}-{number}.txt"
    key = call.world.storage.keep(path.lstrip("/"), reply["content"]["text"].encode())
    return {
        "id": str(number),
        "url": request["url"],
        "status": "COMPLETE",
        "responsecode": str(reply["status"]),
        "protocol": "https",
        "method": request["method"],
        "contenttype": reply["content"]["mimeType"],
        "requeststarttime": f"{start:.3f}",
        "requestendtime": f"{start + entry['timings']['send'] / 1000:.3f}",
        "responsestarttime": f"{end - entry['timings']['receive'] / 1000:.3f}",
        "responseendtime": f"{end:.3f}",
        "duration": str(round(entry["time"])),
        "requestheadersize": "0",
        "requestbodysize": str(len(request.get("postData", {}).get("text", ""))),
        "responseheadersize": "0",
        "responsebodysize": str(reply["bodySize"]),
        "responsedata": cast("TestGridWire", call.wire).publish(call, path, key),
        "testcase_name": session.cases[0].name if session.cases else "",
        "step_name": "",
        "step_no": "",
    }


def _case_json(case: Case) -> dict[str, str]:
    return {
        "build_module_id": "1",
        "test_case_name": case.name,
        "is_network_assert": "0",
        "parameterised_test_data": "",
        "test_status": _code(case),
        "failed_reason": "",
    }


def _code(case: Case) -> str:
    return {"pass": _PASSED, "fail": _FAILED}.get(case.verdict.lower()[:4], _STARTED)


ROUTES: tuple[Route, ...] = (
    Route(
        "getExecutionDetail",
        "POST",
        "/ci/execution_detail",
        get_execution_detail,
        query=None,
        body=form(application_token=TEXT.must(), build_number=TEXT.must()),
    ),
    Route(
        "getNetworkLog",
        "POST",
        "/ci/networklog",
        get_network_log,
        query=None,
        body=form(application_token=TEXT.must(), build_test_id=TEXT.must()),
        effects=frozenset({"artifact_never"}),
    ),
)
