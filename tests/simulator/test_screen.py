from __future__ import annotations

import pytest

from pytest_devicefarm.simulator.clock import Clock
from pytest_devicefarm.simulator.layout import Widget
from pytest_devicefarm.simulator.mailbox import Mailbox
from pytest_devicefarm.simulator.screen import LANDSCAPE, RunningApp
from pytest_devicefarm.simulator.source import AppSource


class Phone:
    """An app in somebody's hand: elements by id."""

    def __init__(self, content: str, *, mailbox: Mailbox | None = None, grants_permissions: bool = False) -> None:
        self.clock = Clock(speed=0)
        self.waited: list[float] = []
        self.log: list[str] = []
        self.app = RunningApp(
            AppSource.from_xml(content if content.startswith("<app") else f"<app>{content}</app>"),
            now=self.clock.now,
            wait=self.waited.append,
            mailbox=Mailbox() if mailbox is None else mailbox,
            log=self.log.append,
            grants_permissions=grants_permissions,
        )

    def find(self, name: str) -> Widget:
        return next(widget for widget in self.app.view().all() if widget.node.get("id") == name)

    def has(self, name: str) -> bool:
        return any(widget.node.get("id") == name for widget in self.app.view().all())

    def text(self, name: str) -> str:
        return self.find(name).look.text

    def tap(self, *names: str) -> None:
        for name in names:
            self.app.tap(self.find(name).node)

    def type(self, name: str, text: str) -> None:
        self.app.type(self.find(name).node, text)


def test_the_first_screen_opens_first() -> None:
    phone = Phone('<screen id="one"><MockText id="a"/></screen><screen id="two"><MockText id="b"/></screen>')
    assert phone.has("a")
    assert not phone.has("b")


def test_elements_outside_screens_are_always_there() -> None:
    phone = Phone('<MockButton id="go" goTo="two"/><screen id="one"/><screen id="two"><MockText id="b"/></screen>')
    phone.tap("go")
    assert phone.has("go")
    assert phone.has("b")


def test_back_returns_to_the_screen_before() -> None:
    phone = Phone('<screen id="one"><MockButton id="go" goTo="two"/></screen><screen id="two"/>')
    phone.tap("go")
    phone.app.back()
    assert phone.has("go")


def test_a_screen_has_its_own_title() -> None:
    phone = Phone('<app set="who=Ann"><title>Shop</title><screen id="one"><title>Hello {who}</title></screen></app>')
    assert phone.app.view().title == "Hello Ann"


def test_a_counter_counts_decimals_exactly() -> None:
    phone = Phone('<MockButton id="more" add="sum=0.10"/><MockText id="sum" text="{sum}"/>')
    phone.tap("more", "more", "more")
    assert phone.text("sum") == "0.30"


def test_a_counter_that_holds_a_word_starts_at_zero() -> None:
    phone = Phone('<app set="n=many"><MockButton id="more" add="n=1"/><MockText id="n" text="{n}"/></app>')
    phone.tap("more")
    assert phone.text("n") == "1"


@pytest.mark.parametrize(
    ("condition", "there"),
    [
        ("word", True),
        ("!word", False),
        ("zero", False),
        ("!zero", True),
        ("nothing", False),
        ("word=yes", True),
        ("word!=yes", False),
        ("word=yes and zero=0", True),
        ("word=yes and nothing", False),
        ("word={same}", True),
        ("nothing=", True),
        ("?!", False),
        ("", False),
    ],
)
def test_a_condition_decides_what_is_there(condition: str, there: bool) -> None:
    phone = Phone(f'<app set="word=yes; zero=0; same=yes"><MockText id="it" visibleWhen="{condition}"/></app>')
    assert phone.has("it") is there


def test_the_first_effect_that_holds_happens() -> None:
    phone = Phone(
        '<MockInputField id="user"/><MockText id="answer" text="{answer}"/>'
        '<MockButton id="go"><effect when="user=ann" set="answer=welcome"/><effect set="answer=who?"/></MockButton>'
    )
    phone.tap("go")
    assert phone.text("answer") == "who?"
    phone.type("user", "ann")
    phone.tap("go")
    assert phone.text("answer") == "welcome"


def test_a_switch_is_toggled() -> None:
    phone = Phone('<MockSwitch id="news" toggle="wants" selectedWhen="wants"/>')
    states = [phone.find("news").look.selected]
    for _ in range(2):
        phone.tap("news")
        states.append(phone.find("news").look.selected)
    assert states == [False, True, False]


def test_a_list_shows_only_what_fits_its_filter() -> None:
    phone = Phone(
        '<MockInputField id="search"/><MockList filter="search"><MockListItem id="tea" text="Green Tea"/>'
        '<MockListItem id="cup" text="Cup"/></MockList>'
    )
    phone.type("search", "tea")
    assert phone.has("tea")
    assert not phone.has("cup")


def test_an_alert_does_what_its_answer_says() -> None:
    phone = Phone(
        '<MockButton id="ask" showAlert="camera"/><MockText id="camera-is" text="{camera}"/>'
        '<alert id="camera" text="Allow?" accept="Allow" dismiss="Deny"><effect on="accept" set="camera=on"/>'
        '<effect on="dismiss" set="camera=off"/></alert>'
    )
    phone.tap("ask")
    assert phone.app.alert_text() == "Allow?"
    phone.tap("camera-dismiss")
    assert phone.app.alert is None
    assert phone.text("camera-is") == "off"


def test_a_permission_granted_beforehand_is_not_asked_for() -> None:
    phone = Phone(
        '<MockButton id="ask" showAlert="camera"/><MockText id="camera-is" text="{camera}"/>'
        '<alert id="camera" permission="camera"><effect on="accept" set="camera=on"/></alert>',
        grants_permissions=True,
    )
    phone.tap("ask")
    assert phone.app.alert is None
    assert phone.text("camera-is") == "on"


def test_an_answer_to_a_prompt_is_a_variable() -> None:
    phone = Phone(
        '<MockButton id="ask" showAlert="name"/><MockText id="hi" text="Hi {name}"/>'
        '<alert id="name" hasPrompt="true" text="Who?"/>'
    )
    phone.tap("ask")
    assert phone.app.type_into_alert("Ann")
    phone.app.answer_alert("accept")
    assert phone.text("hi") == "Hi Ann"


def test_a_delay_comes_before_the_effect() -> None:
    phone = Phone('<MockButton id="slow" delay="60" set="done=1"/>')
    phone.tap("slow")
    assert phone.waited == [60.0]


def test_an_effect_for_later_happens_when_its_time_has_come() -> None:
    phone = Phone('<MockButton id="load" after="5" set="loaded=1"/><MockText id="content" visibleWhen="loaded"/>')
    phone.tap("load")
    phone.clock.advance(4)
    phone.app.catch_up()
    assert not phone.has("content")
    phone.clock.advance(1)
    phone.app.catch_up()
    assert phone.has("content")


CHAT = (
    '<MockInputField id="me"/><MockInputField id="to"/><MockInputField id="text"/>'
    '<MockButton id="send" send="{text}" to="{to}" set="text="/><MockList id="in" inbox="{me}"/>'
)


def a_chatting_phone(mailbox: Mailbox, name: str) -> Phone:
    phone = Phone(CHAT, mailbox=mailbox)
    phone.type("me", name)
    return phone


def letters_of(phone: Phone) -> list[str]:
    phone.app.catch_up()
    return [child.look.text for child in phone.find("in").children]


def test_a_letter_reaches_its_address_and_no_other() -> None:
    mailbox = Mailbox()
    alice, bob, carol = (a_chatting_phone(mailbox, name) for name in ("alice", "bob", "carol"))
    alice.type("to", "bob")
    alice.type("text", "tea?")
    alice.tap("send")
    assert [letters_of(phone) for phone in (alice, bob, carol)] == [[], ["tea?"], []]


def test_a_letter_to_everybody_does_not_come_back() -> None:
    mailbox = Mailbox()
    content = '<MockButton id="send" send="hello"/><MockList id="in" inbox=""/>'
    one, other = Phone(content, mailbox=mailbox), Phone(content, mailbox=mailbox)
    one.tap("send")
    assert [letters_of(one), letters_of(other)] == [[], ["hello"]]


def test_letters_sent_before_an_app_starts_are_not_seen() -> None:
    mailbox = Mailbox()
    mailbox.send("old", sender="someone", to="bob")
    assert letters_of(a_chatting_phone(mailbox, "bob")) == []


def test_a_restart_forgets_everything() -> None:
    phone = Phone('<MockInputField id="name"/>')
    phone.type("name", "Ann")
    phone.app.stop()
    assert not phone.has("name")
    phone.app.restart()
    assert phone.text("name") == ""


def test_elements_stand_one_below_the_other() -> None:
    phone = Phone('<MockButton id="a"/><MockButton id="b"/>')
    a, b = phone.find("a").rect, phone.find("b").rect
    assert a.x == b.x
    assert a.y + a.height < b.y


def test_an_element_with_a_place_stands_there_and_takes_no_room() -> None:
    phone = Phone('<MockButton id="a" left="10" top="20" width="100" height="40"/><MockButton id="b"/>')
    rect = phone.find("a").rect
    assert (rect.x, rect.y, rect.width, rect.height) == (10, 20, 100, 40)
    assert phone.find("b").rect.y == Phone('<MockButton id="b"/>').find("b").rect.y


def test_a_turned_phone_is_as_wide_as_it_was_high() -> None:
    phone = Phone('<app width="400" height="852"><MockText id="how" text="{orientation}"/></app>')
    before = phone.find("how").rect.width
    phone.app.turn(LANDSCAPE)
    assert phone.app.size == (852, 400)
    assert phone.find("how").rect.width == before + 452
    assert phone.text("how") == LANDSCAPE


ITEMS = "".join(f'<MockListItem id="item{number}" text="{number}"/>' for number in range(20))


def test_a_list_scrolls_to_its_end_and_no_further() -> None:
    phone = Phone(f'<MockList id="list" height="200">{ITEMS}</MockList>')
    assert phone.find("item0").displayed
    assert not phone.find("item19").displayed
    assert phone.app.scroll(phone.find("list"), 100)
    assert not phone.app.scroll(phone.find("list"), 5000)
    assert phone.find("item19").displayed
    assert not phone.find("item0").displayed


def test_a_tap_finds_what_lies_uppermost() -> None:
    phone = Phone('<MockList id="list"><MockListItem id="item"/></MockList>')
    x, y = phone.find("item").rect.center
    found = phone.app.view().at(x, y)
    assert found is not None
    assert found.node.get("id") == "item"


def test_an_invisible_element_can_be_found_but_not_seen() -> None:
    phone = Phone('<MockText id="it" visible="false"/>')
    assert not phone.find("it").displayed


def test_what_the_user_did_is_in_the_log() -> None:
    phone = Phone('<MockButton id="go" showAlert="hi"/><alert id="hi" text="Hi"/>')
    phone.tap("go", "hi-accept")
    assert phone.log[1:] == ["tap go", "alert hi", "tap hi-accept", "accept hi"]


def test_attributes_the_engine_does_not_know_are_ignored() -> None:
    assert Phone('<MockText id="it" colour="red" text="x"/>').text("it") == "x"
