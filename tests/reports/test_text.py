from __future__ import annotations

import pytest

from pytest_devicefarm.reports.text import portal_link, slug


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://portal.example/sessions/42", "https://portal.example/sessions/42"),
        ("https://portal.example/s?id=42", "https://portal.example/s?id=42"),
        ("https://me:key@portal.example/s", "https://portal.example/s"),
        ("https://portal.example/s?X-Amz-Signature=1", "https://portal.example/s"),
        ("https://portal.example/s#access_token=1", "https://portal.example/s"),
        ("javascript:alert(1)", ""),
        ('https://portal.example/"><script>', ""),
        ("https://[broken", ""),
        ("/relative", ""),
        ("", ""),
    ],
)
def test_only_harmless_links_are_shown(url: str, shown: str) -> None:
    assert portal_link(url) == shown


def test_a_slug_keeps_letters_and_loses_marks() -> None:
    assert slug("Größe.test_x[ä/b]") == "Groe-test_x-a-b"
