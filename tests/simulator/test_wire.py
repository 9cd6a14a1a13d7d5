from __future__ import annotations

import requests
from werkzeug.wrappers import Request, Response

from pytest_devicefarm.simulator.server import serve
from pytest_devicefarm.simulator.wire import Call, Route, Wire, compact
from pytest_devicefarm.simulator.world import Account, World
from pytest_devicefarm.simulator.worldfile import default_world


class FailingFarm(Wire):
    """A farm whose only operation has a fault in it."""

    farm = "failing"

    def __init__(self, world: World) -> None:
        super().__init__(world, {"": [Route("divide", "GET", "/divide", self.divide)]})

    def divide(self, call: Call) -> Response:
        return compact(1 / 0)

    def authenticate(self, request: Request, operation: str) -> Account | None:
        return self.world.accounts[0]

    def refusal(self, operation: str, status: int, message: str) -> Response:
        return compact({"message": message}, status)

    def hub_url(self, url: str) -> str:
        return url

    def environment(self, url: str) -> dict[str, str]:
        return {}


def test_a_fault_of_the_simulator_is_an_answer_and_stands_in_the_record() -> None:
    with serve(FailingFarm(default_world(speed=0))) as url:
        answer = requests.get(f"{url}/divide", timeout=10)
        record = requests.get(f"{url}/_simulator/record", timeout=10).json()
    assert answer.status_code == 500
    assert answer.json() == {"message": "The simulator failed: ZeroDivisionError."}
    assert [failure["path"] for failure in record["failures"]] == ["/divide"]
    assert "ZeroDivisionError" in record["failures"][0]["traceback"]
