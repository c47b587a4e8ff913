"""Text for TOML files that are written for people: strings, and comments that nothing can end early."""

from __future__ import annotations

import re

from mesoformula.words import folded


def quoted(text: str) -> str:
    """
    Write a text as a TOML string.

    Args:
        text: Any text; half of a surrogate pair, which TOML cannot hold, becomes a question mark.

    Returns:
        It in quotes; what does not print is escaped.
    """
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    if char.isprintable():
        return char
    return "?" if "\ud800" <= char <= "\udfff" else f"\\U{ord(char):08X}"


def comment(text: str) -> str:
    """
    Write a text as a comment of one line.

    Args:
        text: Anything; line breaks and what else does not print become visible.

    Returns:
        The line, beginning with `# `.
    """
    safe = "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)
    return f"# {safe}".rstrip()


def slug(text: str, longest: int = 60) -> str:
    """
    Make an identifier of a name or a reference.

    Args:
        text: As somebody wrote it.
        longest: How many characters to keep.

    Returns:
        Lower-case words joined by '-'; empty if the text has none that an identifier can hold.
    """
    words = (folded(word) for word in re.split(r"[\W_]+", text))
    ascii_words = ("".join(char for char in word if char.isascii()) for word in words)
    return "-".join(word for word in ascii_words if word)[:longest].strip("-")
