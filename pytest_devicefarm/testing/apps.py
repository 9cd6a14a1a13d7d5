"""What a farm owes its users about builds: sent once, refused with a reason, installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_devicefarm.core.errors import AppError, ConfigurationError
from pytest_devicefarm.core.farm import Farm, FarmSpec
from pytest_devicefarm.core.model import App, Build, Device
from pytest_devicefarm.core.uploads import UploadCache
from pytest_devicefarm.testing.bench import FarmBench
from pytest_devicefarm.testing.process import Process
from pytest_devicefarm.testing.relay import Relay
from pytest_devicefarm.testing.setting import Setting, Start

REASON = "the manifest cannot be read"


class AppContract(Setting):
    """Builds."""

    def test_a_build_is_sent_once_and_found_again(
        self, start: Start, spec: FarmSpec, bench: FarmBench, relay: Relay, build: Build, tmp_path: Path
    ) -> None:
        """By another process, too; a farm that keeps no builds sends nothing, and may refuse with its reason."""
        here, there = (UploadCache(tmp_path / "state", start().farm) for _ in range(2))
        if "upload" in spec.cannot:
            app = _uploaded(here, build, spec.cannot["upload"])
            assert app is None or app.sha256 == build.sha256
            assert not relay.calls
            return
        app = here.ensure(build)
        assert there.ensure(build) == app
        assert bench.uploads() == 1
        assert app.sha256 == build.sha256
        assert app.reference

    def test_a_build_the_farm_cannot_use_is_refused_with_its_reason(
        self, farm: Farm, spec: FarmSpec, bench: FarmBench, build: Build
    ) -> None:
        """The build is at fault, not the farm; a farm that never looks into builds takes any."""
        if {"upload", "parse"} & spec.cannot.keys():
            assert all(spec.cannot[name] for name in {"upload", "parse"} & spec.cannot.keys())
            return
        bench.refuse_builds(REASON)
        with pytest.raises(AppError, match=REASON):
            farm.upload(build)

    def test_a_build_gets_on_the_leased_device(
        self, here: Process, spec: FarmSpec, bench: FarmBench, build: Build, device: Device, tmp_path: Path
    ) -> None:
        """Installed beforehand or named in the capabilities, as the farm needs it."""
        app = _uploaded(UploadCache(tmp_path / "state", here.farm), build, spec.cannot.get("upload", ""))
        if app is None:
            return
        opened = here.open(here.lease([device]), app)
        assert bench.shows in opened.driver.page_source
        opened.close()

    def test_a_path_is_no_reference(self, farm: Farm) -> None:
        """What a user may have meant as a file is looked for on this machine's disk."""
        assert farm.parse_reference("build/shop.apk") is None


def _uploaded(cache: UploadCache, build: Build, reason: str) -> App | None:
    """The build at the farm; nothing where the farm refuses it for this reason."""
    try:
        return cache.ensure(build)
    except ConfigurationError as refusal:
        if reason and reason in str(refusal):
            return None
        raise
