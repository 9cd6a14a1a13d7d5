"""Which build a test gets, uploaded once however many tests want it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_devicefarm.core.errors import ConfigurationError
from pytest_devicefarm.core.model import App

if TYPE_CHECKING:
    from pytest_devicefarm.core.model import Build, Device
    from pytest_devicefarm.markers import TestPlan
    from pytest_devicefarm.run import FarmRun


class RunBuilds:
    """The builds of a run, as one process of it knows them.

    Args:
        say: Shows a line to the user at once.
        progress: Told the name of a file, the bytes sent and the bytes in all.
    """

    def __init__(self, run: FarmRun, *, say: Callable[[str], None], progress: Callable[[str, int, int], None]) -> None:
        self._run = run
        self._say = say
        self._progress = progress
        self._meant: dict[str, App | Build] = {}
        self._uploaded: dict[str, App] = {}

    def platforms(self, plan: TestPlan) -> set[str] | None:
        """The platforms for which the test has a build; ``None`` where any will do."""
        texts = [plan.app] if plan.app else list(self._run.options.farm_app)
        if not texts or not plan.wants_app:
            return None
        found = {self._named(text).platform for text in texts}
        return None if "" in found else found

    def text_for(self, plan: TestPlan, platform: str) -> str:
        """The path or reference of the test's build for a platform; ``""`` where the run has no build at all.

        Raises:
            ConfigurationError: The run has builds, but none for this platform.
        """
        texts = [plan.app] if plan.app else list(self._run.options.farm_app)
        for text in texts:
            if self._named(text).platform in (platform, ""):
                return text
        if texts:
            raise ConfigurationError(
                f"no build for {platform}: {', '.join(texts)} are for other platforms; give one more --farm-app, "
                "or narrow the test with a device mark"
            )
        return ""

    def upload(self, text: str) -> App:
        """A build at the farm, by path or by the farm's own reference; once per build."""
        named = self._named(text)
        if text in self._uploaded:
            return self._uploaded[text]
        if isinstance(named, App):
            return named
        app = self._uploaded[text] = self._run.uploads.ensure(
            named,
            progress=lambda done, size: self._progress(named.path.name, done, size),
            on_wait=lambda: self._say(f"{named.path.name}: another process is uploading it, waiting for that"),
        )
        return app

    def upload_beforehand(self, plan: TestPlan, candidates: Mapping[str, Sequence[Device]]) -> None:
        """Upload while no device is held, where it is clear which build it will be."""
        if not plan.wants_app:
            return
        for devices in candidates.values():
            platforms = {device.platform for device in devices}
            if len(platforms) == 1 and (text := self.text_for(plan, platforms.pop())):
                self.upload(text)

    def _named(self, text: str) -> App | Build:
        """What a flag or mark means: the farm's own reference, or a file that is read and digested once."""
        if text not in self._meant:
            from pytest_devicefarm.core.builds import read_build

            reference = self._run.farm.parse_reference(text)
            self._meant[text] = reference or read_build(self._run.root / Path(text).expanduser())
        return self._meant[text]
