from __future__ import annotations

import plistlib
import zipfile
from pathlib import Path

import pytest
from support.kobiton import an_app

from pytest_devicefarm.simulator.buildfile import BuildFacts, read_build


def a_file(folder: Path, content: bytes = b"", **members: bytes) -> Path:
    path = folder / "stored"
    if not members:
        path.write_bytes(content)
        return path
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def test_an_app_described_in_xml_says_who_it_is(tmp_path: Path) -> None:
    path = a_file(tmp_path, an_app('<app package="a.b" version="2" platform="ios"><title>Shop</title></app>'))
    assert read_build(path, "shop.ipa") == BuildFacts("Shop", "ios", "2", "a.b")


@pytest.mark.parametrize("fmt", [plistlib.FMT_XML, plistlib.FMT_BINARY])
def test_an_ipa_says_who_it_is(tmp_path: Path, fmt: plistlib.PlistFormat) -> None:
    facts = plistlib.dumps({"CFBundleIdentifier": "a.b", "CFBundleShortVersionString": "3.1"}, fmt=fmt)
    path = a_file(tmp_path, **{"Payload/Shop.app/Info.plist": facts})
    assert read_build(path, "shop.ipa") == BuildFacts("shop", "ios", "3.1", "a.b")


@pytest.mark.parametrize("manifest", [{"other": b"x"}, {"AndroidManifest.xml": b"damaged"}])
def test_an_apk_without_a_readable_manifest_is_still_a_build(tmp_path: Path, manifest: dict[str, bytes]) -> None:
    assert read_build(a_file(tmp_path, **manifest), "shop.apk") == BuildFacts("shop", "android")


def test_a_damaged_plist_leaves_the_ipa_nameless(tmp_path: Path) -> None:
    path = a_file(tmp_path, **{"Payload/Shop.app/Info.plist": b"damaged"})
    assert read_build(path, "shop.ipa") == BuildFacts("shop", "ios")


def test_what_is_no_archive_cannot_be_used(tmp_path: Path) -> None:
    assert read_build(a_file(tmp_path, b"text"), "shop.apk").failure == "the file is not an app archive"


def test_a_broken_description_cannot_be_used(tmp_path: Path) -> None:
    assert "app.xml" in read_build(a_file(tmp_path, an_app("<broken")), "shop.apk").failure
