from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from reports.farm_suite import run_suite

pytest.importorskip("pytest_html")


class _Data(HTMLParser):
    """Finds what pytest-html hands to its script."""

    def __init__(self) -> None:
        super().__init__()
        self.tests: dict[str, list[dict[str, Any]]] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if blob := dict(attrs).get("data-jsonblob"):
            self.tests = json.loads(blob)["tests"]


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: dict[str, str] = {}
        self.tags: list[str] = []
        self._href = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "a":
            self._href = dict(attrs).get("href") or ""

    def handle_data(self, data: str) -> None:
        if self._href:
            self.links[data] = self._href
            self._href = ""


def row(pytester: pytest.Pytester, name: str) -> tuple[_Links, dict[str, Any]]:
    data = _Data()
    data.feed((pytester.path / "out" / "report.html").read_text(encoding="utf-8"))
    test = data.tests[f"test_shop.py::{name}"][0]
    links = _Links()
    links.feed("".join(test["resultsTableRow"]))
    return links, test


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["plain", "xdist"])
def test_rows_link_the_folder_of_the_test_and_the_farm(pytester: pytest.Pytester, workers: tuple[str, ...]) -> None:
    run_suite(pytester, "html", "--html=out/report.html", *workers).assert_outcomes(passed=2, failed=3)
    links, test = row(pytester, "test_fail")
    page = (pytester.path / "out" / unquote(links.links["Artifacts"])).resolve()
    assert page.name == "index.html"
    assert (page.parent / "device.log").is_file()
    assert links.links["Farm session"] == "https://portal.example/s/42?a=1&b=2"
    [image] = [extra for extra in test["extras"] if extra["format_type"] == "image"]
    assert (pytester.path / "out" / unquote(image["content"])).is_file()


def test_devices_stand_in_a_column_as_mere_text(pytester: pytest.Pytester) -> None:
    run_suite(pytester, "html", "--html=out/report.html")
    links, test = row(pytester, "test_pass")
    assert "script" not in links.tags
    [cell] = [cell for cell in test["resultsTableRow"] if "col-device" in cell]
    assert "Galaxy &lt;script&gt;" in cell
    plain, test = row(pytester, "test_plain")
    assert '<td class="col-device"></td>' in test["resultsTableRow"]
    assert plain.links == {}


def test_each_role_has_links_of_its_own(pytester: pytest.Pytester) -> None:
    run_suite(pytester, "html", "--html=out/report.html")
    links, _ = row(pytester, "test_two")
    assert links.links["Artifacts (buyer)"] != links.links["Artifacts (seller)"]


def test_a_self_contained_report_holds_the_failure_screenshot(pytester: pytest.Pytester) -> None:
    result = run_suite(pytester, "html", "--html=out/report.html", "--self-contained-html")
    result.assert_outcomes(passed=2, failed=3)
    _, test = row(pytester, "test_fail")
    [image] = [extra for extra in test["extras"] if extra["format_type"] == "image"]
    assert image["content"].startswith("data:image/png;base64,iVBOR")
    assert not Path(pytester.path / "out" / "assets").exists()
