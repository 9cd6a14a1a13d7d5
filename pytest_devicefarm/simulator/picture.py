"""Screenshots: an app's screen drawn as a PNG, with nothing but the standard library."""

from __future__ import annotations

import struct
import zlib

from pytest_devicefarm.simulator import font
from pytest_devicefarm.simulator.layout import HEADER, Rect, View, Widget

_PALETTE = (
    (250, 250, 252),  # paper
    (32, 36, 48),  # ink
    (36, 84, 160),  # accent
    (255, 255, 255),  # white
    (170, 176, 188),  # grey
    (226, 230, 238),  # pale
    (200, 60, 50),  # mark
)
PAPER, INK, ACCENT, WHITE, GREY, PALE, MARK = range(len(_PALETTE))

_SCALE = 2
_STEP = (font.WIDTH + 1) * _SCALE
_LINE = (font.HEIGHT + 3) * _SCALE


class Canvas:
    """A picture of palette colours; whatever is drawn outside is left out."""

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self._dots = bytearray(width * height)

    def fill(self, rect: Rect, color: int) -> None:
        """Paint a rectangle."""
        part = rect.cut(Rect(0, 0, self.width, self.height))
        row = bytes([color]) * part.width
        for y in range(part.y, part.y + part.height):
            begin = y * self.width + part.x
            self._dots[begin : begin + part.width] = row

    def frame(self, rect: Rect, color: int, inside: int) -> None:
        """Paint a rectangle with a border of two dots."""
        self.fill(rect, color)
        self.fill(Rect(rect.x + 2, rect.y + 2, max(0, rect.width - 4), max(0, rect.height - 4)), inside)

    def text(self, rect: Rect, text: str, color: int, *, centered: bool = False, clip: Rect | None = None) -> None:
        """Write lines into a rectangle, in the middle of its height, broken at its width and cut at `clip`."""
        columns = max(1, rect.width // _STEP)
        lines = _lines(text, columns)[: max(1, rect.height // _LINE)]
        y = rect.y + max(0, (rect.height - len(lines) * _LINE) // 2) + _SCALE
        limit = rect if clip is None else rect.cut(clip)
        for line in lines:
            x = rect.x + (max(0, rect.width - len(line) * _STEP) // 2 if centered else 0)
            for character in line:
                self._letter(x, y, character, color, limit)
                x += _STEP
            y += _LINE

    def shade(self) -> None:
        """Lay a net of grey over all that was drawn so far."""
        for y in range(0, self.height, 2):
            begin = y * self.width
            self._dots[begin : begin + self.width : 2] = bytes([GREY]) * len(range(0, self.width, 2))

    def png(self, part: Rect | None = None) -> bytes:
        """The picture, or a part of it, as a PNG file."""
        area = Rect(0, 0, self.width, self.height)
        if part is not None:
            area = part.cut(area)
        width, height = max(1, area.width), max(1, area.height)
        rows = bytearray()
        for y in range(area.y, area.y + height):
            begin = y * self.width + area.x
            rows += b"\0" + self._dots[begin : begin + width].ljust(width, b"\0")
        header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
        palette = b"".join(bytes(color) for color in _PALETTE)
        chunks = ((b"IHDR", header), (b"PLTE", palette), (b"IDAT", zlib.compress(rows, 6)), (b"IEND", b""))
        return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)

    def _letter(self, x: int, y: int, character: str, color: int, limit: Rect) -> None:
        for row, bits in enumerate(font.rows_of(character)):
            for column in range(font.WIDTH):
                if bits >> (font.WIDTH - 1 - column) & 1:
                    dot = Rect(x + column * _SCALE, y + row * _SCALE, _SCALE, _SCALE)
                    self.fill(dot.cut(limit), color)


def screenshot(view: View, part: Rect | None = None) -> bytes:
    """The screen, or a part of it, as a PNG file of one dot for each pixel."""
    width, height = view.size
    canvas = Canvas(width, height)
    if view.title:
        canvas.fill(Rect(0, 0, width, HEADER), ACCENT)
        canvas.text(Rect(16, 0, width - 32, HEADER), view.title, WHITE)
    for root in view.widgets:
        for widget in root.walk():
            if widget.displayed:
                _draw(canvas, widget, has_focus=widget.node is view.focus)
    if view.alert is not None:
        _draw_alert(canvas, view.alert)
    return canvas.png(part)


def _draw(canvas: Canvas, widget: Widget, *, has_focus: bool) -> None:
    rect, shown, look = widget.rect, widget.shown, widget.look
    inner = Rect(rect.x + 12, rect.y, max(0, rect.width - 24), rect.height)
    match widget.node.tag:
        case "MockButton":
            canvas.fill(shown, ACCENT if look.enabled else GREY)
            canvas.text(inner, look.text, WHITE, centered=True, clip=shown)
        case "MockInputField":
            canvas.frame(shown, ACCENT if has_focus else GREY, WHITE)
            typed = "*" * len(look.text) if look.secret else look.text
            hint = widget.node.get("hint", "")
            canvas.text(inner, typed or hint, INK if typed else GREY, clip=shown)
        case "MockListItem":
            canvas.fill(shown, WHITE)
            canvas.fill(Rect(rect.x, rect.y + rect.height - 1, rect.width, 1).cut(shown), GREY)
            canvas.text(inner, look.text, INK if look.enabled else GREY, clip=shown)
        case "MockSwitch":
            knob = Rect(rect.x + rect.width - 48, rect.y + 12, 48, 24)
            canvas.frame(knob.cut(shown), GREY, ACCENT if look.selected else WHITE)
            canvas.text(rect, look.text, INK, clip=shown)
        case "MockList":
            canvas.frame(shown, PALE, PALE)
        case "MockWebView":
            canvas.frame(shown, GREY, WHITE)
            canvas.text(inner, " ".join("".join(widget.node.itertext()).split()), INK, clip=shown)
        case _:
            canvas.text(rect, look.text, MARK if look.selected else INK, clip=shown)


def _draw_alert(canvas: Canvas, alert: Widget) -> None:
    canvas.shade()
    box = alert.rect
    canvas.frame(box, INK, WHITE)
    canvas.text(Rect(box.x + 16, box.y + 16, box.width - 32, box.height - 80), alert.look.text, INK)
    for button in alert.children:
        _draw(canvas, button, has_focus=False)


def _lines(text: str, columns: int) -> list[str]:
    lines = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split(" "):
            if line and len(line) + 1 + len(word) > columns:
                lines.append(line)
                line = word
            else:
                line = f"{line} {word}" if line else word
            while len(line) > columns:
                lines.append(line[:columns])
                line = line[columns:]
        lines.append(line)
    return lines


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
