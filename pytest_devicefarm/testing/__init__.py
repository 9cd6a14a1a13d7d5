"""For authors of farms: the contract that every farm keeps, as tests to inherit.

Import it in a test module, give a `FarmBench` in a fixture called ``bench``, and run pytest::

    class TestMyFarm(FarmContract):
        @pytest.fixture
        def bench(self) -> Iterator[FarmBench]:
            with my_double() as url:
                yield MyBench(url)
"""

from __future__ import annotations

import pytest

for _name in ("answers", "apps", "artifacts", "contract", "devices", "secrets", "sessions"):
    pytest.register_assert_rewrite(f"{__name__}.{_name}")

from pytest_devicefarm.testing.bench import FarmBench, Through, TurnedClock  # noqa: E402
from pytest_devicefarm.testing.contract import FarmContract  # noqa: E402

__all__ = ["FarmBench", "FarmContract", "Through", "TurnedClock"]
