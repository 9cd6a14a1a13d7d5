"""An upload streams: memory does not grow with the file, and nothing is sent twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

from support.runs import SimulatedFarm, a_farm
from support.tables import Table

SIZE = 1024**3
MOST_GROWTH = 30e6

UPLOAD = """
import json, os, resource, sys, time
from pathlib import Path
from pytest_devicefarm.core.builds import read_build
from pytest_devicefarm.core.registry import find_farm
from pytest_devicefarm.core.settings import farm_settings
from pytest_devicefarm.core.uploads import UploadCache

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

state, small, large = map(Path, sys.argv[1:])
spec = find_farm("kobiton")
with spec.open(farm_settings(spec, environ=os.environ)) as farm:
    cache = UploadCache(state, farm)
    cache.ensure(read_build(small))
    before, began = peak(), time.monotonic()
    build = read_build(large)
    read = time.monotonic()
    cache.ensure(build)
    done = time.monotonic()
print(json.dumps({"grown": peak() - before, "read": read - began, "sent": done - read}))
"""

BARE = """
import json, os, sys, time
import requests
auth, url = (os.environ["KOBITON_USERNAME"], os.environ["KOBITON_API_KEY"]), os.environ["KOBITON_URL"] + "/v1"
began = time.monotonic()
place = requests.post(f"{url}/apps/uploadUrl", json={"filename": "bare.apk"}, auth=auth).json()
headers = {"Content-Type": "application/octet-stream", "x-amz-tagging": "unsaved=true"}
with open(sys.argv[1], "rb") as file:
    requests.put(place["url"], data=file, headers=headers).raise_for_status()
print(json.dumps({"sent": time.monotonic() - began}))
"""


def test_a_build_of_one_gigabyte(tmp_path: Path, table: Table) -> None:
    """Upload of a build of 1 GB"""
    small, large = a_build(tmp_path / "small.apk", 1000), a_build(tmp_path / "large.apk", SIZE)
    (tmp_path / "farm").mkdir()
    with a_farm(tmp_path / "farm") as farm:
        bare = child(farm, BARE, large)
        first = child(farm, UPLOAD, tmp_path / "state", small, large)
        sent = uploads(farm)
        second = child(farm, UPLOAD, tmp_path / "state", small, large)
        sent_again = uploads(farm) - sent
    large.unlink()
    table.add("growth of memory", f"{first['grown'] / 1e6:.1f} MB", "< 30 MB", first["grown"] < MOST_GROWTH)
    ratio = first["sent"] / bare["sent"]
    table.add("time against bare requests", f"{ratio:.2f} x", "<= 1.25 x", ratio <= 1.25)
    table.add("reading and digest", f"{first['read']:.1f} s")
    table.add("uploads of a second run", f"{sent_again}", "0", not sent_again)
    table.add("time of a second run", f"{second['read'] + second['sent']:.1f} s")
    assert first["grown"] < MOST_GROWTH
    assert not sent_again


def a_build(path: Path, size: int) -> Path:
    """A simulator app with a member of so many bytes, which neither compress nor repeat."""
    block = os.urandom(min(size, 1024**2))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as apk:
        apk.writestr("app.xml", f'<app package="com.example.size{size}" version="1.0"/>')
        with apk.open("assets/payload", "w", force_zip64=True) as payload:
            for number in range(size // len(block)):
                payload.write(block[number:] + block[:number])
    return path


def child(farm: SimulatedFarm, source: str, *arguments: Path) -> dict[str, Any]:
    """What a process of its own prints."""
    done = subprocess.run(
        [sys.executable, "-c", source, *map(str, arguments)],
        env={**os.environ, **farm.environment},
        stdout=subprocess.PIPE,
        check=True,
    )
    facts: dict[str, Any] = json.loads(done.stdout)
    return facts


def uploads(farm: SimulatedFarm) -> int:
    """How many files the farm has taken so far."""
    return sum(farm.record()["uploads"].values())
