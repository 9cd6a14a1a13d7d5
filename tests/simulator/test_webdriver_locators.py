from __future__ import annotations

from xml.etree import ElementTree

import pytest

from pytest_devicefarm.simulator.clock import Clock
from pytest_devicefarm.simulator.protocol import ELEMENT_KEY
from pytest_devicefarm.simulator.webdriver import AppSession, AppSource, WebDriverError
from pytest_devicefarm.simulator.xpath import XPathError, select

APP = """
<app>
  <MockButton id="in" label="Sign in" text="Log in"/>
  <MockButton id="out" text="Log out"/>
  <MockList id="list"><MockListItem id="a" text="Tea"/><MockListItem id="b" text="Iced Tea"/></MockList>
  <MockText id="Tea" text="Log in"/>
</app>
"""


def found(strategy: str, selector: str, below: str = "") -> list[str]:
    session = AppSession(app=AppSource.from_xml(APP), capabilities={}, clock=Clock(speed=0))
    path = "/elements"
    if below:
        start = session.execute("POST", "/element", {"using": "id", "value": below})[ELEMENT_KEY]
        path = f"/element/{start}/elements"
    references = session.execute("POST", path, {"using": strategy, "value": selector})
    return [session.execute("GET", f"/element/{each[ELEMENT_KEY]}/attribute/id") for each in references]


@pytest.mark.parametrize(
    ("strategy", "selector", "ids"),
    [
        ("id", "a", ["a"]),
        ("id", "com.example:id/a", ["a"]),
        ("id", "nothing", []),
        ("accessibility id", "Sign in", ["in"]),
        ("accessibility id", "in", ["in"]),
        ("accessibility id", "Log in", ["in"]),
        ("accessibility id", "Tea", ["Tea"]),
        ("class name", "MockListItem", ["a", "b"]),
        ("css selector", "MockList MockListItem#b", ["b"]),
        ("css selector", '[text="Tea"]', ["a"]),
        ("-android uiautomator", 'new UiSelector().text("Tea")', ["a"]),
        ("-android uiautomator", 'new UiSelector().className("MockListItem").textContains("tea").instance(1)', ["b"]),
        ("-android uiautomator", 'UiSelector().description("Sign in").enabled(true);', ["in"]),
    ],
)
def test_a_strategy_finds(strategy: str, selector: str, ids: list[str]) -> None:
    assert found(strategy, selector) == ids


@pytest.mark.parametrize("strategy", ["id", "xpath", "class name"])
def test_a_search_inside_an_element_stays_inside(strategy: str) -> None:
    selector = {"id": "out", "xpath": "//MockButton", "class name": "MockButton"}[strategy]
    assert found(strategy, selector, below="list") == []
    inner = {"id": "a", "xpath": ".//*[@id='a']", "class name": "MockListItem"}[strategy]
    assert "a" in found(strategy, inner, below="list")


@pytest.mark.parametrize(
    ("strategy", "selector"),
    [
        ("css selector", "a > b"),
        ("css selector", ""),
        ("-android uiautomator", "new UiScrollable(new UiSelector())"),
        ("-android uiautomator", 'new UiSelector().smell("x")'),
        ("-android uiautomator", "new UiSelector().instance(x)"),
        ("xpath", "//a[starts-with(@b)]"),
    ],
)
def test_what_cannot_be_understood_is_an_invalid_selector(strategy: str, selector: str) -> None:
    with pytest.raises(WebDriverError, match="invalid selector"):
        found(strategy, selector)


TREE = ElementTree.fromstring(
    '<r><a n="1">x</a><b><a n="2">y</a><a n="3"/></b><b><a n="4" m="it\'s"> y  z </a><c><a n="5"/></c></b></r>'
)


@pytest.mark.parametrize(
    ("path", "numbers"),
    [
        ("//a", "12345"),
        ("/r/a", "1"),
        ("/r//a", "12345"),
        ("/a", ""),
        ("//b/a", "234"),
        ("//b/*", "234"),
        ("//b[2]/a", "4"),
        ("//a[1]", "1245"),
        ("(//a)[1]", "1"),
        ("(//a)[last()]", "5"),
        ("(//b/a)[2]", "3"),
        ("//a[last()]", "1345"),
        ("//a[position()=1]", "1245"),
        ("//a[@m]", "4"),
        ("//a[not(@m)]", "1235"),
        ("//a[@n='2' or @n='3']", "23"),
        ("//a[@n='2' and @m]", ""),
        ("//a[@n!='2']", "1345"),
        ("//a[@m!='2']", "4"),
        ('//a[@m="it\'s"]', "4"),
        ("//a[text()='x']", "1"),
        ("//a[.='y']", "2"),
        ("//a[contains(., 'y')]", "24"),
        ("//a[contains(@n, '3')]", "3"),
        ("//a[starts-with(text(), 'x')]", "1"),
        ("//a[normalize-space(text())='y z']", "4"),
        ("//a[@n][@m]", "4"),
        ("//c/../a", "4"),
        ("//a[(@n='1' or @n='2') and not(@m)]", "12"),
        ("//*[@n='5']", "5"),
        ("a", "1"),
        (".//a", "12345"),
    ],
)
def test_an_xpath_selects(path: str, numbers: str) -> None:
    elements = select(TREE, path, start=None if path.startswith(("/", "(")) else TREE)
    assert "".join(element.get("n", "") for element in elements) == numbers


@pytest.mark.parametrize(
    "path",
    ["", "//", "a[", "//a[@]", "//a]", "//a[@n=]", "//a[count(b)=1]", "a b", "//a[#]", "/r/following-sibling::a", "3"],
)
def test_a_path_that_is_none_is_refused(path: str) -> None:
    with pytest.raises(XPathError):
        select(TREE, path)


@pytest.mark.parametrize("begin", ["(", "//a[("])
def test_a_path_of_endless_parentheses_is_refused(begin: str) -> None:
    with pytest.raises(XPathError, match="nested too deeply"):
        select(TREE, begin + begin[-1] * 5000)
