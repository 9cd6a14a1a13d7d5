from __future__ import annotations

import struct
import zlib

import pytest

from pytest_devicefarm.simulator import font
from pytest_devicefarm.simulator.clock import Clock
from pytest_devicefarm.simulator.layout import Rect
from pytest_devicefarm.simulator.mailbox import Mailbox
from pytest_devicefarm.simulator.picture import screenshot
from pytest_devicefarm.simulator.screen import LANDSCAPE, RunningApp
from pytest_devicefarm.simulator.source import AppSource

APP = (
    '<app><title>Shop</title><MockInputField id="user" hint="User"/><MockInputField id="pin" secret="true"/>'
    '<MockButton id="ask" text="Ask" showAlert="hi"/><MockSwitch id="news" toggle="wants" selectedWhen="wants"/>'
    '<MockList id="list" height="60"><MockListItem id="a" text="One"/><MockListItem id="b" text="Two"/></MockList>'
    "<MockWebView><html><body>Hello</body></html></MockWebView>"
    '<alert id="hi" text="A question that is longer than a line of the box can hold"/></app>'
)


def an_app(xml: str = APP) -> RunningApp:
    clock = Clock(speed=0)
    return RunningApp(
        AppSource.from_xml(xml), now=clock.now, wait=lambda seconds: None, mailbox=Mailbox(), log=lambda line: None
    )


def dots(png: bytes) -> list[bytes]:
    """The rows of a picture, read back by the rules of the format."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, position = {}, 8
    while position < len(png):
        length, name = struct.unpack(">I4s", png[position : position + 8])
        data = png[position + 8 : position + 8 + length]
        (checksum,) = struct.unpack(">I", png[position + 8 + length : position + 12 + length])
        assert checksum == zlib.crc32(name + data)
        chunks[name] = data
        position += 12 + length
    width, height, depth, kind = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    assert (depth, kind) == (8, 3)
    raw = zlib.decompress(chunks[b"IDAT"])
    rows = [raw[row * (width + 1) + 1 : (row + 1) * (width + 1)] for row in range(height)]
    assert len(raw) == height * (width + 1)
    return rows


def test_a_picture_is_a_png_of_the_screen_s_size() -> None:
    rows = dots(screenshot(an_app().view()))
    assert (len(rows[0]), len(rows)) == (400, 852)


def test_a_turned_screen_is_drawn_turned() -> None:
    app = an_app()
    app.turn(LANDSCAPE)
    rows = dots(screenshot(app.view()))
    assert (len(rows[0]), len(rows)) == (852, 400)


def test_a_part_is_cut_out() -> None:
    view = an_app().view()
    whole, part = dots(screenshot(view)), dots(screenshot(view, Rect(10, 20, 30, 40)))
    assert part == [row[10:40] for row in whole[20:60]]


def test_a_part_outside_the_screen_is_empty() -> None:
    assert len(dots(screenshot(an_app().view(), Rect(9999, 0, 10, 10)))) == 10


def test_the_same_state_gives_the_same_picture() -> None:
    assert screenshot(an_app().view()) == screenshot(an_app().view())


@pytest.mark.parametrize("change", ["focus", "typed", "alert", "switch", "scrolled", "stopped"])
def test_another_state_gives_another_picture(change: str) -> None:
    app = an_app()
    before = screenshot(app.view())
    widgets = {widget.node.get("id"): widget for widget in app.view().all()}
    match change:
        case "focus":
            app.tap(widgets["user"].node)
        case "typed":
            app.type(widgets["user"].node, "Ann")
        case "alert":
            app.tap(widgets["ask"].node)
        case "switch":
            app.tap(widgets["news"].node)
        case "scrolled":
            app.scroll(widgets["list"], 20)
        case "stopped":
            app.stop()
    assert screenshot(app.view()) != before


def test_a_secret_is_not_drawn() -> None:
    pictures = []
    for secret in ("abc", "xyz"):
        app = an_app()
        app.type(next(widget.node for widget in app.view().all() if widget.node.get("id") == "pin"), secret)
        pictures.append(screenshot(app.view()))
    assert pictures[0] == pictures[1]


def test_text_beyond_the_font_is_drawn_as_boxes() -> None:
    ä, ö = (screenshot(an_app(f'<app><MockText text="{letter}"/></app>').view()) for letter in "äö")
    assert ä == ö
    assert ä != screenshot(an_app("<app><MockText/></app>").view())


def test_no_two_characters_look_alike() -> None:
    characters = [chr(code) for code in range(32, 127)]
    assert len({font.rows_of(character) for character in characters}) == len(characters)
