"""A pool whose devices are browsers: a real driver with real pages, pictures and console."""

from __future__ import annotations

import json
import re
import shlex
import struct
import textwrap
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from debian.chromium import Chromium
from real.appium_server import Appium
from support.pool import a_pool_run, pool_toml
from support.runs import leftovers
from support.web import Answer, answering

GREEN = (12, 200, 34)
PAGE = f"""
<!doctype html>
<html><head><title>Tea shop</title><link rel="icon" href="data:,"></head>
<body style="margin: 0; background: rgb{GREEN}"><p class="goods">Darjeeling</p>
<script>console.error("out of tea")</script></body></html>
"""

FAILING = """
    import json
    from pathlib import Path

    def test_that_fails(appium_driver):
        appium_driver.get("{url}")
        size = appium_driver.execute_script("return [innerWidth, innerHeight]")
        Path("size.json").write_text(json.dumps(size))
        assert appium_driver.find_element("css selector", ".goods").text == "Assam"
"""

SIDE_BY_SIDE = """
    from pathlib import Path

    import pytest

    @pytest.mark.parametrize("number", range(4))
    def test_title(appium_driver, leased_device, number):
        appium_driver.get("{url}")
        assert appium_driver.title == "Tea shop"
        Path(f"seen-{{leased_device.udid}}").touch()
"""


@pytest.fixture
def shop() -> Iterator[str]:
    """Address of a page."""
    with answering(Answer(body=PAGE.encode(), headers={"Content-Type": "text/html"})) as server:
        yield server.url


def a_pool(folder: Path, suite: str, appium: Appium, chromium: Chromium, *names: str) -> Path:
    """A suite on browsers of these names, with one server that the run starts; nobody has an app."""
    folder.mkdir()
    (folder / "test_suite.py").write_text(textwrap.dedent(suite))
    (folder / "pytest.ini").write_text("[pytest]\n")
    script = appium.home / "node_modules/appium/index.js"
    command = [str(appium.node.node), str(script), "server", "--address", "127.0.0.1", "--port", "{port}"]
    browsers = [
        {"udid": name, "platform": "linux", "capabilities": chromium.capabilities(folder / f"profile-{name}")}
        for name in names
    ]
    server = {"name": "web", "command": shlex.join(command), "log": "web.log"}
    (folder / "devicefarm.toml").write_text(pool_toml([server], browsers))
    return folder


def an_environment(appium: Appium) -> dict[str, str]:
    return {**appium.node.environment, "APPIUM_HOME": str(appium.home)}


def size_and_first_pixel(png: bytes) -> tuple[tuple[int, int], tuple[int, ...]]:
    """Width and height of a picture, and red, green and blue of its top left corner."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    pixels, at = b"", 8
    while at < len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        if kind == b"IDAT":
            pixels += png[at + 8 : at + 8 + length]
        at += 12 + length
    # Every filter of PNG leaves the first pixel of the first row as it is; the byte before it names the filter.
    return struct.unpack_from(">II", png, 16), tuple(zlib.decompress(pixels)[1:4])


def test_a_failing_test_leaves_picture_source_and_console_of_the_page(
    appium: Appium, chromium: Chromium, shop: str, tmp_path: Path
) -> None:
    folder = a_pool(tmp_path / "suite", FAILING.format(url=shop), appium, chromium, "chrome")
    with a_pool_run(folder, **an_environment(appium)) as run:
        assert run.wait(100) == 1, run.output
    (kept,) = (folder / "farm-results/latest").glob("*test_that_fails*")
    size, colour = size_and_first_pixel((kept / "screenshots/0001.png").read_bytes())
    assert list(size) == json.loads((folder / "size.json").read_text())
    assert colour == GREEN
    assert "Darjeeling" in next(kept.glob("*source*")).read_text()
    assert "out of tea" in (kept / "device.log").read_text()
    assert leftovers(folder) == []


def test_browsers_run_side_by_side_with_ports_of_their_own(
    appium: Appium, chromium: Chromium, shop: str, tmp_path: Path
) -> None:
    folder = a_pool(tmp_path / "suite", SIDE_BY_SIDE.format(url=shop), appium, chromium, "left", "right")
    with a_pool_run(folder, "-n", "2", **an_environment(appium)) as run:
        assert run.wait(100) == 0, run.output
    assert {path.name for path in folder.glob("seen-*")} == {"seen-left", "seen-right"}
    ports = set(
        re.findall(r"Proxying .* to \[POST http://127\.0\.0\.1:(\d+)/session", (folder / "web.log").read_text())
    )
    assert len(ports) == 2
    assert leftovers(folder) == []
