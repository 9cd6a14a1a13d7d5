from __future__ import annotations

from pathlib import Path

from pytest_devicefarm.simulator.apps import Version
from pytest_devicefarm.simulator.installs import Installs


def a_version(number: int = 1, package: str | None = "com.example.shop") -> Version:
    return Version(number, 1, "Shop", f"1.{number}", package, "shop.apk", "key", Path(), "", 0, 0, "me")


def test_a_build_is_there_once_it_is_complete() -> None:
    installs, version = Installs(), a_version()
    installs.start("s22", version, 10)
    assert installs.on("s22", 9) == []
    assert installs.on("s22", 10) == [version]
    assert installs.on("pixel", 10) == []


def test_an_installation_may_never_be_complete() -> None:
    installs = Installs()
    installs.start("s22", a_version(), None)
    assert installs.on("s22", 1e12) == []


def test_the_build_that_came_last_replaces_the_others_of_its_package() -> None:
    installs, old, new, other = Installs(), a_version(1), a_version(2), a_version(3, "com.example.bank")
    for version, ready in ((new, 20), (old, 10), (other, 15)):
        installs.start("s22", version, ready)
    assert installs.on("s22", 12) == [old]
    assert {v.id for v in installs.on("s22", 20)} == {2, 3}


def test_one_package_or_all_are_removed() -> None:
    installs, shop, bank = Installs(), a_version(1), a_version(2, "com.example.bank")
    for version in (shop, bank):
        installs.start("s22", version, 0)
    installs.remove("s22", 10, "com.example.shop")
    assert installs.on("s22", 9) == [shop, bank]
    assert installs.on("s22", 10) == [bank]
    installs.remove("s22", 20)
    assert installs.on("s22", 20) == []
