"""The screens of the shop: what a customer can see and do there, without a word about WebDriver in the tests."""

from __future__ import annotations

from appium.webdriver.common.appiumby import AppiumBy
from appium.webdriver.webdriver import WebDriver
from appium.webdriver.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

PASSWORD = "tea-time"


class Screen:
    """What all screens have in common."""

    def __init__(self, driver: WebDriver) -> None:
        self.driver = driver

    def element(self, name: str) -> WebElement:
        return self.driver.find_element(AppiumBy.ACCESSIBILITY_ID, name)

    def has(self, name: str) -> bool:
        return bool(self.driver.find_elements(AppiumBy.ACCESSIBILITY_ID, name))

    def text(self, name: str) -> str:
        return self.element(name).text

    def tap(self, name: str) -> None:
        self.element(name).click()

    def type(self, name: str, text: str) -> None:
        field = self.element(name)
        field.clear()
        field.send_keys(text)


class SignIn(Screen):
    """Where the shop opens."""

    def submit(self, user: str, password: str) -> None:
        self.type("user", user)
        self.type("password", password)
        self.tap("sign-in")

    def as_customer(self, user: str) -> Goods:
        self.submit(user, PASSWORD)
        return Goods(self.driver)

    @property
    def problem(self) -> str:
        return self.text("problem")


class Goods(Screen):
    """What there is to buy."""

    @property
    def greeting(self) -> str:
        return self.text("greeting")

    @property
    def names(self) -> list[str]:
        return [item.text.rsplit(" ", 1)[0] for item in self.driver.find_elements(AppiumBy.CLASS_NAME, "MockListItem")]

    @property
    def notice(self) -> str:
        return self.text("notice")

    def search(self, text: str) -> None:
        self.type("search", text)

    def add(self, *goods: str) -> None:
        for name in goods:
            self.tap(name)

    def scroll_to(self, name: str) -> None:
        shelf = self.element("goods").rect
        x, top, bottom = shelf["x"] + 20, shelf["y"] + 10, shelf["y"] + shelf["height"] - 10
        for _ in range(5):
            if self.element(name).is_displayed():
                return
            self.driver.swipe(x, bottom, x, top, 200)

    def open_basket(self) -> Basket:
        self.tap("open-basket")
        return Basket(self.driver)

    def open_scanner(self) -> Scanner:
        self.tap("open-scanner")
        return Scanner(self.driver)

    def open_friends(self) -> Friends:
        self.tap("open-friends")
        return Friends(self.driver)


class Basket(Screen):
    """What the customer wants."""

    @property
    def total(self) -> str:
        return self.text("total")

    @property
    def can_be_paid(self) -> bool:
        return self.element("pay").is_enabled()

    def take_out(self, name: str) -> None:
        self.tap(f"{name}-in-basket")

    def pay(self) -> str:
        """Pay, and say what the shop answers."""
        self.tap("pay")
        alert = self.driver.switch_to.alert
        answer = alert.text
        alert.accept()
        return answer


class Scanner(Screen):
    """Reads the code of a product; asks for the camera at its first use."""

    @property
    def question(self) -> str:
        return self.driver.switch_to.alert.text

    def allow(self) -> None:
        self.driver.switch_to.alert.accept()

    def deny(self) -> None:
        self.driver.switch_to.alert.dismiss()

    @property
    def is_open(self) -> bool:
        return self.has("scanner")


class Friends(Screen):
    """Recommendations from one customer to another."""

    def send(self, friend: str, message: str) -> None:
        self.type("friend", friend)
        self.type("message", message)
        self.tap("send")

    def wait_for_letter(self) -> str:
        letters = WebDriverWait(self.driver, 5, poll_frequency=0.1).until(
            lambda driver: driver.find_elements(AppiumBy.XPATH, "//MockList[@id='letters']/MockListItem")
        )
        return letters[-1].text
