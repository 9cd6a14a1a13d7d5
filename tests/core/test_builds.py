from __future__ import annotations

import hashlib
import plistlib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from support.packages import a_bundle_manifest, a_compiled_manifest, a_zip

from pytest_devicefarm.core.builds import LARGEST_MANIFEST, read_build
from pytest_devicefarm.core.errors import AppError, ConfigurationError

INFO: dict[str, Any] = {"CFBundleIdentifier": "test.shop", "CFBundleShortVersionString": "2.1"}


# what is read


def test_an_apk_tells_package_and_version(tmp_path: Path) -> None:
    path = a_zip(tmp_path / "shop.apk", {"AndroidManifest.xml": a_compiled_manifest("test.shop", "1.2")})
    build = read_build(path)
    assert (build.platform, build.package, build.version) == ("android", "test.shop", "1.2")


def test_an_apk_of_tests_has_no_version(tmp_path: Path) -> None:
    path = a_zip(tmp_path / "shop-androidTest.apk", {"AndroidManifest.xml": a_compiled_manifest("test.shop.test")})
    build = read_build(path)
    assert (build.package, build.version) == ("test.shop.test", "")


def test_a_bundle_tells_package_and_version(tmp_path: Path) -> None:
    path = a_zip(tmp_path / "shop.aab", {"base/manifest/AndroidManifest.xml": a_bundle_manifest("test.shop", "1.2")})
    build = read_build(path)
    assert (build.platform, build.package, build.version) == ("android", "test.shop", "1.2")


@pytest.mark.parametrize("manifest", [b"", b"\xff" * 40, b"\x0a\x7f"])
def test_a_bundle_may_keep_its_package_to_itself(tmp_path: Path, manifest: bytes) -> None:
    path = a_zip(tmp_path / "shop.aab", {"base/manifest/AndroidManifest.xml": manifest})
    assert read_build(path).package == ""


@pytest.mark.parametrize("form", [plistlib.FMT_BINARY, plistlib.FMT_XML])
def test_an_ipa_tells_bundle_id_and_version(tmp_path: Path, form: plistlib.PlistFormat) -> None:
    info = plistlib.dumps(INFO, fmt=form)
    path = a_zip(tmp_path / "Shop.IPA", {"Payload/Shop.app/Info.plist": info, "Payload/Shop.app/X.app/Info.plist": b""})
    build = read_build(path)
    assert (build.platform, build.package, build.version) == ("ios", "test.shop", "2.1")
    assert build.upload_name == f"Shop-{build.sha256[:12]}.ipa"


def test_a_zip_with_an_app_folder_is_an_ios_build(tmp_path: Path) -> None:
    path = a_zip(tmp_path / "shop.zip", {"Shop.app/Info.plist": plistlib.dumps(INFO)})
    assert (read_build(path).platform, read_build(path).package) == ("ios", "test.shop")


@pytest.mark.parametrize(
    ("name", "root", "platform"),
    [
        ("shop.apk", '<app package="test.shop" version="3"/>', "android"),
        ("shop.ipa", '<app package="test.shop" version="3"/>', "ios"),
        ("shop.zip", '<app package="test.shop" version="3" platform="Android"/>', "android"),
    ],
)
def test_a_zip_with_app_xml_is_a_simulator_app(tmp_path: Path, name: str, root: str, platform: str) -> None:
    build = read_build(a_zip(tmp_path / name, {"app.xml": root.encode()}))
    assert (build.platform, build.package, build.version) == (platform, "test.shop", "3")


def test_a_build_is_known_by_digest_and_size(tmp_path: Path) -> None:
    path = a_zip(tmp_path / "shop.apk", {"app.xml": b"<app/>"})
    build = read_build(path)
    assert build.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert build.size == path.stat().st_size


def test_control_characters_in_names_do_not_reach_a_terminal(tmp_path: Path) -> None:
    info = plistlib.dumps({**INFO, "CFBundleIdentifier": "test.\u202eshop"})
    assert read_build(a_zip(tmp_path / "shop.ipa", {"Payload/S.app/Info.plist": info})).package == r"test.\u202eshop"


# what is refused


def refusal(path: Path) -> str:
    with pytest.raises(AppError) as caught:
        read_build(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_a_build_that_is_not_there_is_a_matter_of_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"there is no build .*shop\.apk .*correct --farm-app"):
        read_build(tmp_path / "shop.apk")


def test_a_folder_is_refused_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "Shop.app").mkdir()
    assert "make a zip of it" in refusal(tmp_path / "Shop.app")


def test_an_unknown_ending_names_the_known_ones(tmp_path: Path) -> None:
    (tmp_path / "shop.exe").write_bytes(b"MZ")
    assert "ends in .apk, .aab, .ipa, .zip" in refusal(tmp_path / "shop.exe")


def test_text_named_apk_is_quoted(tmp_path: Path) -> None:
    (tmp_path / "shop.apk").write_text("not\x1b an app at all, only text")
    message = refusal(tmp_path / "shop.apk")
    assert r'is no readable APK: it starts with "not\x1b an app at all, only", so it is no zip archive' in message
    assert "Nothing was uploaded" in message


def test_an_empty_file_is_said_to_be_empty(tmp_path: Path) -> None:
    (tmp_path / "shop.ipa").touch()
    assert "is no readable IPA: it is empty" in refusal(tmp_path / "shop.ipa")


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_an_archive_cut_short_is_refused(tmp_path: Path, share: float) -> None:
    path = a_zip(tmp_path / "shop.apk", {"app.xml": b"<app/>", "classes.dex": bytes(range(256)) * 9})
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    assert "cut short or damaged" in refusal(path)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("a.apk", "AndroidManifest.xml"),
        ("a.aab", "base/manifest/"),
        ("a.ipa", "Payload/*.app/"),
        ("a.zip", "*.app/Info.plist"),
    ],
)
def test_an_archive_of_something_else_says_what_is_not_in_it(tmp_path: Path, name: str, wanted: str) -> None:
    assert f"it holds neither {wanted}" in refusal(a_zip(tmp_path / name, {"readme.txt": b""}))


@pytest.mark.parametrize(
    ("name", "member"),
    [
        ("a.apk", "AndroidManifest.xml"),
        ("a.aab", "base/manifest/AndroidManifest.xml"),
        ("a.ipa", "Payload/A.app/Info.plist"),
        ("a.apk", "app.xml"),
    ],
)
def test_a_manifest_that_unpacks_without_end_is_refused(tmp_path: Path, name: str, member: str) -> None:
    path = a_zip(tmp_path / name, {member: bytes(LARGEST_MANIFEST + 1)}, compression=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 100_000
    assert "unpacks to more than 16 MB" in refusal(path)


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        (b"<manifest package='a'/>", "is not compiled"),
        (b"\x03\x00\x08\x00", "is damaged"),
        (a_compiled_manifest("test.shop", "1.2")[:60], "is damaged"),
        (b"\x03\x00\x08\x00" + b"\xff" * 400, "is damaged"),
        (a_compiled_manifest("test.shop", "1.2").replace(b"\x80\x01\x08\x00", b"\x81\x01\x08\x00"), "is damaged"),
        (a_compiled_manifest("", "1.2"), "names no package"),
    ],
)
def test_a_manifest_that_cannot_be_read_gives_its_reason(tmp_path: Path, manifest: bytes, reason: str) -> None:
    assert reason in refusal(a_zip(tmp_path / "shop.apk", {"AndroidManifest.xml": manifest}))


@pytest.mark.parametrize(
    "info", [b"", b"bplist00", b"bplist00" + b"\xff" * 40, b"<plist>", plistlib.dumps([1]), plistlib.dumps({"a": 1})]
)
def test_an_info_that_cannot_be_read_is_refused(tmp_path: Path, info: bytes) -> None:
    assert "Info.plist" in refusal(a_zip(tmp_path / "shop.ipa", {"Payload/A.app/Info.plist": info}))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"<app>", "is no XML"),
        (b"", "is no XML"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><app/>', "document type"),
        (b'<app platform="symbian"/>', "'symbian'; there are android and ios"),
    ],
)
def test_a_simulator_app_that_cannot_be_read_is_refused(tmp_path: Path, text: bytes, reason: str) -> None:
    assert reason in refusal(a_zip(tmp_path / "shop.apk", {"app.xml": text}))


def test_a_simulator_app_in_a_plain_zip_has_to_name_its_platform(tmp_path: Path) -> None:
    assert "has to name its platform" in refusal(a_zip(tmp_path / "shop.zip", {"app.xml": b"<app/>"}))


def test_damaged_contents_are_refused(tmp_path: Path) -> None:
    manifest = a_compiled_manifest("test.shop", "1.2")
    path = a_zip(tmp_path / "shop.apk", {"AndroidManifest.xml": manifest})
    path.write_bytes(path.read_bytes().replace(manifest[:40], bytes(40)))
    assert "cut short or damaged" in refusal(path)
