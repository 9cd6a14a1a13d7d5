from __future__ import annotations

from pathlib import Path

import pytest

from pytest_devicefarm.simulator.worldfile import WorldFileError, default_world, parse_world, read_world

PHONE = '[[device]]\nname = "Phone"\nplatform = "android"\nversion = "13"\n'


def test_the_default_world_has_five_devices_to_use() -> None:
    world = default_world()
    assert [d.name for d in world.devices if d.drivable] == [
        "Galaxy S22",
        "Pixel 8",
        "iPhone 15",
        "Galaxy A54",
        "iPad Air 5",
    ]
    assert world.clock.speed == 20
    world.close()


def test_the_default_world_has_devices_to_leave_alone() -> None:
    world = default_world()
    assert sum(d.hidden for d in world.devices) == 1
    assert sum(d.appium_disabled for d in world.devices) == 1
    assert sum(not d.online for d in world.devices) == 1
    world.close()


def test_keys_are_made_anew_at_each_start() -> None:
    worlds = [default_world(), default_world()]
    assert len({account.key for world in worlds for account in world.accounts}) == 4
    for world in worlds:
        world.close()


def test_a_small_file_makes_a_world(tmp_path: Path) -> None:
    file = tmp_path / "world.toml"
    file.write_text(PHONE + '[clock]\nspeed = 5\n[delays]\nvideo = 1\n[[fault]]\noperation = "getDevices"\ncount = 2\n')
    world = read_world(file)
    assert [d.id for d in world.devices] == [1001]
    assert (world.clock.speed, world.delays.video) == (5, 1)
    assert [(f.operation, f.count) for f in world.faults] == [("getDevices", 2)]
    world.close()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (PHONE + "[clok]\n", "unknown key 'clok'; did you mean 'clock'"),
        (PHONE + "[clock]\nsped = 2\n", r"\[clock\]: unknown key 'sped'; did you mean 'speed'"),
        (PHONE + "onlin = true\n", r"\[\[device\]\] number 1 \('Phone'\): unknown key 'onlin'; did you mean 'online'"),
        (PHONE + 'online = "yes"\n', "'online' cannot be 'yes'"),
        (PHONE + "busy_until = -1\n", "'busy_until' cannot be below 0"),
        (PHONE + '[delays]\nvideo = "long"\n', r"\[delays\]: 'video' cannot be 'long'"),
        (PHONE + PHONE.replace("version", 'udid = "a"\nversion') * 2, "number 3 .*'udid' 'a' is there twice"),
        ('[[device]]\nname = "P"\nplatform = "android"\n', "'version' is missing"),
        ('[[device]]\nname = "P"\nplatform = "androd"\nversion = "1"\n', "not android or ios; did you mean 'android'"),
        ("[device]\n", r"'device' has to be written as \[\[device\]\]"),
        ("", r"needs at least one \[\[device\]\]"),
        ("a = = 1", "line 1"),
        (PHONE + '[[fault]]\noperation = "x"\neffect = "dealy"\n', r"\[\[fault\]\] number 1: .*did you mean 'delay'"),
        (PHONE + '[[fault]]\neffect = "delay"\n', "'operation' is missing"),
        (PHONE + '[[account]]\nkey = "k"\n', r"\[\[account\]\] number 1: 'name' is missing"),
    ],
)
def test_a_mistake_names_its_place_and_what_was_perhaps_meant(text: str, message: str) -> None:
    with pytest.raises(WorldFileError, match=message):
        parse_world(text)


def test_a_missing_file_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(WorldFileError, match="cannot read the world file"):
        read_world(tmp_path / "none.toml")
