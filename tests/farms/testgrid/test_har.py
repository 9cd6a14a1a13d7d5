from __future__ import annotations

from typing import Any

from pytest_devicefarm.core.replies import read
from pytest_devicefarm.farms.testgrid.api.executions import Exchange
from pytest_devicefarm.farms.testgrid.har import har_of


def an_entry(**members: Any) -> Any:
    shown = {
        "url": "https://shop.test/goods?page=2",
        "status": "COMPLETE",
        "responsecode": "200",
        "protocol": "https",
        "method": "GET",
        "requeststarttime": "1742384751.500",
        "requestendtime": "1742384751.600",
        "responsestarttime": "1742384751.900",
        "responseendtime": "1742384752.000",
        "responsebodysize": "2377",
        **members,
    }
    return har_of([read(shown, Exchange)])["log"]["entries"][0]


def test_an_exchange_becomes_an_entry() -> None:
    entry = an_entry()
    assert entry["startedDateTime"] == "2025-03-19T11:45:51.500+00:00"
    assert entry["request"]["queryString"] == [{"name": "page", "value": "2"}]
    assert (entry["response"]["status"], entry["response"]["content"]["size"]) == (200, 2377)


def test_times_are_milliseconds_from_one_moment_to_the_next() -> None:
    assert an_entry()["timings"] == {"send": 100.0, "wait": 300.0, "receive": 100.0}
    assert an_entry()["time"] == 500.0


def test_a_moment_that_is_not_told_takes_no_time() -> None:
    assert an_entry(responseendtime="0")["timings"]["receive"] == 0.0


def test_garbage_becomes_zeros() -> None:
    entry = an_entry(requeststarttime="soon", responsecode="", responsebodysize="1e999", requestendtime="nan")
    assert (entry["response"]["status"], entry["time"]) == (0, 300.0 + 100.0 - 300.0)


def test_exchanges_stand_in_the_order_of_their_beginning() -> None:
    late, early = (Exchange(url=url, requeststarttime=when) for url, when in (("b", "9"), ("a", "10.5")))
    entries = har_of([early, late])["log"]["entries"]
    assert [entry["request"]["url"] for entry in entries] == ["b", "a"]
