"""Sessions and what they left behind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec

from pytest_devicefarm.core.replies import Id
from pytest_devicefarm.farms.kobiton.api._reply import Answer, Reply
from pytest_devicefarm.farms.kobiton.api._resource import Resource, pages

SessionVerdict = Literal["PASSED", "FAILED", "COMPLETE"]


class SessionLog(Reply, frozen=True):
    """Signed addresses of the logs; each dies two hours after the answer."""

    preview_url: str | None = None
    download_url: str | None = None
    appium_preview_url: str | None = None
    ui_automator_preview_url: str | None = None
    xcui_test_preview_url: str | None = None


class SessionVideo(Reply, frozen=True):
    """The recording; ``path`` is a signed address, ``error`` whatever went wrong with it."""

    path: str | None = None
    size: int | None = None
    error: Any = None
    session_video_capturing_disabled: bool | None = None


class NetworkLog(Reply, frozen=True):
    """A network capture; ``path`` is the signed address of a zip with a HAR file."""

    path: str | None = None
    file_name: str | None = None
    start_time: str | None = None
    end_time: str | None = None
    size: int | None = None


class ActualDevice(Reply, frozen=True):
    """The device that was really used."""

    udid: str = ""
    device_name: str = ""
    platform_name: str = ""
    platform_version: str = ""
    brand_name: str = ""


class ExecutionData(Reply, frozen=True):
    """What was asked for and what ran."""

    actual: ActualDevice | None = None
    desired: dict[str, Any] | None = None
    versions: dict[str, Any] | None = None
    video: SessionVideo | None = None
    network_logs: tuple[NetworkLog, ...] | None = None
    wd_session_id: str | None = None
    all_command_ids: tuple[Id, ...] | None = None
    session_video_capturing_disabled: bool | None = None
    command_screenshot_capturing_disabled: bool | None = None


class Session(Reply, frozen=True):
    """A session; which fields are there depends on its kind, on its age, and on listing or single read.

    Attributes:
        state: ``START`` while it runs; ``COMPLETE``, ``PASSED``, ``FAILED``, ``TIMEOUT``, ``ERROR`` or ``TERMINATED``
            afterwards; the list is open.
        type: ``AUTO`` or ``MANUAL``.
        ended_at: Missing while it runs.
    """

    id: Id
    user_id: Id = ""
    device_id: Id = ""
    state: str = ""
    type: str = ""
    name: str = ""
    description: str = ""
    created_at: str = ""
    updated_at: str | None = None
    ended_at: str | None = None
    username: str = ""
    is_cloud: bool | None = None
    wd_session_id: str | None = None
    execution_data: ExecutionData | None = None
    log: SessionLog | None = None
    video: SessionVideo | None = None
    network_logs: tuple[NetworkLog, ...] | None = None
    test_report_url: str | None = None

    @property
    def webdriver_id(self) -> str:
        """The W3C session id; the samples leave open on which level it stands."""
        return (self.execution_data and self.execution_data.wd_session_id) or self.wd_session_id or ""


class SessionPage(Answer, frozen=True):
    """One page of sessions."""

    current_page: int | None = None
    total_pages: int = 0
    data: tuple[Session, ...] = ()


class Command(Reply, frozen=True):
    """One WebDriver command of a session.

    Attributes:
        data: The command and its outcome, in a form the documents do not describe.
        screenshot: Storage key of the picture taken after it.
        screenshot_download_url: Signed address of that picture.
    """

    id: Id
    session_id: Id = ""
    data: Any = None
    screenshot: str | None = None
    screenshot_download_url: str | None = None
    created_at: str | None = None
    ended_at: str | None = None


class CommandPage(Answer, frozen=True):
    """One page of commands."""

    current_page: int | None = None
    total_pages: int = 0
    data: tuple[Command, ...] = ()


class CrashStatus(Reply, frozen=True):
    """Whether the app crashed in a session."""

    id: Id
    created_at: str = ""
    crash_occurred: bool | None = None
    session_url: str = msgspec.field(default="", name="sessionURL")


class CrashStatusList(Answer, frozen=True):
    """Crash flags of several sessions."""

    data: tuple[CrashStatus, ...] = ()


class Sessions(Resource):
    """Calls below ``/sessions``."""

    def list(
        self,
        *,
        page: int | None = None,
        state: str | None = None,
        type: Literal["AUTO", "MANUAL"] | None = None,
        platform: str | None = None,
        keyword: str | None = None,
        group_id: int | None = None,
        user_id: int | None = None,
        start_date: int | None = None,
        end_date: int | None = None,
    ) -> SessionPage:
        """One page of sessions. Operation ``getSessions``, ``GET /sessions``.

        Args:
            page: Counted from 1.
            keyword: Text sought in the names of session, version and device.
            start_date: A timestamp whose unit the reference does not say; ``end_date`` likewise.
        """
        return self._ask(
            "GET",
            "/sessions",
            SessionPage,
            query={
                "page": page,
                "state": state,
                "type": type,
                "platform": platform,
                "keyword": keyword,
                "groupId": group_id,
                "userId": user_id,
                "startDate": start_date,
                "endDate": end_date,
            },
        )

    def walk(
        self,
        *,
        state: str | None = None,
        type: Literal["AUTO", "MANUAL"] | None = None,
        platform: str | None = None,
        keyword: str | None = None,
    ) -> Iterator[Session]:
        """All sessions, page by page; arguments as in `list`."""
        return pages(lambda page: self.list(page=page, state=state, type=type, platform=platform, keyword=keyword))

    def get(self, session_id: Id) -> Session:
        """One session with its artifacts. Operation ``getSession``, ``GET /sessions/{sessionId}``."""
        return self._ask("GET", "/sessions/{sessionId}", Session, sessionId=session_id)

    def update(
        self,
        session_id: Id,
        *,
        name: str | None = None,
        description: str | None = None,
        state: SessionVerdict | None = None,
    ) -> None:
        """Set name, description or verdict; the end of a session overwrites the verdict.

        Operation ``updateSession``, ``PUT /sessions/{sessionId}``.
        """
        self._tell(
            "PUT",
            "/sessions/{sessionId}",
            sessionId=session_id,
            json={"name": name, "description": description, "state": state},
        )

    def commands(self, session_id: Id, *, page: int | None = None) -> CommandPage:
        """One page of the commands. ``GET /sessions/{sessionId}/commands``, described in release notes only."""
        return self._ask(
            "GET", "/sessions/{sessionId}/commands", CommandPage, sessionId=session_id, query={"page": page}
        )

    def walk_commands(self, session_id: Id) -> Iterator[Command]:
        """All commands of a session, oldest page first."""
        return pages(lambda page: self.commands(session_id, page=page))

    def terminate(self, session_id: Id) -> None:
        """Stop a running session; its state becomes ``TERMINATED``, which counts as abnormal.

        Quit the driver instead where you can.

        ``DELETE /sessions/{sessionId}/terminate``, known from public scripts only.
        """
        self._tell("DELETE", "/sessions/{sessionId}/terminate", sessionId=session_id)

    def delete(self, session_id: Id) -> None:
        """Delete the **record** of a session from the history; it stops nothing, and this package never calls it.

        Operation ``deleteSession``, ``DELETE /sessions/{sessionId}``.
        """
        self._tell("DELETE", "/sessions/{sessionId}", sessionId=session_id)

    def crash_status(self, *, session_ids: Sequence[Id]) -> CrashStatusList:
        """Whether the app crashed. Operation ``getSessionsCrashStatus``, ``GET /sessions/crash-status``."""
        return self._ask("GET", "/sessions/crash-status", CrashStatusList, query={"sessionId": list(session_ids)})

    def metrics(self, session_id: Id) -> dict[str, Any]:
        """Measurements, in a form nobody documents.

        Operation ``getSessionMetrics``, ``GET /sessions/{sessionId}/getMetricInfo``.
        """
        return self._ask("GET", "/sessions/{sessionId}/getMetricInfo", dict[str, Any], sessionId=session_id)
