"""A bitmap font of five by seven dots for screens drawn without any library."""

from __future__ import annotations

WIDTH = 5
HEIGHT = 7

# One letter of 0-9a-v (five bits, the left dot first) for each of the seven rows.
_ROWS = {
    " ": "0000000", "!": "4444404", '"': "aa00000", "#": "aavavaa", "$": "4fke5u4", "%": "op248j3", "&": "cik8lid",
    "'": "4400000", "(": "2488842", ")": "8422248", "*": "04lel40", "+": "044v440", ",": "0000448", "-": "000v000",
    ".": "00000cc", "/": "01248g0", "0": "ehjlphe", "1": "4c4444e", "2": "eh1248v", "3": "v2421he", "4": "26aiv22",
    "5": "vgu11he", "6": "68guhhe", "7": "v124888", "8": "ehhehhe", "9": "ehhf12c", ":": "0cc0cc0", ";": "0cc0448",
    "<": "248g842", "=": "00v0v00", ">": "8421248", "?": "eh12404", "@": "eh1dlle", "A": "ehhvhhh", "B": "uhhuhhu",
    "C": "ehggghe", "D": "sihhhis", "E": "vgguggv", "F": "vgguggg", "G": "ehgnhhf", "H": "hhhvhhh", "I": "e44444e",
    "J": "72222ic", "K": "hikokih", "L": "ggggggv", "M": "hrllhhh", "N": "hhpljhh", "O": "ehhhhhe", "P": "uhhuggg",
    "Q": "ehhhlid", "R": "uhhukih", "S": "fgge11u", "T": "v444444", "U": "hhhhhhe", "V": "hhhhha4", "W": "hhhllla",
    "X": "hha4ahh", "Y": "hhha444", "Z": "v1248gv", "[": "e88888e", "\\": "0g84210", "]": "e22222e", "^": "4ah0000",
    "_": "000000v", "`": "8420000", "a": "00e1fhf", "b": "ggmphhu", "c": "00egghe", "d": "11djhhf", "e": "00ehvge",
    "f": "698s888", "g": "0fhhf1e", "h": "ggmphhh", "i": "40c444e", "j": "20622ic", "k": "ggikoki",
    "l": "c44444e", "m": "00qlllh", "n": "00mphhh", "o": "00ehhhe", "p": "00uhugg", "q": "00djf11", "r": "00mpggg",
    "s": "00fge1u", "t": "88s8896", "u": "00hhhjd", "v": "00hhha4", "w": "00hhlla", "x": "00ha4ah", "y": "00hhf1e",
    "z": "00v248v", "{": "2448442", "|": "4444444", "}": "8442448", "~": "008l200",
}  # fmt: skip

_UNKNOWN = "vhhhhhv"


def rows_of(character: str) -> tuple[int, ...]:
    """The seven rows of a character, five bits each; a box for one the font has not."""
    return tuple(int(row, 32) for row in _ROWS.get(character, _UNKNOWN))
