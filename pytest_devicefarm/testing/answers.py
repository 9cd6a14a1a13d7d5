"""What a farm owes its users about answers that make no sense or take long."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pytest_devicefarm.core.errors import FarmError
from pytest_devicefarm.core.farm import DeviceList, Farm
from pytest_devicefarm.core.model import Build, Device, DeviceState
from pytest_devicefarm.testing.bench import FarmBench
from pytest_devicefarm.testing.process import Process
from pytest_devicefarm.testing.relay import CREATE, Relay, Trouble
from pytest_devicefarm.testing.setting import Setting

BOUND = 300.0
"""Longest time for one question to a farm that only talks nonsense, seconds."""
CALLS = 40

NONSENSE: tuple[Trouble, ...] = ("page", "half", "number", "text", "wrong types")


class AnswerContract(Setting):
    """Answers of any kind."""

    @pytest.mark.parametrize("trouble", NONSENSE)
    @pytest.mark.parametrize("question", ["check", "list_devices", "list_apps"])
    def test_an_answer_that_makes_no_sense_is_an_error_that_names_the_call(
        self, farm: Farm, bench: FarmBench, relay: Relay, build: Build, question: str, trouble: Trouble
    ) -> None:
        """Within bounded time; of devices it may be a note instead."""
        if question == "list_apps" and "upload" not in farm.spec.cannot:
            farm.upload(build)  # or the answer would be an empty list, which makes sense in many a type
        ask: Callable[[], object] = getattr(farm, question)
        began, calls = bench.clock.monotonic(), len(relay.calls)
        with relay.troubled(trouble):
            answer = _answered(ask)
        if isinstance(answer, FarmError):
            assert answer.method
            assert answer.path
            assert answer.status == 200 or trouble == "half"
            assert str(answer)
        else:
            heard = [call for call in relay.calls[calls:] if call.garbled or trouble == "half"]
            assert not heard or _says_so(answer)
        assert bench.clock.monotonic() - began <= BOUND
        assert len(relay.calls) - calls <= CALLS

    @pytest.mark.parametrize("trouble", [*NONSENSE, "drop"])
    def test_a_session_request_that_is_answered_with_nonsense_is_an_error_of_the_farm(
        self, here: Process, bench: FarmBench, relay: Relay, device: Device, trouble: Trouble
    ) -> None:
        """It names the call, and never is a driver that works on nothing."""
        lease = here.lease([device])
        began = bench.clock.monotonic()
        with relay.troubled(trouble, calls=CREATE), pytest.raises(FarmError) as caught:
            here.open(lease)
        assert caught.value.method == "POST"
        assert str(caught.value.path).endswith("/session")
        assert bench.clock.monotonic() - began <= BOUND

    def test_a_slow_answer_is_waited_for(self, here: Process, bench: FarmBench, relay: Relay, device: Device) -> None:
        """From the list of devices to the end of the session."""
        with relay.troubled("slow"):
            assert device.udid in {each.udid for each in here.farm.list_devices().devices}
            here.open(here.lease([device])).close()
        assert not bench.sessions()


def _answered(ask: Callable[[], object]) -> object:
    """The answer to a question, or the error."""
    try:
        return ask()
    except FarmError as error:
        return error


def _says_so(answer: object) -> bool:
    """Whether a list of devices shows that something is wrong with it."""
    return isinstance(answer, DeviceList) and (
        bool(answer.problems) or all(device.state is DeviceState.OFFLINE and device.note for device in answer.devices)
    )
