"""
What was parsed before, kept on disk under a hash of the bytes that it was made from.

The tables of a file are kept one record to a line, so that ten thousand are not parsed to read one. What
cannot be read back is made anew; what cannot be written costs time, nothing else.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache as once
from pathlib import Path
from typing import Any

import attrs

from mesoformula.catalogue.index import SECTIONS

#: Rises when what is kept changes its form, or what is made of it.
_FORM = 4

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@once
def cache_folder() -> Path | None:
    """
    Find where to keep things.

    Returns:
        The folder, which need not be there; None if nothing is to be kept.
    """
    if os.environ.get("MESOFORMULA_NO_CACHE"):
        return None
    from platformdirs import user_cache_path

    return user_cache_path("mesoformula") / f"catalogues-{_FORM}"


def cached(name: str) -> dict[str, Any] | None:
    """
    Return what was kept under a name.

    Args:
        name: Of its file, without suffix.

    Returns:
        It, or None if it is not there or cannot be read.
    """
    content = _read(name)
    try:
        kept = json.loads(content) if content is not None else None
    except (ValueError, RecursionError):
        return None
    return kept if isinstance(kept, dict) else None


def cache(name: str, kept: Mapping[str, Any]) -> None:
    """
    Keep something under a name.

    Args:
        name: Of its file, without suffix.
        kept: Plain values.
    """
    try:
        _write(name, _encode(kept))
    except (ValueError, RecursionError):
        return


@attrs.define(eq=False)
class Recalled:
    """
    The tables of one file, as they were kept.

    Attributes:
        rest: What is no record.
        counts: How many records there are, by section.
        lines: The records, each a line.
    """

    rest: dict[str, Any]
    counts: dict[str, int]
    lines: list[bytes]

    def record(self, section: str, number: int) -> Any:
        """
        Read one record.

        Args:
            section: Such as `product`.
            number: Its place in the section, from 0.

        Returns:
            Its table, or None if it cannot be read.
        """
        before = 0
        for name, count in self.counts.items():
            if name == section and 0 <= number < count:
                return _parsed(self.lines[before + number])
            before += count
        return None

    def whole(self) -> dict[str, Any] | None:
        """
        Read everything.

        Returns:
            The tables, or None if they cannot be read.
        """
        try:
            records = json.loads(b"[" + b",".join(self.lines) + b"]")
        except (ValueError, RecursionError):
            return None
        if len(records) != sum(self.counts.values()):
            return None
        tables, before = dict(self.rest), 0
        for name, count in self.counts.items():
            tables[name] = records[before : before + count]
            before += count
        return tables


def recall(name: str) -> Recalled | None:
    """
    Return the tables that were kept under a name.

    Args:
        name: Of the file, without suffix.

    Returns:
        The tables, or None if they are not there or cannot be read.
    """
    content = _read(name)
    if content is None:
        return None
    first, *lines = content.split(b"\n")
    head = _parsed(first)
    if not isinstance(head, dict) or head.keys() != {"rest", "counts"}:
        return None
    rest, counts = head["rest"], head["counts"]
    if not isinstance(rest, dict) or not isinstance(counts, dict):
        return None
    if any(type(count) is not int for count in counts.values()) or sum(counts.values()) != len(lines):
        return None
    return Recalled(rest, counts, lines)


def remember(name: str, tables: Mapping[str, Any]) -> None:
    """
    Keep the tables of a file.

    Args:
        name: Of the file, without suffix.
        tables: Plain values.
    """
    records = {key: value for key, value in tables.items() if key in SECTIONS and isinstance(value, list)}
    rest = {key: value for key, value in tables.items() if key not in records}
    head = {"rest": rest, "counts": {key: len(value) for key, value in records.items()}}
    try:
        lines = [_encode(head), *(_encode(record) for value in records.values() for record in value)]
        _write(name, "\n".join(lines))
    except (ValueError, RecursionError):
        return


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _read(name: str) -> bytes | None:
    folder = cache_folder()
    if folder is None:
        return None
    try:
        return (folder / f"{name}.json").read_bytes()
    except OSError:
        return None


def _write(name: str, text: str) -> None:
    folder = cache_folder()
    if folder is None:
        return
    import tempfile

    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("wb", dir=folder, delete=False) as stream:
            stream.write(text.encode())
        Path(stream.name).replace(folder / f"{name}.json")
    except OSError:
        return


#: What no run has made anew for so long belongs to catalogues that have changed since.
_FORGET_AFTER_SECONDS = 90 * 86_400


def forget_old() -> None:
    """Delete what was kept long ago, so that the cache does not grow for ever."""
    folder = cache_folder()
    if folder is None:
        return
    import time

    oldest = time.time() - _FORGET_AFTER_SECONDS
    try:
        for path in folder.iterdir():
            if path.stat().st_mtime < oldest:
                path.unlink()
    except OSError:
        return
