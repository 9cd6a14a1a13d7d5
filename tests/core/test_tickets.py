"""Who may take what: a pure function of the free devices and the queue."""

from __future__ import annotations

import itertools

from pytest_devicefarm.core.tickets import allot


def test_the_best_free_candidate_is_allotted() -> None:
    assert allot({"a", "b"}, [[["b", "a"]]]) == [["b"]]


def test_the_first_comer_gets_the_only_device() -> None:
    assert allot({"a"}, [[["a"]], [["a"]]]) == [["a"], [None]]


def test_a_later_waiter_gets_what_no_earlier_one_can_use() -> None:
    assert allot({"b"}, [[["a"]], [["b"]]]) == [[None], ["b"]]


def test_an_earlier_waiter_moves_aside_to_a_device_that_does_as_well() -> None:
    assert allot({"a", "b"}, [[["a", "b"]], [["a"]]]) == [["b"], ["a"]]


def test_a_waiter_for_two_keeps_the_one_that_is_free() -> None:
    assert allot({"a"}, [[["a"], ["b"]], [["a"]]]) == [["a", None], [None]]


def test_two_wants_never_get_the_same_device() -> None:
    assert sorted(filter(None, allot({"a", "b"}, [[["a", "b"], ["a", "b"]]])[0])) == ["a", "b"]


def test_a_device_barred_for_an_earlier_waiter_is_open_to_a_later_one() -> None:
    assert allot({"a"}, [[["a"]], [["a"]]], lambda waiter, udid: waiter == 1) == [[None], ["a"]]


def test_earlier_waiters_never_lose_by_later_ones() -> None:
    queue = [[["a", "b"]], [["b", "c"], ["a", "c"]], [["c"]], [["a", "b", "c", "d"]]]
    for size in range(5):
        for free in itertools.combinations("abcd", size):
            for length in range(1, len(queue)):
                counts = [sum(udid is not None for udid in waiter) for waiter in allot(free, queue[:length])]
                longer = [sum(udid is not None for udid in waiter) for waiter in allot(free, queue[: length + 1])]
                assert longer[:length] == counts


def test_the_result_does_not_hang_on_the_order_of_the_free_devices() -> None:
    queue = [[["a", "b"]], [["b", "c"], ["a", "c"]]]
    assert len({str(allot(free, queue)) for free in itertools.permutations("abc")}) == 1
