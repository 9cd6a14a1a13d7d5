"""No secret leaves: canaries are planted, runs of every kind are made, and every byte that was written is searched."""

from __future__ import annotations

import base64
import gzip
import html
import io
import json
import signal
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from support.canaries import Searcher
from support.processes import eventually
from support.runs import TWO_PHONES, Run, SimulatedFarm, a_farm, a_run, a_suite
from support.traffic import Relay, relayed

USER = "canary.user%25@example.com"
KEY = "Canary+Key/7f3a9=%40&x"
OTHER_KEY = "an-older-canary-key"
TOKEN = "canarytoken.0123456789abcdef"
PASSWORD = "typed-canary-password"
BASIC = base64.b64encode(f"{USER}:{KEY}".encode()).decode()
IN_NETWORK_LOGS = {name: name for name in ("bearer-demo", "cookie-demo", "s3cret-demo", "demo-token")}

ACCOUNT = f"""
[[account]]
name = "{USER}"
key = "{KEY}"
"""

APP = """
<app width="400" height="852" package="com.example.slow" version="1.0">
  <title>Shop</title>
  <MockInputField id="password" hint="Password" secret="true"/>
  <MockButton id="quick" text="Quick"/>
  <MockButton id="slow" text="Slow" delay="600"/>
</app>
"""

ECHO = {
    "message": f"{USER} with {KEY} (Authorization: Basic {BASIC}, {quote(KEY, safe='')}) is not welcome",
    "access_token": TOKEN,
    "url": f"https://storage.example/file?X-Amz-Signature={TOKEN}&token={TOKEN}",
}
WEBDRIVER_ECHO = {"value": {"error": "unknown error", "message": json.dumps(ECHO), "stacktrace": json.dumps(ECHO)}}
PAGE = f"<html><title>Gateway</title><p>{html.escape(KEY)}</p><p>Basic {BASIC}</p><p>?token={TOKEN}</p></html>"

FAULTS: dict[str, dict[str, Any]] = {
    "command-echo": {"operation": "hub.command", "status": 500, "body": WEBDRIVER_ECHO},
    "hub-gone": {"operation": "hub.command", "effect": "hub_gone"},
    "gateway": {"operation": "hub.command", "status": 502, "html": PAGE},
    "drop-command": {"operation": "hub.command", "effect": "drop"},
    "create-echo": {"operation": "hub.create", "status": 500, "body": WEBDRIVER_ECHO},
    "create-refused": {"operation": "hub.create", "status": 401, "body": ECHO},
    "create-dropped": {"operation": "hub.create", "effect": "drop"},
    "create-lost": {"operation": "hub.create", "effect": "lost_reply"},
    "create-html": {"operation": "hub.create", "status": 502, "html": PAGE},
    "upload-url-half": {"operation": "generateAppUploadUrl", "effect": "half"},
    "put-echo": {"operation": "storage.put", "status": 403, "text": json.dumps(ECHO)},
    "put-dropped": {"operation": "storage.put", "effect": "drop", "count": 4},
    "app-echo": {"operation": "createApplicationOrVersion", "status": 400, "body": ECHO},
    "app-html": {"operation": "createApplicationOrVersion", "status": 200, "html": PAGE},
    "app-types": {"operation": "generateAppUploadUrl", "effect": "wrong_types"},
    "devices-echo": {"operation": "getDevices", "status": 400, "body": ECHO},
    "devices-html": {"operation": "getDevices", "status": 200, "html": PAGE},
    "devices-401": {"operation": "getDevices", "status": 401, "body": ECHO},
    "devices-half": {"operation": "getDevices", "effect": "half", "count": 4},
    "devices-dropped": {"operation": "getDevices", "effect": "drop", "count": 4},
    "devices-slow": {"operation": "getDevices", "effect": "delay", "seconds": 100.0},
    "get-echo": {"operation": "storage.get", "status": 403, "text": json.dumps(ECHO), "count": 4},
    "get-dropped": {"operation": "storage.get", "effect": "drop", "count": 4},
}

VERBOSE = (
    "-v",
    "-rA",
    "-l",
    "--showlocals",
    "--full-trace",
    "--tb=long",
    "-o",
    "log_level=DEBUG",
    "--junitxml=junit.xml",
)


@dataclass
class Scene:
    """A farm whose traffic is kept, and a folder that holds all that may be written.

    Attributes:
        outside: For what holds secrets by right; not searched.
        folder: Of the runs, with their home and temporary files.
    """

    outside: Path
    folder: Path
    farm: SimulatedFarm
    relay: Relay
    command_lines: set[bytes] = field(default_factory=set)

    @property
    def environment(self) -> dict[str, str]:
        home = self.folder / "home"
        return {
            "KOBITON_URL": self.relay.url,
            "KOBITON_HUB_URL": f"{self.relay.url}/wd/hub",
            "KOBITON_USERNAME": USER,
            "KOBITON_API_KEY": KEY,
            "DEVICEFARM_FARM": "kobiton",
            "DEVICEFARM_STATE": str(self.folder / "state"),
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_STATE_HOME": str(home / "state"),
            "TMPDIR": str(self.folder / "tmp"),
            "EXECNET_DEBUG": "1",
            "FAULTS": str(self.outside / "faults"),
            "SIMULATOR": self.farm.url,
            "SHOP_PASSWORD": PASSWORD,
        }

    def run(self, *arguments: str, **environment: str) -> str:
        """Make a run and wait for its end; gives its output."""
        with self.running(*arguments, **environment) as run:
            run.wait(240)
            return run.output

    def running(self, *arguments: str, **environment: str) -> AbstractContextManager[Run]:
        return a_run(self.folder, self.farm, *arguments, **{**self.environment, **environment})

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Use the command line; what it prints is kept in the folder."""
        done = subprocess.run(
            [sys.executable, "-c", "from pytest_devicefarm.cli import main; main()", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        name = "-".join(word.strip("-") for word in arguments)
        (self.folder / f"{name}.txt").write_text(done.stdout + done.stderr)
        return done

    def hits(self, *besides: Path) -> list[str]:
        """Where a secret lies open; every signature that the farm gave is one."""
        secrets = {"key": KEY, "older key": OTHER_KEY, "token": TOKEN, **IN_NETWORK_LOGS}
        searcher = Searcher(secrets, [USER], self.relay.signatures())
        shown = {line for line in self.command_lines if searcher.in_bytes(line)}
        return searcher.below(self.folder, besides=besides) + [f"process list: {line!r}" for line in sorted(shown)]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    outside, folder = tmp_path / "outside", tmp_path / "searched"
    (outside / "faults").mkdir(parents=True)
    for name, fault in FAULTS.items():
        (outside / "faults" / f"{name}.json").write_text(json.dumps(fault))
    a_suite(folder, Path(__file__).with_name("secrets_suite.py").read_text(), APP)
    for part in ("tmp", "home/config/pytest-devicefarm"):
        (folder / part).mkdir(parents=True)
    with a_farm(outside, TWO_PHONES + ACCOUNT) as farm, relayed(farm.url) as relay:
        scene = Scene(outside, folder, farm, relay)
        with _watched(scene.command_lines):
            yield scene


@contextmanager
def _watched(lines: set[bytes]) -> Iterator[None]:
    """Keeps the command line of every process that comes up meanwhile, whosever it is."""
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.05):
            for file in Path("/proc").glob("[0-9]*/cmdline"):
                with suppress(OSError):
                    lines.add(file.read_bytes())

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_two_workers_that_log_and_report_everything(scene: Scene) -> None:
    output = scene.run(
        *VERBOSE,
        *("-n", "2", "--farm-retries=0", "--reruns=1", "--only-rerun=assert", "--log-file=debug.log"),
        *("--html=report.html", "--alluredir=allure", "--debug=trace.log", "--farm-progress=plain"),
    )
    assert "test_that_passes" in output
    assert "test_that_shows_all_it_has" in output
    assert scene.relay.signatures()
    assert BASIC.encode() in scene.relay.seen
    assert TOKEN.encode() in scene.relay.seen
    assert any(b"pytest_devicefarm.core.guardian" in line for line in scene.command_lines)
    assert list(scene.folder.glob("farm-results/*/*/network.har"))
    assert not scene.hits()


def test_one_process_that_shows_logs_live(scene: Scene) -> None:
    credentials = scene.folder / "home/config/pytest-devicefarm/credentials.toml"
    credentials.touch(mode=0o600)
    credentials.write_text(f'[kobiton]\napi_key = "{KEY}"\n')
    output = scene.run(
        *VERBOSE,
        *("-s", "-o", "log_cli=true", "--html=report.html", "--self-contained-html", "--debug=trace.log"),
        *("--farm-retries=0", "--farm-video=on", "--farm-network-log=on", "--farm-appium-log=on"),
        KOBITON_API_KEY="",
    )
    assert "test_that_shows_all_it_has" in output
    assert BASIC.encode() in scene.relay.seen
    assert not scene.hits(credentials)


def test_typed_text_is_not_in_the_command_timeline(scene: Scene) -> None:
    scene.run("-k", "shows_all", "--farm-appium-log=on")
    (timeline,) = scene.folder.glob("farm-results/latest/*/commands.json")
    assert "sendKeysToElement" in timeline.read_text()
    assert PASSWORD not in timeline.read_text()


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_ended_in_the_middle(scene: Scene, end: signal.Signals) -> None:
    with scene.running(*VERBOSE, "-s", "-k", "time_limit", "-o", "timeout=0", "-p", "no:timeout") as run:
        assert eventually(lambda: bool(scene.farm.record()["open_sessions"]), 30), run.output
        for name in ("leases", "devices", "farms", "reap"):
            assert json.loads(scene.command(name, "--json").stdout)
        run.signal(end)
        run.wait(30)
    assert eventually(scene.farm.is_clean, 15)
    for name in ("leases", "reap", "doctor", "apps"):
        scene.command(name, "--json")
    assert not scene.hits()


@pytest.mark.parametrize(
    "change",
    [
        {"KOBITON_API_KEY": OTHER_KEY},
        {"KOBITON_URL": f"http://{quote(USER, safe='')}:{quote(KEY, safe='')}@127.0.0.1:9"},
        {"KOBITON_URL": f"http://127.0.0.1:9/?token={TOKEN}", "KOBITON_HUB_URL": ""},
        {"KOBITON_URL": "http://127.0.0.1:9", "KOBITON_HUB_URL": "http://127.0.0.1:9/wd/hub"},
        {"KOBITON_HUB_URL": "http://127.0.0.1:9/wd/hub"},
    ],
    ids=["wrong key", "key in the address", "token in the address", "nobody there", "no hub"],
)
def test_a_run_that_cannot_begin(scene: Scene, change: dict[str, str]) -> None:
    output = scene.run(*VERBOSE, "-k", "that_passes", "--farm-retries=0", **change)
    assert output
    assert not scene.hits()


def test_a_simulated_run_does_not_touch_the_keys_of_the_environment(scene: Scene) -> None:
    output = scene.run(*VERBOSE, "-k", "that_passes", "--farm-simulate", "-n", "2", "--debug=trace.log")
    assert "1 passed" in output
    assert not scene.hits()


def _zipped(data: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("member", data)
    return packed.getvalue()


def _in_json(text: str) -> bytes:
    return json.dumps({"of": json.dumps(text.replace("&", "\\u0026"))}).encode()


HIDING_PLACES: dict[str, Callable[[str], bytes]] = {
    "plain": lambda text: text.encode(),
    "percent": lambda text: quote(text, safe="").encode(),
    "base64": lambda text: base64.b64encode(text.encode()),
    "base64 with user": lambda text: base64.b64encode(f"{USER}:{text}".encode()),
    "base64 in the middle": lambda text: base64.b64encode(f"x{text}yz".encode()),
    "JSON in JSON": _in_json,
    "HTML": lambda text: html.escape(text).encode(),
    "JSON in HTML": lambda text: html.escape(_in_json(text).decode()).encode(),
    "zip": lambda text: _zipped(text.encode()),
    "gzip in zip": lambda text: _zipped(gzip.compress(html.escape(text).encode())),
}


@pytest.mark.parametrize("hide", HIDING_PLACES.values(), ids=HIDING_PLACES.keys())
def test_the_search_finds_what_was_planted(tmp_path: Path, hide: Callable[[str], bytes]) -> None:
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    (folder / "file").write_bytes(hide(KEY))
    assert Searcher({"key": KEY}, [USER]).below(tmp_path) == ["a/b/file: key"]


def test_the_search_finds_a_signature(tmp_path: Path) -> None:
    signature = "0123456789abcdef" * 4
    (tmp_path / "plain").write_text(f"https://storage.example/file?X-Amz-Signature={signature}&x=1")
    (tmp_path / "packed").write_bytes(base64.b64encode(f"-X-Amz-Signature={signature}".encode()))
    (tmp_path / "digest").write_text("fedcba9876543210" * 4)
    hits = Searcher({}, signatures=[signature]).below(tmp_path)
    assert hits == ["packed: signed address", "plain: signature"]


def test_the_search_finds_a_secret_in_a_file_name(tmp_path: Path) -> None:
    (tmp_path / f"report-{TOKEN}.html").touch()
    assert Searcher({"token": TOKEN}).below(tmp_path) == [f"report-{TOKEN}.html: token"]


def test_the_search_finds_nothing_where_nothing_is(tmp_path: Path) -> None:
    (tmp_path / "file").write_text(KEY[:-1])
    (tmp_path / "archive").write_bytes(_zipped(b"nothing"))
    assert not Searcher({"key": KEY}, [USER]).below(tmp_path)
