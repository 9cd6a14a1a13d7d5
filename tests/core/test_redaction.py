from __future__ import annotations

import base64
from urllib.parse import quote

import pytest

from pytest_devicefarm.core.redaction import excerpt, redact, strip_query, visible
from pytest_devicefarm.core.settings import Secret

KEY = "key/canary+1"


@pytest.mark.parametrize("form", [KEY, quote(KEY, safe=""), base64.b64encode(KEY.encode()).decode()])
def test_a_secret_is_hidden_in_each_form_it_is_sent_in(form: str) -> None:
    assert redact(f"<{form}>", [Secret(KEY)]) == "<***>"


def test_the_longer_of_two_secrets_is_hidden_whole() -> None:
    assert redact("ann:key", [Secret("key"), Secret("ann:key")]) == "***"


def test_an_empty_secret_changes_nothing() -> None:
    assert redact("text", [Secret("")]) == "text"


@pytest.mark.parametrize(
    "text",
    [
        "https://s3/x?X-Amz-Signature=canary&a=1",
        "https://s3/x?a=1&amp;Signature=canary",
        r"https://s3/x?a=1\u0026AWSAccessKeyId=canary\u0026b=2",
        "https://storage/x?X-Goog-Signature=canary",
        "https://blob/x?sv=1&sig=canary",
        '{"userToken": "canary"}',
        '{"apiKey":"canary"}',
        '{"password" : "cana\\"canary"}',
        "KOBITON_API_KEY=canary",
        "https://portal/x?access_token=canary#top",
        "Authorization: Basic Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5",
        "bearer canarycanarycanary",
    ],
)
def test_what_looks_like_a_credential_is_hidden(text: str) -> None:
    shown = redact(text)
    assert "canary" not in shown
    assert "Y2FuYXJ5" not in shown
    assert "***" in shown


def test_plain_text_is_left_alone() -> None:
    text = 'Basic authentication failed for token 3: {"message": "no session"} https://a/b?page=2'
    assert redact(text) == text


@pytest.mark.parametrize(
    "text", ["design=5 batteryPolicy=low", '{"name": "token", "count": 3}', "foobasic aaaaaaaaaaaaaaaaaaaa"]
)
def test_names_that_only_end_like_a_credential_are_left_alone(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize("piece", ["a-", "token-", 'token"', "=", "basic "])
def test_the_effort_grows_no_faster_than_the_text(piece: str) -> None:
    # Square growth would take hours here.
    assert redact(piece * 300_000) == piece * 300_000


def test_an_address_is_kept_without_query_and_user() -> None:
    assert strip_query("https://ann:key@s3.test:1/a/b.apk?sig=1#x") == "https://s3.test:1/a/b.apk"


def test_control_characters_become_visible() -> None:
    assert visible("a\x1b[31m\x00\u202eü") == r"a\x1b[31m\x00\u202eü"


def test_an_excerpt_is_one_line_of_bounded_length() -> None:
    assert excerpt(b"<html>\r\n\t<p>" + b"x" * 500) == ("<html> <p>" + "x" * 189 + "…")


def test_a_secret_at_the_cut_is_not_shown_in_half() -> None:
    body = b"x" * 195 + b"canary-canary"
    assert "can" not in excerpt(body, [Secret("canary-canary")])


def test_bytes_that_are_no_text_do_no_harm() -> None:
    assert excerpt(b"\xff\x00ok") == "\ufffd\\x00ok"
