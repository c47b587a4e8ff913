"""
Which line of a TOML file a value stands in.

The parser of the standard library gives values without places. This scanner walks a text that the parser has
accepted and notes where every key and array element begins; it is run only when there is a problem to report.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TypeAlias

Path: TypeAlias = tuple[str | int, ...]

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^\s,\]}#]+(?: \d\d:[^\s,\]}#]+)?")


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0
        self.starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self.lines: dict[Path, int] = {}
        self.counts: dict[Path, int] = {}

    def line(self) -> int:
        return bisect_right(self.starts, self.place)

    def skip(self, newlines: bool) -> None:
        """Skip blanks and comments."""
        while self.place < len(self.text):
            char = self.text[self.place]
            if char in " \t\r" or (newlines and char == "\n"):
                self.place += 1
            elif char == "#":
                end = self.text.find("\n", self.place)
                self.place = len(self.text) if end < 0 else end
            else:
                return

    def string(self) -> str:
        quote = self.text[self.place]
        if self.text.startswith(quote * 3, self.place):
            end = self.place + 3
            while not self.text.startswith(quote * 3, end):
                end += 2 if quote == '"' and self.text[end] == "\\" else 1
            while self.text.startswith(quote, end + 3):
                end += 1
            value, self.place = self.text[self.place + 3 : end], end + 3
            return value
        end = self.place + 1
        while self.text[end] != quote:
            end += 2 if quote == '"' and self.text[end] == "\\" else 1
        value, self.place = self.text[self.place + 1 : end], end + 1
        return value

    def key(self) -> Path:
        parts: list[str] = []
        while True:
            self.skip(newlines=False)
            if self.text[self.place] in "\"'":
                parts.append(self.string())
            else:
                match = _BARE_KEY.match(self.text, self.place)
                if match is None:
                    raise IndexError
                parts.append(match[0])
                self.place = match.end()
            self.skip(newlines=False)
            if self.text[self.place] != ".":
                return tuple(parts)
            self.place += 1

    def header(self) -> Path:
        line = self.line()
        array = self.text.startswith("[[", self.place)
        self.place += 2 if array else 1
        written = self.key()
        path: Path = ()
        for number, part in enumerate(written):
            path += (part,)
            last = number == len(written) - 1
            if array and last:
                self.counts[path] = self.counts.get(path, -1) + 1
            self.lines.setdefault(path, line)
            if path in self.counts:
                path += (self.counts[path],)
            self.lines.setdefault(path, line)
        self.place = self.text.index("]", self.place) + (2 if array else 1)
        return path

    def assignment(self, prefix: Path) -> None:
        line = self.line()
        path = prefix
        for part in self.key():
            path += (part,)
            self.lines.setdefault(path, line)
        self.place += 1
        self.value(path)

    def value(self, path: Path) -> None:
        self.skip(newlines=False)
        char = self.text[self.place]
        if char in "\"'":
            self.string()
        elif char == "[":
            self.sequence(path)
        elif char == "{":
            self.table(path)
        else:
            match = _SCALAR.match(self.text, self.place)
            if match is None:
                raise IndexError
            self.place = match.end()

    def sequence(self, path: Path) -> None:
        self.place += 1
        number = 0
        while True:
            self.skip(newlines=True)
            if self.text[self.place] == "]":
                self.place += 1
                return
            self.lines.setdefault((*path, number), self.line())
            self.value((*path, number))
            number += 1
            self.skip(newlines=True)
            if self.text[self.place] == ",":
                self.place += 1

    def table(self, path: Path) -> None:
        self.place += 1
        while True:
            self.skip(newlines=True)
            if self.text[self.place] == "}":
                self.place += 1
                return
            self.assignment(path)
            self.skip(newlines=True)
            if self.text[self.place] == ",":
                self.place += 1

    def scan(self) -> dict[Path, int]:
        prefix: Path = ()
        while True:
            self.skip(newlines=True)
            if self.place >= len(self.text):
                return self.lines
            if self.text[self.place] == "[":
                prefix = self.header()
            else:
                self.assignment(prefix)


def line_numbers(text: str) -> dict[Path, int]:
    """
    Find the line of every key and array element.

    Args:
        text: TOML that the parser has accepted.

    Returns:
        Lines, counted from 1, by path; of a text that is no TOML, as far as could be read.
    """
    scanner = _Scanner(text.removeprefix("\ufeff"))
    try:
        return scanner.scan()
    except (IndexError, ValueError, RecursionError):
        return scanner.lines


def line_of(lines: dict[Path, int], path: Path) -> int | None:
    """
    Find the line of a path, or of the nearest thing that holds it.

    Args:
        lines: What `line_numbers` found.
        path: Keys and indices from the top of the file.

    Returns:
        The line, or None if nothing on the path is known.
    """
    for length in range(len(path), 0, -1):
        if (line := lines.get(path[:length])) is not None:
            return line
    return None
