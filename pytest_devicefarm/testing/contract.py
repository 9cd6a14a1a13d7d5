"""All of the contract in one class, to be inherited."""

from __future__ import annotations

from pytest_devicefarm.core.behaviours import NO_REASON, table
from pytest_devicefarm.core.farm import FarmSpec
from pytest_devicefarm.testing.answers import AnswerContract
from pytest_devicefarm.testing.apps import AppContract
from pytest_devicefarm.testing.artifacts import ArtifactContract
from pytest_devicefarm.testing.devices import DeviceContract
from pytest_devicefarm.testing.secrets import SecretContract
from pytest_devicefarm.testing.sessions import SessionContract


class FarmContract(DeviceContract, AppContract, SessionContract, ArtifactContract, SecretContract, AnswerContract):
    """What every farm keeps; inherit it in a class whose name begins with ``Test`` and give the fixture ``bench``.

    What a farm cannot do it declares in ``FarmSpec.cannot`` with the reason, under the names of
    `pytest_devicefarm.core.behaviours.BEHAVIOURS`; the contract then shows that it is refused with this reason.
    """

    def test_what_the_farm_cannot_do_has_a_reason(self, spec: FarmSpec) -> None:
        """Users read it where they ask for the thing, and in `devicefarm farms`."""
        assert [name for name, cell in table(spec).items() if NO_REASON in cell] == []
