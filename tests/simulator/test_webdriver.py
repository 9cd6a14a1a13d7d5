from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from typing import Any

import pytest

from pytest_devicefarm.simulator.clock import Clock
from pytest_devicefarm.simulator.protocol import ELEMENT_KEY
from pytest_devicefarm.simulator.webdriver import ROUTES, AppSession, AppSource, CommandRecord, WebDriverError

APP = """
<app package="com.example.shop" width="400" height="852">
  <title>Shop</title>
  <screen id="first">
    <MockInputField id="user" hint="User"/>
    <MockInputField id="password" secret="true"/>
    <MockButton id="go" text="Go" goTo="second"/>
    <MockButton id="ask" showAlert="sure"/>
    <MockButton id="slow" delay="60" set="done=1"/>
    <MockButton id="later" after="5" set="done=1"/>
    <MockText id="done" visibleWhen="done"/>
    <MockButton id="off" enabled="false" set="done=1"/>
    <MockText id="hidden" visible="false"/>
    <MockWebView id="web"><html><head><title>Cart</title></head>
      <body><div id="cart" class="c big" style="color: red; top: 1px">3 things</div></body></html></MockWebView>
  </screen>
  <screen id="second"><MockText id="there" text="There"/></screen>
  <alert id="sure" text="Sure?" dismiss="No" hasPrompt="true"/>
</app>
"""


def a_session(app: str = APP, clock: Clock | None = None, **capabilities: Any) -> AppSession:
    return AppSession(app=AppSource.from_xml(app), capabilities=capabilities, clock=clock or Clock(speed=0))


def find(session: AppSession, name: str, strategy: str = "id") -> str:
    found: str = session.execute("POST", "/element", {"using": strategy, "value": name})[ELEMENT_KEY]
    return found


def ask(session: AppSession, name: str, what: str) -> Any:
    return session.execute("GET", f"/element/{find(session, name)}/{what}")


def tell(session: AppSession, name: str, what: str, body: Mapping[str, Any] | None = None) -> Any:
    return session.execute("POST", f"/element/{find(session, name)}/{what}", body)


def refusal(session: AppSession, method: str, path: str, body: Mapping[str, Any] | None = None) -> tuple[str, int]:
    with pytest.raises(WebDriverError) as caught:
        session.execute(method, path, body)
    return caught.value.error, caught.value.status


def test_a_session_tells_its_capabilities() -> None:
    assert a_session(platformName="Android").execute("GET", "") == {"platformName": "Android"}


def test_typed_text_can_be_read_and_cleared() -> None:
    session = a_session()
    tell(session, "user", "value", {"text": "ann\ue003na"})
    assert ask(session, "user", "text") == "anna"
    tell(session, "user", "clear")
    assert ask(session, "user", "text") == ""


def test_keys_that_write_nothing_are_left_out() -> None:
    session = a_session()
    tell(session, "user", "value", {"text": "a\ue009\x00ä\ud800\n"})
    assert ask(session, "user", "text") == "aä\n"


def test_a_password_is_read_as_asterisks() -> None:
    session = a_session()
    tell(session, "password", "value", {"text": "canary"})
    assert ask(session, "password", "text") == "******"
    assert "canary" not in session.execute("GET", "/source")


def test_a_button_takes_no_text() -> None:
    session = a_session()
    assert refusal(session, "POST", f"/element/{find(session, 'go')}/value", {"text": "x"}) == (
        "invalid element state",
        400,
    )


def test_an_element_that_left_the_screen_is_stale() -> None:
    session = a_session()
    button = find(session, "go")
    session.execute("POST", f"/element/{button}/click")
    assert refusal(session, "GET", f"/element/{button}/text") == ("stale element reference", 404)


def test_an_id_never_given_out_is_no_element() -> None:
    assert refusal(a_session(), "GET", "/element/7/text") == ("no such element", 404)


def test_a_miss_says_what_was_looked_for() -> None:
    with pytest.raises(WebDriverError, match="no element on the screen has id 'basket'"):
        find(a_session(), "basket")


def test_many_may_be_none() -> None:
    assert a_session().execute("POST", "/elements", {"using": "id", "value": "basket"}) == []


def test_the_same_element_keeps_its_id() -> None:
    session = a_session()
    assert find(session, "go") == find(session, "//MockButton[@text='Go']", "xpath")


def test_a_tap_on_a_disabled_button_does_nothing() -> None:
    session = a_session()
    tell(session, "off", "click")
    assert session.execute("POST", "/elements", {"using": "id", "value": "done"}) == []
    assert ask(session, "off", "enabled") is False


def test_what_cannot_be_seen_cannot_be_tapped() -> None:
    session = a_session()
    assert ask(session, "hidden", "displayed") is False
    assert refusal(session, "POST", f"/element/{find(session, 'hidden')}/click") == ("element not interactable", 400)


def test_an_open_alert_keeps_taps_away() -> None:
    session = a_session()
    tell(session, "ask", "click")
    assert refusal(session, "POST", f"/element/{find(session, 'go')}/click") == ("unexpected alert open", 500)


def test_an_alert_is_read_and_answered() -> None:
    session = a_session()
    tell(session, "ask", "click")
    assert session.execute("GET", "/alert/text") == "Sure?"
    session.execute("POST", "/alert/text", {"text": "yes"})
    session.execute("POST", "/alert/accept")
    assert refusal(session, "GET", "/alert/text") == ("no such alert", 404)


def test_buttons_of_an_alert_are_elements() -> None:
    session = a_session()
    tell(session, "ask", "click")
    tell(session, "sure-dismiss", "click")
    assert refusal(session, "POST", "/alert/dismiss") == ("no such alert", 404)


@pytest.mark.parametrize(
    ("method", "path", "body", "refused"),
    [
        ("GET", "/nonsense", {}, ("unknown command", 404)),
        ("POST", "/element/1/2/3", {}, ("unknown command", 404)),
        ("DELETE", "/source", {}, ("unknown method", 405)),
        ("POST", "/execute/sync", {"script": "mobile: shell", "args": []}, ("unknown method", 405)),
        ("POST", "/execute/sync", {"script": "return 1", "args": []}, ("unknown method", 405)),
        ("POST", "/execute/sync", {"script": "mobile: pressKey", "args": [4]}, ("invalid argument", 400)),
        ("POST", "/element", {"using": "id"}, ("invalid argument", 400)),
        ("POST", "/element", {"using": "smell", "value": "x"}, ("invalid selector", 400)),
        ("POST", "/element", {"using": "xpath", "value": "//["}, ("invalid selector", 400)),
        ("POST", "/timeouts", {"implicit": -1}, ("invalid argument", 400)),
        ("POST", "/timeouts", {"sleepy": 1}, ("invalid argument", 400)),
        ("POST", "/orientation", {"orientation": "SIDEWAYS"}, ("invalid argument", 400)),
        ("POST", "/context", {"name": "WEBVIEW_9"}, ("no such context", 404)),
        ("POST", "/se/log", {"type": "bugreport"}, ("invalid argument", 400)),
        ("POST", "/actions", {"actions": "tap"}, ("invalid argument", 400)),
        ("POST", "/actions", {"actions": [{"type": "nose"}]}, ("invalid argument", 400)),
        ("POST", "/actions", {"actions": [{"actions": [{"duration": math.inf}]}]}, ("invalid argument", 400)),
        ("POST", "/alert/accept", {}, ("no such alert", 404)),
    ],
)
def test_what_makes_no_sense_is_refused(
    method: str, path: str, body: Mapping[str, Any], refused: tuple[str, int]
) -> None:
    assert refusal(a_session(), method, path, body) == refused


def test_every_command_has_a_path_of_its_own() -> None:
    assert len({(route.method, route.path) for route in ROUTES}) == len(ROUTES)


def test_a_web_view_is_a_context_of_its_own() -> None:
    session = a_session()
    assert session.execute("GET", "/contexts") == ["NATIVE_APP", "WEBVIEW_1"]
    session.execute("POST", "/context", {"name": "WEBVIEW_1"})
    cart = find(session, "div.c#cart", "css selector")
    assert session.execute("GET", f"/element/{cart}/text") == "3 things"
    assert session.execute("GET", f"/element/{cart}/css/color") == "red"
    assert session.execute("GET", "/title") == "Cart"
    assert session.execute("GET", "/source").endswith("</html>")


def test_the_device_log_is_given_out_once() -> None:
    session = a_session(platformName="Android")
    tell(session, "user", "click")
    assert session.execute("GET", "/se/log/types") == ["logcat", "actions"]
    lines = session.execute("POST", "/se/log", {"type": "logcat"})
    assert [line["message"] for line in lines] == ["started com.example.shop 1.0", "tap user"]
    assert session.execute("POST", "/se/log", {"type": "logcat"}) == []
    assert session.device_log == ("started com.example.shop 1.0", "tap user")


def test_an_iphone_has_a_syslog() -> None:
    assert "syslog" in a_session(platformName="iOS").execute("GET", "/se/log/types")


def test_settings_are_remembered() -> None:
    session = a_session()
    session.execute("POST", "/appium/settings", {"settings": {"waitForIdleTimeout": 10}})
    assert session.execute("GET", "/appium/settings") == {"waitForIdleTimeout": 10}


def test_a_terminated_app_shows_nothing_until_it_is_activated() -> None:
    session = a_session()
    app = {"appId": "com.example.shop"}
    assert session.execute("POST", "/appium/device/app_state", app) == 4
    assert session.execute("POST", "/appium/device/terminate_app", app) is True
    assert session.execute("POST", "/appium/device/app_state", app) == 1
    assert session.execute("POST", "/elements", {"using": "id", "value": "go"}) == []
    session.execute("POST", "/appium/device/activate_app", app)
    assert find(session, "go")


def test_an_app_of_another_name_is_not_installed() -> None:
    assert a_session().execute("POST", "/appium/device/app_state", {"appId": "org.other"}) == 0


def test_the_implicit_wait_lasts_until_the_element_is_there() -> None:
    clock = Clock(speed=100)
    session = a_session(clock=clock)
    session.execute("POST", "/timeouts", {"implicit": 20000})
    tell(session, "later", "click")
    begin = clock.now()
    find(session, "done")
    assert 4 < clock.now() - begin < 20


def test_the_implicit_wait_ends() -> None:
    clock = Clock(speed=1000)
    session = a_session(clock=clock)
    session.execute("POST", "/timeouts", {"implicit": 10000})
    begin = clock.now()
    assert refusal(session, "POST", "/element", {"using": "id", "value": "done"}) == ("no such element", 404)
    assert clock.now() - begin >= 10


def in_thread(session: AppSession, path: str) -> tuple[threading.Thread, list[WebDriverError | None]]:
    outcome: list[WebDriverError | None] = []

    def run() -> None:
        try:
            session.execute("POST", path)
            outcome.append(None)
        except WebDriverError as error:
            outcome.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, outcome


def test_a_slow_tap_takes_its_time_and_holds_nobody_else_up() -> None:
    clock = Clock(speed=0)
    session, other = a_session(clock=clock), a_session(clock=clock)
    thread, outcome = in_thread(session, f"/element/{find(session, 'slow')}/click")
    assert clock.wait_for_sleeper()
    assert find(other, "go")
    clock.advance(60)
    thread.join(5)
    assert outcome == [None]
    assert find(session, "done")
    assert session.commands[-2].duration == pytest.approx(60, abs=0.01)


def test_closing_ends_a_slow_tap_at_once() -> None:
    clock = Clock(speed=0)
    session = a_session(clock=clock)
    thread, outcome = in_thread(session, f"/element/{find(session, 'slow')}/click")
    assert clock.wait_for_sleeper()
    session.close()
    thread.join(5)
    assert [error and error.error for error in outcome] == ["invalid session id"]


def test_a_closed_session_answers_no_command() -> None:
    session = a_session()
    session.close()
    assert refusal(session, "GET", "/source") == ("invalid session id", 404)


def test_commands_are_recorded_with_their_errors() -> None:
    clock = Clock(speed=0, start=1000)
    session = a_session(clock=clock)
    find(session, "go")
    refusal(session, "GET", "/nonsense")
    found, unknown = session.commands
    assert found == CommandRecord("find_element", "POST", "/element", found.at, found.duration, "")
    assert found.at == pytest.approx(1000)
    assert (unknown.name, unknown.error) == ("", "unknown command")
