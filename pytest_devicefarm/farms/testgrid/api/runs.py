"""What Appium scripts left behind; TestGrid calls each of their runs a build."""

from __future__ import annotations

from pytest_devicefarm.core.replies import Answer, Id, Reply
from pytest_devicefarm.farms.testgrid.api._resource import Resource


class Run(Reply, frozen=True):
    """One test case of a run; several of them may have one number.

    Attributes:
        project_name: The word ``undefined`` where none was told.
        created: Time of its start, in a zone nobody documents.
    """

    build_number: Id
    session_name: str = ""
    project_name: str = ""
    testcase_name: str = ""
    created: str = ""


class RunList(Answer, frozen=True):
    """Runs on one device."""

    runs: tuple[Run, ...] = ()


class RunLog(Reply, frozen=True):
    """What was recorded of a run.

    Attributes:
        logs: The log itself.
        src: Address of the video.
        duration: Seconds.
        status: A code; ``1`` is shown.
    """

    logs: str = ""
    src: str = ""
    duration: str = ""
    start_date: str = ""
    end_date: str = ""
    status: str = ""
    name: str = ""
    version: str = ""
    device_type: Id = ""


class RunLogs(Answer, frozen=True):
    """The records of one run."""

    logs: tuple[RunLog, ...] = ()


class Runs(Resource):
    """Calls about runs of scripts, below ``/api/user``."""

    def list(
        self,
        *,
        device_id: Id,
        project_name: str | None = None,
        session_name: str | None = None,
        build_number: Id | None = None,
        last_minutes: int | None = None,
    ) -> RunList:
        """Runs on a device. Operation ``listAutomationBuilds``, ``POST /api/user/builds``.

        Args:
            build_number: Only those before this one.
            last_minutes: Only those that began so many minutes ago at most.
        """
        return self._ask(
            "POST",
            "/api/user/builds",
            RunList,
            many="runs",
            form={
                "device_id": device_id,
                "project_name": project_name,
                "session_name": session_name,
                "build_number": build_number,
                "last_minutes": last_minutes,
            },
        )

    def logs(self, build_number: Id) -> RunLogs:
        """Log and video of a run. ``getAutomationBuildLogs``, ``POST /api/user/logs/{build_number}/``."""
        return self._ask("POST", "/api/user/logs/{build_number}/", RunLogs, many="logs", build_number=build_number)
