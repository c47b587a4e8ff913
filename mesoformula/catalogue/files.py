"""Catalogue files: found, read within limits, parsed once, and parsed again only when their bytes change."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from mesoformula.catalogue.cache import Recalled, cache, cached, forget_old, recall, remember
from mesoformula.catalogue.index import Index, index_of
from mesoformula.catalogue.lines import line_numbers, line_of
from mesoformula.errors import Problem

if TYPE_CHECKING:
    import tomllib
    from importlib.resources.abc import Traversable

MAX_BYTES = 5_000_000
MAX_FILES = 20_000
MAX_DEPTH = 8
#: Marks a TOML number with a fraction: figures are written as text with their unit, so it is never right.
BARE = "\x00bare"
#: More parts of a dotted key than anything has; for each of them, parsing keeps all those before it.
MAX_PARTS = 32
_TOO_MANY_PARTS = re.compile(
    rf"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){{{MAX_PARTS}}}"""
)


@attrs.define(eq=False)
class CatalogueFile:
    """
    One file, parsed.

    Attributes:
        path: As problems name it.
        plugin: Who offers it, as `name (distribution version)`; None for a file the user named.
        content: Its bytes.
    """

    path: str
    _tables: Mapping[str, Any] | None
    plugin: str | None
    content: bytes = attrs.field(repr=False)
    _digest: str | None = attrs.field(default=None, repr=False)
    _index: Index | None = attrs.field(default=None, repr=False)
    _recalled: Recalled | None = attrs.field(default=None, init=False, repr=False)
    _lines: dict[tuple[str | int, ...], int] | None = attrs.field(default=None, init=False, repr=False)

    @property
    def tables(self) -> Mapping[str, Any]:
        """Its content in plain values: text, whole numbers, flags, lists and mappings."""
        if self._tables is None:
            recalled = self._recall()
            known = recalled.whole() if recalled is not None else None
            # It is known to parse: what was made of it may have gone from the cache, but its bytes are here.
            self._tables = known if known is not None else _parsed(_decoded(self.content))
        return self._tables

    def _recall(self) -> Recalled | None:
        if self._recalled is None and self._digest is not None:
            self._recalled = recall(self._digest)
        return self._recalled

    def table(self, section: str, number: int) -> Any:
        """
        Return the table of one record.

        Args:
            section: Such as `product`.
            number: Its place in the section, from 0.

        Returns:
            What the file holds there.
        """
        if self._tables is None:
            recalled = self._recall()
            found = recalled.record(section, number) if recalled is not None else None
            if found is not None:
                return found
        try:
            return self.tables[section][number]
        except (KeyError, IndexError, TypeError):  # what was remembered is not what was parsed
            self._tables = _parsed(_decoded(self.content))
            return self._tables[section][number]

    @property
    def index(self) -> Index | None:
        """The names of its records; None if only a look at its tables can tell what is wrong with them."""
        if self._index is None:
            self._index = index_of(self.tables)
        return self._index

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


@attrs.frozen(eq=False)
class Shelf:
    """
    Files that were found together, and are remembered together.

    Attributes:
        files: Those that could be parsed.
        problems: What keeps the others from being parsed.
        digest: Of all their bytes; None if anything is wrong with them.
    """

    files: tuple[CatalogueFile, ...]
    problems: tuple[Problem, ...] = ()
    digest: str | None = None
    _made: dict[str, dict[str, Any]] = attrs.field(factory=dict, init=False, repr=False)

    def remembered(
        self, what: str, make: Callable[[], dict[str, Any]], keys: frozenset[str]
    ) -> dict[str, Any]:
        """
        Return what was made of the files before, or make it and remember it.

        Args:
            what: A word for it, for the name of its file.
            make: Makes it, of plain values.
            keys: Of what it makes, to know it again.

        Returns:
            The same as `make` returns.
        """
        if what not in self._made:
            known = cached(f"{self.digest}-{what}") if self.digest is not None else None
            if known is None or known.keys() != keys:
                known = make()
                if self.digest is not None:
                    cache(f"{self.digest}-{what}", known)
            self._made[what] = known
        return self._made[what]


def parse_all(contents: Sequence[tuple[bytes, str]], plugin: str | None = None) -> Shelf:
    """
    Parse the bytes of many files; the names that they hold are remembered as one.

    Args:
        contents: What each file holds, and its path for messages.
        plugin: Who offers them.

    Returns:
        The files, and the problems that keep others from being parsed.
    """
    digests = [hashlib.sha256(content).hexdigest() for content, _path in contents]
    digest = hashlib.sha256("".join(digests).encode()).hexdigest()
    known = cached(f"{digest}-names")
    if known is not None and _fits(known, len(contents)):
        return Shelf(
            tuple(
                CatalogueFile(path, None, plugin, content, own, index)
                for (content, path), own, index in zip(contents, digests, known["files"], strict=True)
            ),
            digest=digest,
        )
    parsed = [parse(content, path, plugin) for content, path in contents]
    files = tuple(file for file in parsed if isinstance(file, CatalogueFile))
    problems = tuple(file for file in parsed if isinstance(file, Problem))
    indices = [file.index for file in files]
    if problems or not all(indices):
        return Shelf(files, problems)
    cache(f"{digest}-names", {"files": indices})
    forget_old()
    return Shelf(files, digest=digest)


def _fits(known: Mapping[str, Any], count: int) -> bool:
    indices = known.get("files")
    return (
        isinstance(indices, list)
        and len(indices) == count
        and all(isinstance(one, dict) and one.keys() == {"vendor", "names"} for one in indices)
    )


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
    recalled = recall(digest)
    tables = recalled.whole() if recalled is not None else None
    if tables is None:
        import tomllib

        if (deep := _too_deep(text)) is not None:
            return Problem("toml", "nested too deeply; expected plain tables", path, deep, plugin)
        try:
            tables = _parsed(text)
        except tomllib.TOMLDecodeError as err:
            return Problem("toml", f"{err}", path, _line_of_error(err, text), plugin)
        except RecursionError:
            return Problem("toml", "nested too deeply; expected plain tables", path, None, plugin)
        except ValueError as err:
            digits = "set_int_max_str_digits" in str(err)
            message = "a whole number beyond 64 bits; TOML has none so large" if digits else f"{err}"
            return Problem("toml", message, path, None, plugin)
        remember(digest, tables)
    return CatalogueFile(path, tables, plugin, content, digest)


def _decoded(content: bytes) -> str:
    return content.decode("utf-8-sig").replace("\r\n", "\n")


def _too_deep(text: str) -> int | None:
    """Find the line of a dotted key that would take more memory than there is."""
    for number, line in enumerate(text.split("\n"), start=1):
        if line.count(".") >= MAX_PARTS and _TOO_MANY_PARTS.search(line):
            return number
    return None


def _line_of_error(err: tomllib.TOMLDecodeError, text: str) -> int | None:
    message = str(err)
    if "(at line " in message:
        return int(message.rpartition("(at line ")[2].partition(",")[0])
    return text.rstrip().count("\n") + 1 if "end of document" in message else None


class _Bare(str):
    """A number with a fraction, as it was written."""

    __slots__ = ()


def _parsed(text: str) -> dict[str, Any]:
    import tomllib

    tables = tomllib.loads(text, parse_float=_Bare)
    _make_plain(tables, tables.items())
    return tables


def _make_plain(holder: Any, items: Iterable[tuple[Any, Any]]) -> None:
    """Put plain values in place of those that only TOML has; keys stay, so that items may be looped over."""
    for key, value in items:
        kind = type(value)
        if kind is str or kind is bool:
            continue
        if kind is dict:
            _make_plain(value, value.items())
        elif kind is list:
            _make_plain(value, enumerate(value))
        elif kind is _Bare:
            holder[key] = {BARE: str(value)}
        elif kind is int:
            if not -(2**63) <= value < 2**63:
                raise ValueError("a whole number beyond 64 bits; TOML has none so large")
        else:
            holder[key] = value.isoformat()
