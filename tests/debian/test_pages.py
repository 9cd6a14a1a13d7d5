"""The pages that a run leaves behind, as a browser shows them: the report of pytest-html and the page of a test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.support.wait import WebDriverWait
from support.runs import a_farm, a_run, a_suite

SUITE = """
    def test_that_passes(appium_driver):
        appium_driver.find_element("id", "quick").click()

    def test_that_fails(appium_driver):
        appium_driver.find_element("id", "quick").click()
        assert False, "as it should"
"""
LINKS = """
    const linked = document.querySelectorAll("a[href], link[href], img[src], video[src]");
    return [...linked].map(each => each.href || each.src);
"""
SHOWN = "return [...document.images].filter(each => each.getAttribute('src')).map(each => each.naturalWidth)"
WAIT = 15.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a run on simulated phones, with a report."""
    folder = a_suite(tmp_path_factory.mktemp("run") / "suite", SUITE)
    with (
        a_farm(folder) as farm,
        a_run(folder, farm, "--html=out/report.html", "--farm-video=on", "--farm-device=name=Galaxy*") as run,
    ):
        assert run.wait(100) == 1, run.output
        yield folder


def files_linked(browser: Chrome) -> list[Path]:
    """The files that a page leads to or shows."""
    addresses = [urlsplit(address) for address in browser.execute_script(LINKS)]
    return [Path(unquote(address.path)) for address in addresses if address.scheme == "file"]


def console(browser: Chrome) -> list[str]:
    """What the browser had to complain of so far."""
    return [entry["message"] for entry in browser.get_log("browser")]  # type: ignore[no-untyped-call]


def test_the_report_has_a_column_of_devices_and_links_that_lead_somewhere(browser: Chrome, folder: Path) -> None:
    browser.get((folder / "out/report.html").as_uri())
    rows = WebDriverWait(browser, WAIT).until(
        lambda page: page.find_elements("css selector", "#results-table tbody.results-table-row")
    )
    headers = [cell.text for cell in browser.find_elements("css selector", "#results-table-head th")]
    assert "Device" in headers
    assert len(rows) == 2
    for row in rows:
        assert "Galaxy S22" in row.find_element("css selector", f"td:nth-child({headers.index('Device') + 1})").text
    linked = files_linked(browser)
    assert sum(path.name == "index.html" for path in linked) == 2
    assert [path for path in linked if not path.exists()] == []
    assert console(browser) == []


def test_the_report_shows_the_screen_of_the_failed_test(browser: Chrome, folder: Path) -> None:
    browser.get((folder / "out/report.html").as_uri())
    # The phones of the suite are 400 pixels wide.
    WebDriverWait(browser, WAIT).until(lambda page: page.execute_script(SHOWN) == [400])


def test_from_the_report_one_click_leads_to_the_page_of_the_test(browser: Chrome, folder: Path) -> None:
    browser.get((folder / "out/report.html").as_uri())
    link = WebDriverWait(browser, WAIT).until(lambda page: page.find_element("link text", "Artifacts"))
    address = link.get_attribute("href")
    assert address is not None
    browser.get(address)
    assert "test_suite.py::test_that_" in browser.find_element("css selector", "h1").text
    assert "Galaxy S22" in browser.find_element("css selector", "dl").text


def test_the_page_of_a_test_plays_its_video_and_complains_of_nothing(browser: Chrome, folder: Path) -> None:
    (page,) = (folder / "farm-results/latest").glob("*test_that_fails*/index.html")
    browser.get(page.as_uri())
    linked = files_linked(browser)
    assert "0001.png" in {path.name for path in linked}
    assert [path for path in linked if not path.exists()] == []
    video = browser.find_element("css selector", "video")
    browser.execute_script("return arguments[0].play()", video)
    WebDriverWait(browser, WAIT).until(lambda page: page.execute_script("return arguments[0].currentTime > 0", video))
    assert browser.execute_script("return arguments[0].videoWidth > 0", video)
    assert console(browser) == []
