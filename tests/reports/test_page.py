from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

from reports.builders import a_device, a_job, a_session

from pytest_devicefarm.core.model import Artifact, ArtifactKind
from pytest_devicefarm.reports.artifacts import SessionJob
from pytest_devicefarm.reports.page import write_page

EVIL = "</title><script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


class Page(HTMLParser):
    """Tags with their attributes, and the text of a page."""

    def __init__(self, folder: Path, job: SessionJob, artifacts: list[Artifact]) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(write_page(folder, job, artifacts).read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def attributes(self, tag: str, name: str) -> list[str | None]:
        return [attributes[name] for each, attributes in self.tags if each == tag and name in attributes]


def a_file(path: Path, kind: ArtifactKind, media_type: str, content: bytes = b"x") -> Artifact:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return Artifact(kind, path.name, path, media_type)


def test_the_page_shows_what_happened_and_plays_the_video(tmp_path: Path) -> None:
    artifacts = [
        a_file(tmp_path / "video.mp4", ArtifactKind.VIDEO, "video/mp4"),
        a_file(tmp_path / "screenshots" / "0001.png", ArtifactKind.SCREENSHOT, "image/png"),
        a_file(tmp_path / "network.har", ArtifactKind.NETWORK_LOG, "application/json"),
        Artifact(ArtifactKind.APPIUM_LOG, "appium.log", None, "", "not there after 120 s"),
    ]
    page = Page(tmp_path, a_job(waited=7.0, infrastructure="hub gone"), artifacts)
    assert page.attributes("video", "src") == ["video.mp4"]
    assert page.attributes("img", "src") == ["screenshots/0001.png"]
    assert page.attributes("a", "href") == [
        "https://portal.example/sessions/42",
        "video.mp4",
        "screenshots/0001.png",
        "network.har",
    ]
    for text in ("failed", "Galaxy S23 (android 14, R5CT1)", "12.5 s", "7 s", "hub gone", "not there after 120 s"):
        assert text in page.text


def test_the_page_shows_the_end_of_a_log(tmp_path: Path) -> None:
    lines = "".join(f"line {number}\n" for number in range(10_000)).encode() + b"\x00\xff <b>last</b>\n"
    page = Page(tmp_path, a_job(), [a_file(tmp_path / "device.log", ArtifactKind.DEVICE_LOG, "text/plain", lines)])
    assert "line 9999\n\ufffd\ufffd <b>last</b>" in page.text
    assert "line 9000\n" not in page.text


def test_nothing_that_others_wrote_becomes_markup(tmp_path: Path) -> None:
    device = replace(a_device(EVIL), version=EVIL, udid=EVIL)
    session = replace(a_session(device, url="javascript:alert(1)"), id=EVIL)
    job = a_job(f"t.py::{EVIL}", device=device, session=session, role=EVIL, infrastructure=EVIL, outcome=EVIL)
    log = a_file(tmp_path / "device.log", ArtifactKind.DEVICE_LOG, "text/plain", EVIL.encode())
    artifacts = [replace(log, name=EVIL, note=EVIL), Artifact(ArtifactKind.VIDEO, EVIL, None, "", EVIL)]
    page = Page(tmp_path, job, artifacts)
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "img"})
    assert page.attributes("a", "href") == ["device.log"]
    assert page.text.count("alert(1)") >= 10


def test_a_log_that_is_gone_is_said(tmp_path: Path) -> None:
    gone = Artifact(ArtifactKind.DEVICE_LOG, "device.log", tmp_path / "device.log", "text/plain")
    assert "cannot be read" in Page(tmp_path, a_job(), [gone]).text
