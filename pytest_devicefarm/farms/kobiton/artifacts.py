"""What a Kobiton session left behind, and whether it is there, still to come, or never will be."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from pytest_devicefarm.core.model import ArtifactKind, RemoteArtifact
from pytest_devicefarm.core.redaction import strip_query
from pytest_devicefarm.farms.kobiton.api.sessions import Command, Session, SessionLog

MOST_SCREENSHOTS = 20
"""Kobiton takes a picture after each command; the last ones show how a test ended."""

FINAL_STATES = frozenset({"COMPLETE", "PASSED", "FAILED", "TIMEOUT", "ERROR", "TERMINATED"})


def is_over(session: Session) -> bool:
    """Whether the session has ended; a state nobody documents counts as an end only with a time of the end."""
    return session.state.upper() in FINAL_STATES or (session.state.upper() != "START" and bool(session.ended_at))


class SessionArtifacts:
    """The artifacts of one answer about a session; each method gives those of one kind, none while they may come.

    Args:
        commands: Gives all commands of the session, asked for only where they are needed.
        network_disabled: Tells whether the device captures no network traffic, asked for only where there is none.
    """

    def __init__(
        self, session: Session, *, commands: Callable[[], Sequence[Command]], network_disabled: Callable[[], bool]
    ) -> None:
        self._session = session
        self._commands = commands
        self._network_disabled = network_disabled

    def of(self, kind: ArtifactKind) -> Sequence[RemoteArtifact]:
        """The artifacts of a kind; kinds Kobiton does not make have none."""
        log = self._session.log or SessionLog()
        match kind:
            case ArtifactKind.DEVICE_LOG:
                return self._file(kind, "device.log", log.download_url or log.preview_url)
            case ArtifactKind.APPIUM_LOG:
                return self._file(kind, "appium.log", log.appium_preview_url)
            case ArtifactKind.VIDEO:
                return self._video()
            case ArtifactKind.NETWORK_LOG:
                return self._network_logs()
            case ArtifactKind.SCREENSHOT:
                return self._screenshots()
            case ArtifactKind.COMMANDS:
                return self._data(kind, "commands.json", lambda: msgspec.to_builtins(self._commands(), enc_hook=str))
            case ArtifactKind.SESSION:
                return self._data(kind, "session.json", lambda: msgspec.to_builtins(self._session, enc_hook=str))
            case _:
                return ()

    def _file(self, kind: ArtifactKind, name: str, address: str | None) -> Sequence[RemoteArtifact]:
        return (RemoteArtifact(kind, name, address=address),) if address else ()

    def _data(self, kind: ArtifactKind, name: str, facts: Callable[[], Any]) -> Sequence[RemoteArtifact]:
        if not is_over(self._session):
            return ()
        text = json.dumps(_without_signatures(facts()), ensure_ascii=False, indent=2)
        return (RemoteArtifact(kind, name, data=text.encode(errors="replace")),)

    def _video(self) -> Sequence[RemoteArtifact]:
        ran = self._session.execution_data
        video = self._session.video or (ran and ran.video)
        if video and video.path:
            return (RemoteArtifact(ArtifactKind.VIDEO, "video.mp4", address=video.path),)
        if (video and video.session_video_capturing_disabled) or (ran and ran.session_video_capturing_disabled):
            return _never(ArtifactKind.VIDEO, "video.mp4", "recording was switched off for this session")
        if video and video.error:
            return _never(ArtifactKind.VIDEO, "video.mp4", f"Kobiton could not record: {_words(video.error)}")
        return ()

    def _network_logs(self) -> Sequence[RemoteArtifact]:
        ran = self._session.execution_data
        logs = self._session.network_logs or (ran and ran.network_logs) or ()
        if logs:
            if any(not log.path for log in logs):
                return ()
            return tuple(
                RemoteArtifact(ArtifactKind.NETWORK_LOG, f"network-{number}.har", address=log.path or "")
                for number, log in enumerate(logs, 1)
            )
        if is_over(self._session) and self._network_disabled():
            return _never(ArtifactKind.NETWORK_LOG, "network.har", "the device does not capture network traffic")
        return ()

    def _screenshots(self) -> Sequence[RemoteArtifact]:
        kind, ran = ArtifactKind.SCREENSHOT, self._session.execution_data
        if ran and ran.command_screenshot_capturing_disabled:
            return _never(kind, "screenshot.png", "pictures of commands were switched off for this session")
        if not is_over(self._session):
            return ()
        taken = [command for command in self._commands() if command.screenshot or command.screenshot_download_url]
        if not taken:
            return _never(kind, "screenshot.png", "Kobiton took no picture in this session")
        last = taken[-MOST_SCREENSHOTS:]
        if not all(command.screenshot_download_url for command in last):
            return ()
        return tuple(
            RemoteArtifact(kind, f"command-{command.id}.png", address=command.screenshot_download_url or "")
            for command in last
        )


def _never(kind: ArtifactKind, name: str, why: str) -> Sequence[RemoteArtifact]:
    return (RemoteArtifact(kind, name, unavailable=why),)


def _words(error: object) -> str:
    """What went wrong with a recording; its form is documented nowhere."""
    if isinstance(error, dict):
        error = error.get("message") or error
    return str(error)[:200]


def _without_signatures(value: Any) -> Any:
    """The same JSON with every address cut before its query."""
    if isinstance(value, dict):
        return {name: _without_signatures(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without_signatures(one) for one in value]
    if (
        isinstance(value, str)
        and value.startswith(("http://", "https://"))
        and not any(map(str.isspace, value.strip()))
    ):
        return strip_query(value.strip())
    return value
