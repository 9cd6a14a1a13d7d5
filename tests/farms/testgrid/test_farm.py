"""The farm against its simulator, in both spellings of the answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests
from farms.testgrid.opening import TOKEN, open_farm
from support.clocks import WorldClock
from support.kobiton import an_app

from pytest_devicefarm.core.builds import read_build
from pytest_devicefarm.core.errors import AppError, DeviceBusy, FarmAuthenticationError
from pytest_devicefarm.core.farm import SessionHandle
from pytest_devicefarm.core.model import App, ArtifactKind, Device, DeviceState, FarmSession, RemoteArtifact
from pytest_devicefarm.farms.testgrid.farm import TestGridFarm
from pytest_devicefarm.simulator.faults import Fault
from pytest_devicefarm.simulator.world import World

AFTER = 300.0
"""Simulated seconds after which all artifacts of a session are there."""


def galaxy(farm: TestGridFarm) -> Device:
    return next(device for device in farm.list_devices().devices if device.udid == "U-1")


def shop(farm: TestGridFarm, folder: Path) -> App:
    file = folder / "shop.apk"
    file.write_bytes(an_app())
    return farm.upload(read_build(file))


def asked(farm: TestGridFarm, **more: Any) -> requests.Response:
    device = galaxy(farm)
    capabilities = farm.capabilities(device, None, name="test_it", token="df-1", reset="app")
    secret = {name: value.reveal() for name, value in farm.secret_capabilities().items()}
    body = {"capabilities": {"alwaysMatch": {**capabilities, **secret, **more}}}
    return requests.post(f"{farm.hub_of(device).url}/session", json=body, timeout=10)


def opened(farm: TestGridFarm, clock: WorldClock) -> FarmSession:
    device, started = galaxy(farm), clock.time()
    value = asked(farm).json()["value"]
    return farm.session(device, value["sessionId"], value["capabilities"], started=started)


def handle(session: FarmSession) -> SessionHandle:
    return SessionHandle("df-1", "U-1", session.started, webdriver_id=session.webdriver_id)


def test_devices_are_read_in_both_spellings(farm: TestGridFarm) -> None:
    device = galaxy(farm)
    assert (device.name, device.platform, device.version, device.tags) == (
        "Galaxy S22",
        "android",
        "13",
        ("lab", "fast"),
    )
    states = {one.udid: one.state for one in farm.list_devices().devices}
    assert states == {"U-1": DeviceState.FREE, "U-2": DeviceState.FREE, "U-3": DeviceState.OFFLINE}


def test_a_token_that_nobody_has_is_said_to_be_the_users_to_mend(url: str, clock: WorldClock) -> None:
    with (
        open_farm(url, clock, secrets={"user_token": "wrong-canary"}) as farm,
        pytest.raises(FarmAuthenticationError, match="TESTGRID_USER_TOKEN") as caught,
    ):
        farm.check()
    assert "wrong-canary" not in str(caught.value)


def test_a_booking_shuts_others_out_and_its_end_lets_them_in(
    farm: TestGridFarm, url: str, clock: WorldClock, world: World
) -> None:
    made = farm.reserve([galaxy(farm)], seconds=600, token="df-1")
    world.clock.advance(5)
    with open_farm(url, clock, secrets={"user_token": "another-token"}) as other:
        assert galaxy(other).state is DeviceState.BUSY
        with pytest.raises(DeviceBusy):
            other.reserve([galaxy(other)], seconds=600, token="df-2")
        farm.cancel(made.id)
        assert galaxy(other).state is DeviceState.FREE


def test_a_renewed_booking_goes_on_and_ends_as_one(farm: TestGridFarm, world: World) -> None:
    made = farm.reserve([galaxy(farm)], seconds=600, token="df-1")
    world.clock.advance(500)
    longer = farm.renew(made, [galaxy(farm)], seconds=600)
    assert len(farm.api.reservations.list().reservations) == 2
    farm.cancel(longer.id)
    assert farm.api.reservations.list().reservations == ()


def test_a_booking_that_waits_for_approval_leaves_nothing_behind(farm: TestGridFarm, world: World) -> None:
    world.faults.add(Fault("reserveDevice", "reservation_pending"))
    with pytest.raises(DeviceBusy, match="Pending"):
        farm.reserve([galaxy(farm)], seconds=600, token="df-1")
    assert farm.api.reservations.list().reservations == ()


def test_a_build_is_installed_when_the_device_lists_it(farm: TestGridFarm, clock: WorldClock, tmp_path: Path) -> None:
    app = shop(farm, tmp_path)
    assert app.package == "com.example.shop"
    farm.install(galaxy(farm), app)
    assert clock.sleeps
    assert asked(farm, **{"appium:appPackage": app.package}).status_code == 200


def test_a_build_that_is_there_is_replaced(farm: TestGridFarm, tmp_path: Path, world: World) -> None:
    app = shop(farm, tmp_path)
    farm.install(galaxy(farm), app)
    farm.install(galaxy(farm), app)
    assert len(world.installs.on("U-1", world.clock.now())) == 1


def test_an_installation_that_never_ends_is_given_up(farm: TestGridFarm, tmp_path: Path, world: World) -> None:
    app = shop(farm, tmp_path)
    world.faults.add(Fault("installAppDirect", "install_never"))
    with pytest.raises(AppError, match="does not list com"):
        farm.install(galaxy(farm), app)


def test_a_build_the_farm_cannot_read_is_about_the_build(farm: TestGridFarm, tmp_path: Path, world: World) -> None:
    world.faults.add(Fault("uploadAppDirect", "parse_failure", reason="no manifest in it"))
    with pytest.raises(AppError, match="no manifest in it"):
        shop(farm, tmp_path)


def test_a_device_cleans_itself_after_a_session(farm: TestGridFarm, clock: WorldClock, world: World) -> None:
    session = opened(farm, clock)
    assert galaxy(farm).note == "runs an Appium script"
    assert farm.end_session(handle(session))
    assert galaxy(farm).note == "cleaning itself"
    world.clock.advance(world.delays.cleaning)
    assert galaxy(farm).note == "preparing itself"
    world.clock.advance(world.delays.preparing)
    assert galaxy(farm).state is DeviceState.FREE


def test_a_session_of_unknown_id_is_ended_with_the_use_of_the_device(
    farm: TestGridFarm, clock: WorldClock, world: World
) -> None:
    started = clock.time()
    asked(farm)
    assert farm.end_session(SessionHandle("df-1", "U-1", started))
    assert not any(session.open for session in world.sessions)


def test_a_session_at_the_common_hub_gets_the_device_that_was_leased(url: str, clock: WorldClock, world: World) -> None:
    with open_farm(url, clock, hub="quantum") as farm:
        session = opened(farm, clock)
        assert [one.device.udid for one in world.sessions] == ["U-1"]
        assert farm.end_session(handle(session))


def video_of(farm: TestGridFarm, world: World, clock: WorldClock) -> RemoteArtifact:
    session = opened(farm, clock)
    farm.end_session(handle(session))
    world.clock.advance(AFTER)
    (video,) = farm.artifacts(session, [ArtifactKind.VIDEO])
    return video


def test_the_address_of_a_video_does_not_hold_the_token(
    farm: TestGridFarm, clock: WorldClock, world: World, tmp_path: Path
) -> None:
    video = video_of(farm, world, clock)
    assert TOKEN not in video.address
    assert farm.fetch(video, tmp_path / "video.mp4", limit=1 << 20) == "video/mp4"


def test_a_session_that_was_never_named_still_has_its_artifacts(
    farm: TestGridFarm, clock: WorldClock, world: World
) -> None:
    assert video_of(farm, world, clock).address
