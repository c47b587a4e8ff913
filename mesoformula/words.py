"""Words for people: names that come close, and text that is safe to show."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable


def shown(text: str, width: int = 40) -> str:
    """
    Quote a text from outside so that it fits a line and cannot steer a terminal.

    Args:
        text: Anything.
        width: How many characters to keep.

    Returns:
        The text in quotes, unprintable characters escaped, the rest cut off with a mark.
    """
    kept = text[:width]
    safe = "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in kept)
    return f"'{safe}{'…' if len(text) > width else ''}'"


def folded(text: str) -> str:
    """
    Bring a text to the form in which names are compared.

    Args:
        text: A name as somebody typed it.

    Returns:
        The text without accents, case and punctuation.
    """
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in plain if char.isalnum())


def nearest(word: str, known: Iterable[str], most: int = 3) -> tuple[str, ...]:
    """
    Find the known words that come closest to a mistyped one.

    Args:
        word: What was typed.
        known: What could have been meant.
        most: How many to return.

    Returns:
        Known words, best first: those that look alike, then those that hold what was typed; none if nothing
        comes close.
    """
    from difflib import get_close_matches

    by_form: dict[str, str] = {}
    for name in known:
        by_form.setdefault(folded(name), name)
    typed = folded(word[:80])
    close = get_close_matches(typed, by_form, n=most, cutoff=0.6)
    if len(typed) >= 3:
        close += [form for form in sorted(by_form, key=len) if typed in form and form not in close]
    return tuple(by_form[form] for form in close[:most])
