"""Texts in pictures: how wide they are, how they are shortened, and how they are made harmless."""

from __future__ import annotations

import unicodedata
from html import escape

# Widths in hundredths of the font's size, for a wide sans-serif: texts must not run over on other fonts.
_NARROW = frozenset("ijl.,:;'|! ()[]/`ftrI-")
_BROAD = frozenset("mwMW@%—…")


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """About how wide ``text`` is, in pixels; rather too much than too little.

    Example:
        >>> text_width("Conv", 10) < text_width("Conv", 12)
        True
    """
    total = 0.0
    for character in text:
        if character in _NARROW:
            total += 0.38
        elif character in _BROAD or unicodedata.east_asian_width(character) in "WF":
            total += 1.0
        else:
            total += 0.7 if character.isupper() else 0.63
    return total * size * (1.08 if bold else 1.0)


def shorten(text: str, length: int) -> str:
    """``text`` with its middle left out where it is longer than ``length``.

    Example:
        >>> shorten("a_very_long_blob_name", 11)
        'a_ver…_name'
    """
    if len(text) <= length:
        return text
    half = (length - 1) // 2
    return f"{text[: length - 1 - half]}…{text[len(text) - half :]}"


def plain(text: str) -> str:
    """``text`` without characters that are invalid in XML or that turn the direction of writing."""
    return "".join(
        character if character in "\n" or unicodedata.category(character)[0] != "C" else "�" for character in text
    )


def safe(text: str, length: int = 200_000) -> str:
    """``text`` as XML text or attribute: shortened, made plain, escaped."""
    return escape(plain(shorten(text, length)), quote=True)
