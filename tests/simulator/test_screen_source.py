from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from pytest_devicefarm.simulator.source import AppSource, BrokenApp


def a_build(folder: Path, files: dict[str, bytes]) -> Path:
    path = folder / "shop.apk"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def test_a_build_says_who_it_is(tmp_path: Path) -> None:
    root = b'<app package="com.example.shop" version="1.4.0" platform="iOS" width="300">'
    xml = b"\xef\xbb\xbf" + root + b"<title>Shop</title></app>"
    source = AppSource.from_zip(a_build(tmp_path, {"app.xml": xml}))
    assert (source.package, source.version, source.platform) == ("com.example.shop", "1.4.0", "ios")
    assert (source.title, source.width, source.height) == ("Shop", 300, 852)


def test_a_real_build_gets_the_plain_screen(tmp_path: Path) -> None:
    assert AppSource.from_zip(a_build(tmp_path, {"AndroidManifest.xml": b"\x03\x00"})) == AppSource.default()


def test_what_is_no_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.apk"
    path.write_text("hello")
    with pytest.raises(BrokenApp, match=r"notes\.apk cannot be read as a zip"):
        AppSource.from_zip(path)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"<app>" + b" " * 2_000_000 + b"</app>", "larger than 1024 KiB"),
        (b"\xff\xfe<app/>", "not UTF-8"),
        (b"<app", "not well-formed"),
    ],
)
def test_a_description_that_cannot_be_read_is_refused(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(BrokenApp, match=message):
        AppSource.from_zip(a_build(tmp_path, {"app.xml": data}))


@pytest.mark.parametrize(
    ("xml", "message"),
    [
        ("<html/>", "must have <app> as its root, not <html>"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><app/>', "has a DOCTYPE"),
        ('<app><MockButton id="b" goTo="two"/><screen id="one"/></app>', "names the screen 'two', .* known: one"),
        ('<app><MockButton id="b" showAlert="hi"/></app>', "names the alert 'hi', .* known: none"),
        ("<app><screen/></app>", "a <screen> in app.xml has no id"),
        ('<app><MockButton id="b" delay="soon"/></app>', "<MockButton id='b'> in app.xml has delay='soon'"),
        ('<app><MockButton left="nan"/></app>', "left='nan'"),
        ('<app width="5"/>', "width=5"),
        ("<app>" + "<a>" * 60 + "</a>" * 60 + "</app>", "nested more than 50"),
    ],
)
def test_a_mistake_is_named(xml: str, message: str) -> None:
    with pytest.raises(BrokenApp, match=message):
        AppSource.from_xml(xml)
