"""Catalogue files: found, read within limits, parsed once, and parsed again only when their bytes change."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from mesoformula.catalogue.lines import line_numbers, line_of
from mesoformula.errors import Problem

if TYPE_CHECKING:
    import tomllib
    from importlib.resources.abc import Traversable

MAX_BYTES = 5_000_000
MAX_FILES = 20_000
MAX_DEPTH = 8
SCHEMA = 1

#: Sections of a file that are lists of records.
SECTIONS = ("substance", "product", "technique", "zone", "syringe", "needle", "formula", "protocol")

#: Marks a TOML number with a fraction: figures are written as text with their unit, so it is never right.
BARE = "\x00bare"

#: Rises when what is cached changes its form.
_CACHE_FORM = 1


@attrs.define(eq=False)
class CatalogueFile:
    """
    One file, parsed.

    Attributes:
        path: As problems name it.
        tables: Its content in plain values: text, whole numbers, flags, lists and mappings.
        plugin: Who offers it, as `name (distribution version)`; None for a file the user named.
        content: Its bytes.
    """

    path: str
    tables: Mapping[str, Any]
    plugin: str | None
    content: bytes = attrs.field(repr=False)
    _lines: dict[tuple[str | int, ...], int] | None = attrs.field(default=None, init=False, repr=False)

    def problem(self, code: str, message: str, where: tuple[str | int, ...] = ()) -> Problem:
        """
        Make a problem that names this file and the line of a value.

        Args:
            code: A stable word.
            message: What was found, what was expected, and what to do.
            where: Keys and indices from the top of the file.

        Returns:
            The problem.
        """
        if self._lines is None:
            self._lines = line_numbers(_decoded(self.content))
        return Problem(code, message, self.path, line_of(self._lines, where), self.plugin)


def find(root: Path | Traversable, depth: int = 0) -> Iterator[tuple[str, Path | Traversable]]:
    """
    List the TOML files at or below a place.

    Args:
        root: A file, or a folder.
        depth: How deep this is already.

    Yields:
        The path for messages, and the file, sorted by path.
    """
    if not root.is_dir():
        yield str(root), root
        return
    if depth >= MAX_DEPTH:
        return
    for child in sorted(root.iterdir(), key=lambda item: item.name):
        if child.name.startswith((".", "__")):
            continue
        if child.name.endswith(".toml"):
            yield str(child), child
        elif child.is_dir():
            yield from find(child, depth + 1)


def read_bytes(path: Path | Traversable, shown: str) -> bytes | Problem:
    """
    Read a file within limits.

    Args:
        path: The file.
        shown: Its path for messages.

    Returns:
        What it holds, or the problem that keeps it from being read.
    """
    try:
        if isinstance(path, Path):
            # Opened without blocking and looked at before it is read: a pipe or a device never ends.
            opened = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
            if not stat.S_ISREG(os.fstat(opened).st_mode):
                os.close(opened)
                return Problem("file", "no regular file; expected a TOML file", shown)
            with os.fdopen(opened, "rb") as stream:
                content = stream.read(MAX_BYTES + 1)
        else:
            content = path.read_bytes()
    except IsADirectoryError:
        return Problem("file", "no regular file; expected a TOML file", shown)
    except (OSError, ValueError) as err:
        return Problem("file", f"cannot be read: {getattr(err, 'strerror', None) or err}", shown)
    if len(content) > MAX_BYTES:
        return Problem("file", f"larger than {MAX_BYTES // 1_000_000} MB; expected a small TOML file", shown)
    return content


def parse_all(
    contents: Sequence[tuple[bytes, str]], plugin: str | None = None
) -> list[CatalogueFile | Problem]:
    """
    Parse the bytes of many files; once parsed, all of them are remembered as one.

    Args:
        contents: What each file holds, and its path for messages.
        plugin: Who offers them.

    Returns:
        For each the file, or the problem that keeps it from being parsed.
    """
    if len(contents) < 2:
        return [parse(content, path, plugin) for content, path in contents]
    hashed = hashlib.sha256()
    for content, _path in contents:
        hashed.update(len(content).to_bytes(8, "big"))
        hashed.update(content)
    digest = hashed.hexdigest()
    known = _cached(digest)
    if known is not None and isinstance(known.get("files"), list) and len(known["files"]) == len(contents):
        return [
            CatalogueFile(path, tables, plugin, content)
            for (content, path), tables in zip(contents, known["files"], strict=True)
        ]
    parsed = [parse(content, path, plugin) for content, path in contents]
    files = [file for file in parsed if isinstance(file, CatalogueFile)]
    if len(files) == len(parsed):
        _cache(digest, {"files": [file.tables for file in files]})
        _forget_old()
    return parsed


def parse(content: bytes, path: str, plugin: str | None = None) -> CatalogueFile | Problem:
    """
    Parse the bytes of one file.

    Args:
        content: What the file holds.
        path: Its path for messages.
        plugin: Who offers it.

    Returns:
        The file, or the problem that keeps it from being parsed.
    """
    try:
        text = _decoded(content)
    except UnicodeDecodeError as err:
        line = content.count(b"\n", 0, err.start) + 1
        return Problem("encoding", "not UTF-8; save it as UTF-8", path, line, plugin)
    digest = hashlib.sha256(content).hexdigest()
    tables = _cached(digest)
    if tables is None:
        import tomllib

        try:
            tables = _plain(tomllib.loads(text, parse_float=_Bare))
        except tomllib.TOMLDecodeError as err:
            return Problem("toml", f"{err}", path, _line_of_error(err, text), plugin)
        except RecursionError:
            return Problem("toml", "nested too deeply; expected plain tables", path, None, plugin)
        except ValueError as err:
            return Problem("toml", f"{err}", path, None, plugin)
        _cache(digest, tables)
    return CatalogueFile(path, tables, plugin, content)


def _decoded(content: bytes) -> str:
    return content.decode("utf-8-sig").replace("\r\n", "\n")


def _line_of_error(err: tomllib.TOMLDecodeError, text: str) -> int | None:
    message = str(err)
    if "(at line " in message:
        return int(message.rpartition("(at line ")[2].partition(",")[0])
    return text.rstrip().count("\n") + 1 if "end of document" in message else None


class _Bare(str):
    """A number with a fraction, as it was written."""

    __slots__ = ()


def _plain(value: Any) -> Any:
    if isinstance(value, _Bare):
        return {BARE: str(value)}
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError("a whole number beyond 64 bits; TOML has none so large")
    return value


@cache
def _cache_folder() -> Path | None:
    if os.environ.get("MESOFORMULA_NO_CACHE"):
        return None
    from platformdirs import user_cache_path

    return user_cache_path("mesoformula") / f"catalogues-{_CACHE_FORM}"


def _cached(digest: str) -> dict[str, Any] | None:
    folder = _cache_folder()
    if folder is None:
        return None
    try:
        tables = json.loads((folder / f"{digest}.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return tables if isinstance(tables, dict) else None


def _cache(digest: str, tables: dict[str, Any]) -> None:
    folder = _cache_folder()
    if folder is None:
        return
    import tempfile

    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=folder, delete=False) as stream:
            json.dump(tables, stream, ensure_ascii=False, separators=(",", ":"))
        Path(stream.name).replace(folder / f"{digest}.json")
    except (OSError, ValueError, RecursionError):
        return  # a cache that cannot be written costs time, nothing else


#: What no run has made anew for so long belongs to catalogues that have changed since.
_FORGET_AFTER_SECONDS = 90 * 86_400


def _forget_old() -> None:
    """Delete what was remembered long ago, so that the cache does not grow for ever."""
    folder = _cache_folder()
    if folder is None:
        return
    import time as clock

    oldest = clock.time() - _FORGET_AFTER_SECONDS
    try:
        for path in folder.iterdir():
            if path.stat().st_mtime < oldest:
                path.unlink()
    except OSError:
        return
