"""Runs of an application's builds, as far as results of them are read."""

from __future__ import annotations

from pytest_devicefarm.core.replies import Answer, Id, Reply
from pytest_devicefarm.core.settings import Secret
from pytest_devicefarm.farms.testgrid.api._resource import Resource


class DeviceRun(Reply, frozen=True):
    """A run of a build on one device.

    Attributes:
        is_completed: ``1`` running, ``2`` queued, ``3`` finished, ``4`` stopped.
    """

    build_test_id: Id
    device_id: Id = ""
    device_name: str = ""
    is_completed: Id = ""


class Execution(Answer, frozen=True):
    """Progress of a run on its devices."""

    build_number: Id = ""
    build_devices: tuple[DeviceRun, ...] = ()


class Exchange(Reply, frozen=True):
    """One request and its answer; times are seconds since the epoch, sizes are bytes, both as text.

    Attributes:
        responsedata: Address of the answer's body.
    """

    id: Id = ""
    url: str = ""
    status: str = ""
    responsecode: str = ""
    protocol: str = ""
    method: str = ""
    contenttype: str = ""
    requeststarttime: str = ""
    requestendtime: str = ""
    responsestarttime: str = ""
    responseendtime: str = ""
    duration: str = ""
    requestheadersize: str = ""
    requestbodysize: str = ""
    responseheadersize: str = ""
    responsebodysize: str = ""
    testcase_name: str = ""
    step_name: str = ""


class NetworkLog(Answer, frozen=True):
    """Network traffic of a run."""

    exchanges: tuple[Exchange, ...] = ()


class Executions(Resource):
    """Calls below ``/ci`` that read results."""

    def details(self, *, application_token: Secret, build_number: Id) -> Execution:
        """Progress and results of a run. Operation ``getExecutionDetail``, ``POST /ci/execution_detail``."""
        return self._ask(
            "POST",
            "/ci/execution_detail",
            Execution,
            flat=True,
            form={"application_token": application_token.reveal(), "build_number": build_number},
        )

    def network_log(self, *, application_token: Secret, build_test_id: Id) -> NetworkLog:
        """Network traffic of a run on one device. Operation ``getNetworkLog``, ``POST /ci/networklog``."""
        return self._ask(
            "POST",
            "/ci/networklog",
            NetworkLog,
            many="exchanges",
            form={"application_token": application_token.reveal(), "build_test_id": build_test_id},
        )
