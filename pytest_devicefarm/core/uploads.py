"""Each build is uploaded once: by SHA-256, farm and account, across workers and across runs.

No farm stores digests, so our cache is what identifies a build; equal names or versions alone never count.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pytest_devicefarm.core.errors import AppError, LeaseError
from pytest_devicefarm.core.farm import Farm, Progress
from pytest_devicefarm.core.files import acquired, kernel_lock, private_folder, read_value, safe_name, write_value
from pytest_devicefarm.core.model import App, Build

OTHERS_SECONDS = 3600.0
"""Longest wait for another process that uploads the same build."""


class UploadCache:
    """What was uploaded to one account, kept in the state folder."""

    def __init__(self, state: Path, farm: Farm) -> None:
        self._state = state
        self._farm = farm
        self._refused: dict[str, AppError] = {}

    def ensure(
        self, build: Build, *, progress: Progress | None = None, on_wait: Callable[[], None] = lambda: None
    ) -> App:
        """The build as the farm has it, uploaded only where the farm has it not.

        Args:
            on_wait: Called where another process is uploading the same build, before waiting for it.

        Raises:
            AppError: The farm cannot parse the build; remembered, so that it is not sent again for each test.
            FarmError: The farm failed meanwhile.
            LeaseError: Another process has been uploading it for an hour.
        """
        if build.sha256 in self._refused:
            raise self._refused[build.sha256].with_traceback(None)
        folder = private_folder(self._state, "uploads", safe_name(self._farm.account))
        record = folder / f"{build.sha256}.json"
        lock = kernel_lock(record.with_suffix(".lock"))
        if not acquired(lock):
            on_wait()
            if not acquired(lock, patience=OTHERS_SECONDS):
                raise LeaseError(
                    f"another process has been uploading {build.path} for an hour; end it, or give another --farm-state"
                )
        try:
            app = self._farm.find_app(build, _known(record))
            if app is None:
                app = self._farm.upload(build, progress=progress)
            write_value(record, app)
            return app
        except AppError as refusal:
            self._refused[build.sha256] = refusal
            raise
        finally:
            lock.release(force=True)


def _known(record: Path) -> App | None:
    try:
        return read_value(record, App)
    except ValueError:
        return None
