"""Apps of the simulator: the XML that describes one, out of a build file or a text."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

APP_FILE = "app.xml"
"""A zip that holds this file at its top is a simulator app, whatever its suffix."""

_LARGEST = 1024 * 1024
_DEEPEST = 50

_PLAIN = """\
<app width="400" height="852" package="simulated.app" version="1.0" set="taps=0">
  <title>Simulated app</title>
  <MockText id="about" text="This build holds no app.xml."/>
  <MockInputField id="note" hint="Note"/>
  <MockButton id="tap" text="Tap" add="taps=1"/>
  <MockText id="taps" text="{taps} taps"/>
</app>
"""


class BrokenApp(ValueError):
    """An app's XML that cannot be used; the message says where and why."""


@dataclass(frozen=True, slots=True)
class AppSource:
    """One simulator app, checked when it is made.

    The attributes come from the root element, `<app package="com.example.shop" version="1.4.0" platform="android"
    width="400" height="852">`; each of them may be missing.

    Attributes:
        xml: The whole description; `screen.py` has the table of what it may say.
        package: Package name or bundle id.
        version: Version as people read it.
        platform: `android`, `ios`, or empty when the app runs on both.
        title: Text of the `<title>` element.
        width: Width of the upright screen in pixels.
        height: Height of the upright screen in pixels.
    """

    xml: str
    package: str
    version: str
    platform: str
    title: str
    width: int
    height: int

    @classmethod
    def from_zip(cls, path: str | Path) -> AppSource:
        """The app of a build file, or the plain default screen when the build holds no `app.xml`.

        Raises:
            BrokenApp: The file is no zip, or its `app.xml` is too large or broken.
        """
        try:
            with zipfile.ZipFile(path) as build:
                if APP_FILE not in build.namelist():
                    return cls.default()
                with build.open(APP_FILE) as member:
                    data = member.read(_LARGEST + 1)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            raise BrokenApp(f"{Path(path).name} cannot be read as a zip: {error}") from error
        if len(data) > _LARGEST:
            raise BrokenApp(f"{APP_FILE} in {Path(path).name} is larger than {_LARGEST // 1024} KiB")
        try:
            return cls.from_xml(data.decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            raise BrokenApp(f"{APP_FILE} in {Path(path).name} is not UTF-8: {error}") from error

    @classmethod
    def from_xml(cls, text: str) -> AppSource:
        """The app that `text` describes.

        Raises:
            BrokenApp: The text is no XML, has no `<app>` as root, or names a screen or alert that is none.
        """
        root = _parse(text)
        _check(root)
        return cls(
            xml=text,
            package=root.get("package", "simulated.app"),
            version=root.get("version", "1.0"),
            platform=root.get("platform", "").lower(),
            title=(root.findtext("title") or "").strip(),
            width=_size(root, "width", 400),
            height=_size(root, "height", 852),
        )

    @classmethod
    def default(cls) -> AppSource:
        """The plain screen that stands for a build without a description."""
        return cls.from_xml(_PLAIN)

    def tree(self) -> ElementTree.Element:
        """The description as a tree of the caller's own."""
        return _parse(self.xml)


def _parse(text: str) -> ElementTree.Element:
    if "<!DOCTYPE" in text:
        raise BrokenApp(f"{APP_FILE} has a DOCTYPE; take it out, entities are not read")
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - without a DOCTYPE there are no entities to blow up
    except (ElementTree.ParseError, ValueError) as error:
        raise BrokenApp(f"{APP_FILE} is not well-formed XML: {error}") from error
    if root.tag != "app":
        raise BrokenApp(f"{APP_FILE} must have <app> as its root, not <{root.tag}>")
    return root


def _check(root: ElementTree.Element) -> None:
    level, depth = [root], 0
    while level:
        level, depth = [child for node in level for child in node], depth + 1
        if depth > _DEEPEST:
            raise BrokenApp(f"{APP_FILE} is nested more than {_DEEPEST} elements deep")
    screens = {node.get("id", "") for node in root.findall("screen")}
    alerts = {node.get("id", "") for node in root.iter("alert")}
    for names, what in ((screens, "screen"), (alerts, "alert")):
        if "" in names:
            raise BrokenApp(f"a <{what}> in {APP_FILE} has no id")
    for node in root.iter():
        place = f"<{node.tag} id={node.get('id', '')!r}> in {APP_FILE}"
        for attribute, names, what in (("goTo", screens, "screen"), ("showAlert", alerts, "alert")):
            target = node.get(attribute)
            if target is not None and target not in names:
                known = ", ".join(sorted(names)) or "none"
                raise BrokenApp(f"{place} names the {what} {target!r}, which is not there; known: {known}")
        for attribute in ("delay", "after", "left", "top", "width", "height"):
            _number(node, attribute, place)


def _number(node: ElementTree.Element, attribute: str, place: str) -> None:
    value = node.get(attribute)
    if value is None:
        return
    try:
        good = 0 <= float(value) < 1e6
    except ValueError:
        good = False
    if not good:
        raise BrokenApp(f"{place} has {attribute}={value!r}; a number from 0 to 999999 is needed")


def _size(root: ElementTree.Element, attribute: str, default: int) -> int:
    size = int(float(root.get(attribute, default)))
    if not 100 <= size <= 4000:
        raise BrokenApp(f"<app> in {APP_FILE} has {attribute}={size}; 100 to 4000 pixels are possible")
    return size
