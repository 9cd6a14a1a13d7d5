from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from pytest_devicefarm.core.errors import AppError, ConfigurationError, FarmError, FarmRefused
from pytest_devicefarm.core.model import App, Build
from pytest_devicefarm.farms.kobiton.farm import KobitonFarm
from pytest_devicefarm.simulator.faults import Fault
from pytest_devicefarm.simulator.world import World


def a_build(folder: Path, name: str = "shop.apk", content: str = "one") -> Build:
    path = folder / name
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("classes.dex", content)
    data = path.read_bytes()
    return Build(path, hashlib.sha256(data).hexdigest(), len(data), "android", "com.example.shop", "1.0")


def test_an_uploaded_build_is_parsed_and_can_be_referred_to(farm: KobitonFarm, world: World, tmp_path: Path) -> None:
    build = a_build(tmp_path)
    app = farm.upload(build)
    assert app.reference == f"kobiton-store:v{app.id}"
    assert (app.sha256, app.platform, app.package) == (build.sha256, "android", "com.example.shop")
    assert world.record.uploads == {build.sha256: 1}


def test_the_uploaded_name_carries_the_digest(farm: KobitonFarm, world: World, tmp_path: Path) -> None:
    build = a_build(tmp_path)
    farm.upload(build)
    assert [one["filename"] for one in world.record.registered] == [f"shop-{build.sha256[:12]}.apk"]


def test_an_upload_tells_how_far_it_is(farm: KobitonFarm, tmp_path: Path) -> None:
    build, told = a_build(tmp_path), []
    farm.upload(build, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (build.size, build.size)


def test_a_build_that_cannot_be_parsed_is_an_error_with_the_farms_reason(
    farm: KobitonFarm, world: World, tmp_path: Path
) -> None:
    world.faults.add(Fault("createApplicationOrVersion", "parse_failure", reason="no manifest"))
    with pytest.raises(AppError, match=r"shop\.apk.*no manifest"):
        farm.upload(a_build(tmp_path))


def test_parsing_is_waited_for_with_growing_pauses_and_not_for_ever(
    farm: KobitonFarm, world: World, tmp_path: Path
) -> None:
    world.faults.add(Fault("getApplicationVersion", "status", count=-1, status=404))
    began = world.clock.now()
    with pytest.raises(FarmError, match="has not parsed"):
        farm.upload(a_build(tmp_path))
    assert 590 < world.clock.now() - began <= 600


def test_storage_that_refuses_the_file_is_an_error(farm: KobitonFarm, world: World, tmp_path: Path) -> None:
    world.faults.add(Fault("storage.put", "status", count=-1, status=400))
    with pytest.raises(FarmRefused, match="400"):
        farm.upload(a_build(tmp_path))


def test_a_known_build_is_not_uploaded_again(farm: KobitonFarm, tmp_path: Path) -> None:
    build = a_build(tmp_path)
    app = farm.upload(build)
    assert farm.find_app(build, app) == app


def test_a_build_is_found_by_the_digest_in_its_name(farm: KobitonFarm, tmp_path: Path) -> None:
    build = a_build(tmp_path)
    app = farm.upload(build)
    assert farm.find_app(build, None) == app


def test_a_build_that_was_deleted_is_not_found(farm: KobitonFarm, tmp_path: Path) -> None:
    build = a_build(tmp_path)
    app = farm.upload(build)
    farm.api.versions.delete(app.id)
    assert farm.find_app(build, app) is None


def test_another_build_of_the_same_name_and_version_is_not_taken_for_it(farm: KobitonFarm, tmp_path: Path) -> None:
    farm.upload(a_build(tmp_path, content="one"))
    assert farm.find_app(a_build(tmp_path, content="two"), None) is None


def test_an_id_that_belongs_to_another_build_by_now_does_not_count(farm: KobitonFarm, tmp_path: Path) -> None:
    other = farm.upload(a_build(tmp_path, "other.apk", "other"))
    build = a_build(tmp_path)
    remembered = App(other.id, other.reference, "android", "shop-0123", version="1.0", sha256=build.sha256)
    assert farm.find_app(build, remembered) is None


def test_builds_are_listed_the_newest_first(farm: KobitonFarm, world: World, tmp_path: Path) -> None:
    for name in ("first.apk", "second.apk"):
        farm.upload(a_build(tmp_path, name, name))
        world.clock.advance(1)
    assert [app.name.split("-")[0] for app in farm.list_apps()] == ["second", "first"]


def test_apps_can_be_read_shared_and_deleted(farm: KobitonFarm, tmp_path: Path) -> None:
    farm.upload(a_build(tmp_path))
    (app,) = farm.api.apps.list().apps
    farm.api.apps.make_public(app.id)
    farm.api.apps.make_private(app.id)
    assert farm.api.apps.get(app.id).versions[0].version == "1.0"
    farm.api.apps.delete(app.id)
    assert farm.api.apps.list().apps == ()


def test_deleting_several_apps_tells_which_failed(farm: KobitonFarm) -> None:
    outcome = farm.api.apps.delete_many(app_ids=[7, 8])
    assert (outcome.deleted, outcome.failed) == (0, 2)


@pytest.mark.parametrize("text", ["kobiton-store:17", "kobiton-store:v23"])
def test_a_store_reference_is_passed_through(farm: KobitonFarm, text: str) -> None:
    app = farm.parse_reference(text)
    assert app is not None
    assert app.reference == text


def test_an_address_is_passed_through_and_known_without_its_signature(farm: KobitonFarm) -> None:
    app = farm.parse_reference("https://builds.example/shop.ipa?sig=s3cret")
    assert app is not None
    assert (app.id, app.platform) == ("https://builds.example/shop.ipa", "ios")
    assert app.reference.endswith("?sig=s3cret")


def test_a_path_is_no_reference(farm: KobitonFarm) -> None:
    assert farm.parse_reference("build/shop.apk") is None


def test_a_broken_store_reference_says_how_to_write_it(farm: KobitonFarm) -> None:
    with pytest.raises(ConfigurationError, match="kobiton-store:vVERSIONID"):
        farm.parse_reference("kobiton-store:")
