"""A pool of one's own: two real Appium servers that the run starts, four phones, and nothing left behind."""

from __future__ import annotations

import json
import shlex
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from real.appium_farm import LOGIN_APP, artifact
from real.appium_server import Appium, AppiumServer
from support.pool import a_pool_run, pool_toml
from support.processes import eventually
from support.runs import a_suite, command_line, leftovers, until

TYPING = """
    from pathlib import Path

    import pytest

    @pytest.mark.parametrize("number", range(8))
    def test_typing(appium_driver, leased_device, number):
        assert appium_driver.capabilities["udid"] == leased_device.udid
        field = appium_driver.find_element("id", "user")
        field.send_keys(str(number))
        assert field.text == str(number)
        server = appium_driver.command_executor.client_config.remote_server_addr
        port = appium_driver.capabilities["systemPort"]
        Path(f"seen-{number}").write_text(f"{leased_device.udid} {port} {server}")
"""

STUCK = """
    import time

    def test_that_is_killed(appium_driver):
        print("stuck", flush=True)
        time.sleep(600)
"""

FAILING = """
    def test_that_fails(appium_driver):
        appium_driver.find_element("id", "login").click()
        assert False, "as it should"
"""


def a_command(appium: Appium, *more: str) -> str:
    """How a pool's file would start this Appium."""
    script = appium.home / "node_modules/appium/index.js"
    options = ["--address", "127.0.0.1", "--port", "{port}", "--log-no-colors"]
    return shlex.join([str(appium.node.node), str(script), "server", *options, *more])


def an_environment(appium: Appium) -> dict[str, str]:
    return {**appium.node.environment, "APPIUM_HOME": str(appium.home)}


def four_phones(servers: Sequence[str], capabilities: Mapping[str, object]) -> list[dict[str, object]]:
    return [
        {
            "udid": f"phone-{number}",
            "platform": "android",
            "version": "14",
            "server": servers[number % len(servers)],
            "capabilities": {"appium:automationName": "FarmFake", **capabilities},
        }
        for number in range(4)
    ]


def a_pool(folder: Path, suite: str, servers: Sequence[Mapping[str, object]], **capabilities: object) -> Path:
    """A suite on four phones of these servers."""
    names = [str(server["name"]) for server in servers]
    a_suite(folder, suite, LOGIN_APP)
    (folder / "devicefarm.toml").write_text(pool_toml(servers, four_phones(names, capabilities)))
    return folder


def two_commands(appium: Appium, *more: str) -> list[dict[str, object]]:
    return [{"name": name, "command": a_command(appium, *more), "log": f"{name}.log"} for name in ("left", "right")]


def started(folder: Path) -> list[int]:
    """Processes with something of this folder in their command line or working in it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        pid = int(process.name)
        try:
            works_here = (process / "cwd").readlink() == folder
        except OSError:
            continue
        if works_here and "appium" in command_line(pid):
            found.append(pid)
    return found


@pytest.mark.parametrize("workers", [2, 4])
def test_workers_share_two_servers_that_end_with_the_run(appium: Appium, tmp_path: Path, workers: int) -> None:
    folder = a_pool(tmp_path / "suite", TYPING, two_commands(appium))
    with a_pool_run(folder, "-n", str(workers), **an_environment(appium)) as run:
        assert run.wait(180) == 0, run.output
        assert eventually(lambda: started(folder) == [], 10)
    seen = [path.read_text().split() for path in folder.glob("seen-*")]
    assert len(seen) == 8
    ports = {udid: port for udid, port, _ in seen}
    assert len(set(ports.values())) == len(ports)
    assert all(ports[udid] == port for udid, port, _ in seen)
    assert len({address for _, _, address in seen}) == 2
    assert leftovers(folder) == []


def test_nothing_runs_any_more_after_the_run_is_killed(appium: Appium, tmp_path: Path) -> None:
    folder = a_pool(tmp_path / "suite", STUCK, two_commands(appium))
    with a_pool_run(folder, "-s", **an_environment(appium)) as run:
        until(run, "stuck", 120)
        assert len(started(folder)) == 1
        run.signal(signal.SIGKILL, group=True)
        assert eventually(lambda: started(folder) == [], 30)
        assert eventually(lambda: leftovers(folder) == [], 30)
    # The guardian had the time to end the session the proper way.
    (log,) = folder.glob("*.log")
    assert "DELETE /session/" in log.read_text()


def test_a_running_server_is_used_as_it_is(appium_server: AppiumServer, tmp_path: Path) -> None:
    folder = a_pool(tmp_path / "suite", TYPING, [{"name": "mine", "url": appium_server.url}])
    with a_pool_run(folder, "-n", "2") as run:
        assert run.wait(180) == 0, run.output
    assert appium_server.process.poll() is None
    assert leftovers(folder) == []


def test_logs_and_video_come_from_driver_and_server(appium: Appium, tmp_path: Path) -> None:
    video = tmp_path / "video.mp4"
    video.write_bytes(b"\0\0\0\x18ftypmp42" + bytes(16))
    capabilities = {"appium:farmVideo": str(video)}
    folder = a_pool(tmp_path / "suite", FAILING, two_commands(appium), **capabilities)
    with a_pool_run(folder, **an_environment(appium)) as run:
        assert run.wait(180) == 1, run.output
    assert "click" in artifact(folder, "fails", "device.log")
    assert "POST /session/" in artifact(folder, "fails", "appium.log")
    (kept,) = (folder / "farm-results/latest").glob("*fails*/video.mp4")
    assert kept.read_bytes() == video.read_bytes()


def test_what_the_driver_lacks_is_said(appium_server: AppiumServer, xml_app: Path, tmp_path: Path) -> None:
    stock = {"platformName": "Fake", "appium:automationName": "Fake", "appium:app": str(xml_app)}
    folder = a_pool(tmp_path / "suite", FAILING, [{"name": "mine", "url": appium_server.url}], **stock)
    with a_pool_run(folder) as run:
        assert run.wait(180) == 1, run.output
    notes = {each["kind"]: each["note"] for each in json.loads(artifact(folder, "fails", "session.json"))["artifacts"]}
    assert notes["video"].startswith("the driver gives none: ")
    assert notes["device-log"].startswith("the driver ")
    assert notes["appium-log"].startswith("the driver ")
    assert "no network traffic" in notes["network-log"]


def test_a_session_whose_answer_was_lost_is_found_by_its_token(appium: Appium, tmp_path: Path) -> None:
    folder = a_pool(
        tmp_path / "suite",
        "def test_that_is_killed(appium_driver): pass",
        two_commands(appium, "--allow-insecure", "*:session_discovery")[:1],
        **{"appium:farmCreateDelay": 3000},
    )
    with a_pool_run(folder, "-s", **an_environment(appium)) as run:
        log = folder / "left.log"
        assert eventually(lambda: log.exists() and "POST /session " in log.read_text(), 60), run.output
        run.signal(signal.SIGTERM)
        run.wait(60)
    assert leftovers(folder) == []
    assert eventually(lambda: started(folder) == [], 10)
