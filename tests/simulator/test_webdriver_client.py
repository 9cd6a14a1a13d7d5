"""The real Appium client understands the engine's answers."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import pytest
from appium import webdriver
from appium.options.common.base import AppiumOptions
from appium.webdriver.common.appiumby import AppiumBy
from appium.webdriver.webdriver import WebDriver
from selenium.common import exceptions
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.support.wait import WebDriverWait
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from pytest_devicefarm.simulator.clock import Clock
from pytest_devicefarm.simulator.webdriver import AppSession, AppSource, Mailbox, WebDriverError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

APP = """
<app package="com.example.shop" version="1.4.0" width="400" height="852">
  <title>Shop</title>
  <MockInputField id="user" hint="User"/>
  <MockButton id="go" text="Go" add="taps=1"/>
  <MockText id="taps" text="{taps}"/>
  <MockButton id="ask" text="Ask" showAlert="sure"/>
  <MockButton id="load" text="Load" after="20" set="loaded=1"/>
  <MockText id="content" visibleWhen="loaded"/>
  <MockButton id="send" text="Send" send="hello"/>
  <MockList id="list" height="100" inbox="">
    <MockListItem id="a" text="a"/><MockListItem id="b" text="b"/><MockListItem id="c" text="c"/>
    <MockListItem id="d" text="d"/><MockListItem id="e" text="e"/>
  </MockList>
  <MockWebView id="web">
    <html><head><title>Cart</title></head><body><p id="cart">3 things</p></body></html>
  </MockWebView>
  <alert id="sure" text="Sure?" hasPrompt="true" dismiss="No"/>
</app>
"""


class Hub:
    """A WebDriver server that holds sessions of one app."""

    def __init__(self) -> None:
        self.clock = Clock(speed=100)
        self.mailbox = Mailbox()
        self.sessions: dict[str, AppSession] = {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        try:
            status, value = 200, self.answer(request)
        except WebDriverError as error:
            status, value = error.status, {"error": error.error, "message": error.message, "stacktrace": ""}
        return Response(json.dumps({"value": value}), status, content_type="application/json")(environ, start_response)

    def answer(self, request: Request) -> object:
        body = json.loads(request.get_data() or b"{}")
        _, _, session_id, rest = f"{request.path}//".split("/", 3)
        if not session_id:
            session_id = str(len(self.sessions))
            capabilities = body["capabilities"]["alwaysMatch"] | body["capabilities"]["firstMatch"][0]
            self.sessions[session_id] = AppSession(
                app=AppSource.from_xml(APP), capabilities=capabilities, clock=self.clock, mailbox=self.mailbox
            )
            return {"sessionId": session_id, "capabilities": capabilities}
        path = f"/{rest}".rstrip("/")
        if request.method == "DELETE" and not path:
            self.sessions[session_id].close()
            return None
        return self.sessions[session_id].execute(request.method, path, body)


@pytest.fixture(scope="module")
def hub_url() -> Iterator[str]:
    hub = Hub()
    server = make_server("127.0.0.1", 0, hub, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        hub.clock.close()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def open_phone(hub_url: str) -> Iterator[Callable[[], WebDriver]]:
    drivers: list[WebDriver] = []

    def open_one() -> WebDriver:
        options = AppiumOptions().load_capabilities(
            {"platformName": "Android", "appium:automationName": "UiAutomator2"}
        )
        drivers.append(webdriver.Remote(hub_url, options=options))
        return drivers[-1]

    yield open_one
    for driver in drivers:
        driver.quit()


@pytest.fixture
def phone(open_phone: Callable[[], WebDriver]) -> WebDriver:
    return open_phone()


def test_tap_type_and_read(phone: WebDriver) -> None:
    phone.find_element(AppiumBy.ACCESSIBILITY_ID, "Go").click()
    field = phone.find_element(AppiumBy.ID, "user")
    field.send_keys("ann")
    assert phone.find_element(AppiumBy.XPATH, '//MockText[@id="taps"]').text == "1"
    assert (field.text, field.get_attribute("hint"), field.tag_name) == ("ann", "User", "MockInputField")
    assert (field.is_displayed(), field.is_enabled(), field.is_selected()) == (True, True, False)
    assert phone.switch_to.active_element == field


def test_a_miss_is_no_such_element(phone: WebDriver) -> None:
    with pytest.raises(exceptions.NoSuchElementException):
        phone.find_element(AppiumBy.ID, "nothing")
    with pytest.raises(exceptions.InvalidSelectorException):
        phone.find_element(AppiumBy.XPATH, "//[")


def test_source_and_pictures(phone: WebDriver) -> None:
    assert "<title>Shop</title>" in phone.page_source
    assert phone.get_screenshot_as_png() != phone.find_element(AppiumBy.ID, "go").screenshot_as_png


def test_a_finger_taps_at_a_point(phone: WebDriver) -> None:
    rect = phone.find_element(AppiumBy.ID, "go").rect
    phone.tap([(rect["x"] + 5, rect["y"] + 5)])
    ActionChains(phone).click(phone.find_element(AppiumBy.ID, "go")).perform()
    phone.execute_script("mobile: clickGesture", {"elementId": phone.find_element(AppiumBy.ID, "go").id})
    assert phone.find_element(AppiumBy.ID, "taps").text == "3"


def test_a_tap_beside_the_screen_is_out_of_bounds(phone: WebDriver) -> None:
    with pytest.raises(exceptions.MoveTargetOutOfBoundsException):
        phone.tap([(5000, 5)])


def test_a_swipe_scrolls_a_list(phone: WebDriver) -> None:
    last = phone.find_element(AppiumBy.ID, "e")
    assert not last.is_displayed()
    rect = phone.find_element(AppiumBy.ID, "list").rect
    phone.swipe(rect["x"] + 5, rect["y"] + 95, rect["x"] + 5, rect["y"] - 200, 200)
    assert last.is_displayed()


def test_a_scroll_gesture_says_whether_there_is_more(phone: WebDriver) -> None:
    scroll = {"elementId": phone.find_element(AppiumBy.ID, "list").id, "direction": "down"}
    answers = [phone.execute_script("mobile: scrollGesture", scroll) for _ in range(5)]
    assert answers[0] is True
    assert answers[-1] is False
    assert phone.find_element(AppiumBy.ID, "e").is_displayed()


def test_keys_go_to_the_field_that_has_the_focus(phone: WebDriver) -> None:
    field = phone.find_element(AppiumBy.ID, "user")
    field.click()
    assert phone.is_keyboard_shown()
    ActionChains(phone).send_keys("ann").perform()
    phone.hide_keyboard()
    assert (field.text, phone.is_keyboard_shown()) == ("ann", False)


def test_an_alert(phone: WebDriver) -> None:
    phone.find_element(AppiumBy.ID, "ask").click()
    assert phone.switch_to.alert.text == "Sure?"
    with pytest.raises(exceptions.UnexpectedAlertPresentException):
        phone.find_element(AppiumBy.ID, "go").click()
    phone.switch_to.alert.send_keys("yes")
    phone.switch_to.alert.accept()
    with pytest.raises(exceptions.NoAlertPresentException):
        phone.switch_to.alert.dismiss()


def test_turning_the_phone(phone: WebDriver) -> None:
    phone.orientation = "LANDSCAPE"
    assert phone.orientation == "LANDSCAPE"
    assert phone.get_window_size() == {"width": 852, "height": 400}


def test_a_web_view(phone: WebDriver) -> None:
    assert phone.contexts == ["NATIVE_APP", "WEBVIEW_1"]
    phone.switch_to.context("WEBVIEW_1")
    assert phone.current_context == "WEBVIEW_1"
    assert phone.title == "Cart"
    assert phone.find_element(AppiumBy.CSS_SELECTOR, "#cart").text == "3 things"


def test_the_implicit_wait(phone: WebDriver) -> None:
    phone.implicitly_wait(60)
    phone.find_element(AppiumBy.ID, "load").click()
    assert phone.find_element(AppiumBy.ID, "content").is_displayed()
    assert phone.timeouts.implicit_wait == 60


def test_the_app_is_ended_and_started(phone: WebDriver) -> None:
    assert phone.is_app_installed("com.example.shop")
    assert phone.query_app_state("com.example.shop") == 4
    assert phone.terminate_app("com.example.shop")
    assert phone.query_app_state("com.example.shop") == 1
    phone.activate_app("com.example.shop")
    assert phone.query_app_state("com.example.shop") == 4


def test_settings_log_and_time(phone: WebDriver) -> None:
    phone.update_settings({"waitForIdleTimeout": 1})
    assert phone.get_settings() == {"waitForIdleTimeout": 1}
    assert phone.log_types == ["logcat", "actions"]
    assert phone.get_log("logcat")[0]["message"] == "started com.example.shop 1.4.0"
    assert phone.get_device_time().endswith("+00:00")
    assert (phone.current_package, phone.current_activity) == ("com.example.shop", ".MainActivity")


def test_the_screen_is_recorded(phone: WebDriver) -> None:
    assert not phone.stop_recording_screen()
    phone.start_recording_screen()
    assert base64.b64decode(phone.stop_recording_screen())[4:8] == b"ftyp"


def test_a_script_that_is_not_known(phone: WebDriver) -> None:
    with pytest.raises(exceptions.UnknownMethodException, match="mobile: shell"):
        phone.execute_script("mobile: shell", {"command": "ls"})


def test_two_phones_talk(open_phone: Callable[[], WebDriver]) -> None:
    one, other = open_phone(), open_phone()
    one.find_element(AppiumBy.ID, "send").click()
    letter = WebDriverWait(other, 5, poll_frequency=0.05).until(
        lambda driver: driver.find_element(AppiumBy.XPATH, "//MockListItem[@text='hello']")
    )
    assert letter.get_attribute("id") == "letter-6"


def test_a_session_that_was_closed_is_invalid(open_phone: Callable[[], WebDriver]) -> None:
    phone = open_phone()
    phone.quit()
    with pytest.raises(exceptions.InvalidSessionIdException):
        phone.find_element(AppiumBy.ID, "go")
