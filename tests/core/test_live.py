from __future__ import annotations

import base64
from typing import Any

import pytest
from selenium.common.exceptions import UnknownMethodException

from pytest_devicefarm.core.errors import SessionLost
from pytest_devicefarm.core.live import start_live, take_live
from pytest_devicefarm.core.model import ArtifactKind, RemoteArtifact


class ADriver:
    """A driver that offers these logs and this recording; ``None`` is one that cannot record."""

    def __init__(self, logs: dict[str, Any], recording: bytes | None = None) -> None:
        self._logs = logs
        self._recording = recording
        self.recording = False

    @property
    def log_types(self) -> list[str]:
        return list(self._logs)

    def get_log(self, name: str) -> Any:
        return self._logs[name]

    def start_recording_screen(self, **options: Any) -> str:
        if self._recording is None:
            raise UnknownMethodException("Method is not implemented\n at somewhere")
        self.recording = True
        return ""

    def stop_recording_screen(self) -> str:
        if self._recording is None:
            raise UnknownMethodException("Method is not implemented\n at somewhere")
        return base64.b64encode(self._recording).decode()


def taken(driver: ADriver, kind: ArtifactKind) -> RemoteArtifact:
    (artifact,) = take_live(driver, [kind])
    return artifact


@pytest.mark.parametrize("name", ["logcat", "syslog"])
def test_the_log_of_a_device_has_a_line_for_each_entry(name: str) -> None:
    entries = [
        {"timestamp": 1_700_000_000_123, "level": "ALL", "message": "11-14 I/Shop: hello"},
        {"timestamp": 1_700_000_001_000, "level": "WARN", "message": "low"},
        "rubbish",
    ]
    log = taken(ADriver({name: entries}), ArtifactKind.DEVICE_LOG).data
    assert log == b"2023-11-14 22:13:20.123 11-14 I/Shop: hello\n2023-11-14 22:13:21.000 WARN low\n"


def test_a_driver_without_such_a_log_says_what_it_has() -> None:
    assert "only: actions" in taken(ADriver({"actions": []}), ArtifactKind.DEVICE_LOG).unavailable


def test_the_log_of_appium_needs_its_permission() -> None:
    assert "get_server_logs" in taken(ADriver({"logcat": []}), ArtifactKind.APPIUM_LOG).unavailable
    log = taken(ADriver({"server": [{"message": "[HTTP] GET"}]}), ArtifactKind.APPIUM_LOG).data
    assert log == b"[HTTP] GET\n"


def test_the_screen_is_recorded_where_the_driver_can() -> None:
    driver = ADriver({}, b"\0\0\0\x18ftypmp42")
    start_live(driver, [ArtifactKind.VIDEO])
    assert driver.recording
    assert taken(driver, ArtifactKind.VIDEO).data == b"\0\0\0\x18ftypmp42"


def test_a_driver_that_cannot_record_says_so_in_its_own_words() -> None:
    driver = ADriver({})
    start_live(driver, [ArtifactKind.VIDEO])
    assert taken(driver, ArtifactKind.VIDEO).unavailable == "the driver gives none: Method is not implemented"


def test_a_recording_of_nothing_is_none() -> None:
    assert taken(ADriver({}, b""), ArtifactKind.VIDEO).unavailable == "the driver recorded nothing"


def test_kinds_no_driver_gives_are_left_to_others() -> None:
    assert take_live(ADriver({}), [ArtifactKind.COMMANDS, ArtifactKind.NETWORK_LOG]) == []


def test_a_session_that_is_gone_is_no_matter_of_a_driver() -> None:
    class Gone(ADriver):
        def stop_recording_screen(self) -> str:
            raise SessionLost("gone")

    with pytest.raises(SessionLost):
        take_live(Gone({}), [ArtifactKind.VIDEO])
