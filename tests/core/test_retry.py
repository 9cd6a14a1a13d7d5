from __future__ import annotations

import email.utils

import pytest

from pytest_devicefarm.core.retry import LONGEST_WAIT, backoff, retry_after, worth_repeating


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_passing_failures_are_worth_a_repeat(status: int) -> None:
    assert worth_repeating(status, repeatable=True, asked_to_wait=False)


@pytest.mark.parametrize("status", [200, 301, 400, 401, 404, 501])
def test_an_answer_that_would_be_the_same_is_not(status: int) -> None:
    assert not worth_repeating(status, repeatable=True, asked_to_wait=True)


def test_a_call_that_must_not_happen_twice_is_repeated_only_when_turned_away() -> None:
    repeated = {
        (status, asked)
        for status in (408, 425, 429, 500, 502, 503, 504)
        for asked in (False, True)
        if worth_repeating(status, repeatable=False, asked_to_wait=asked)
    }
    assert repeated == {(429, False), (429, True), (503, True)}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7", 7.0), (" 0 ", 0.0), ("", None), ("soon", None), ("-1", None), ("²", None), ("9" * 400, 999_999_999.0)],
)
def test_seconds_are_read(text: str, seconds: float | None) -> None:
    assert retry_after({"Retry-After": text}, now=0) == seconds


def test_a_date_is_read_and_one_of_the_past_means_now() -> None:
    headers = {"Retry-After": email.utils.formatdate(1000, usegmt=True)}
    assert retry_after(headers, now=900) == 100
    assert retry_after(headers, now=2000) == 0


def test_waits_grow_up_to_a_bound() -> None:
    assert 0.25 <= backoff(0) <= 0.5
    assert 1.0 <= backoff(2) <= 2.0
    assert backoff(500) <= LONGEST_WAIT
