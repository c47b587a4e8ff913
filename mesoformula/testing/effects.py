"""
Watch what a call does besides answering: text that it prints, files that it changes, connections, programs.

Python tells its audit hooks of every file that is opened and every socket that is made, however the code got
hold of the function, so that nothing needs to be replaced. A hook cannot be taken out again: ours is put in
by the first watch, and looks only while one is on. Nothing is prevented: what a plugin does, it does.
"""

from __future__ import annotations

import enum
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import attrs

from mesoformula.words import shown

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

#: Events of files that are changed without being opened, and the place of the path among the arguments.
_CHANGES = {
    "os.chmod": 0,
    "os.chown": 0,
    "os.link": 1,
    "os.mkdir": 0,
    "os.remove": 0,
    "os.rename": 1,
    "os.rmdir": 0,
    "os.symlink": 1,
    "os.truncate": 0,
    "os.utime": 0,
    "shutil.rmtree": 0,
    "sqlite3.connect": 0,
}

_TEMPORARY = frozenset({"tempfile.mkdtemp", "tempfile.mkstemp"})

_NETWORK = frozenset(
    {
        "socket.__new__",
        "socket.bind",
        "socket.connect",
        "socket.getaddrinfo",
        "socket.gethostbyaddr",
        "socket.gethostbyname",
        "socket.sendmsg",
        "socket.sendto",
        "urllib.Request",
    }
)

#: Events of what reaches beyond the process, or changes it for everybody.
_PROGRAMS = frozenset(
    {
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.putenv",
        "os.spawn",
        "os.startfile",
        "os.system",
        "os.unsetenv",
        "subprocess.Popen",
    }
)


class EffectKind(enum.StrEnum):
    """What a call did besides answering."""

    PRINTED = "printed"
    WROTE = "wrote"
    CONNECTED = "connected"
    STARTED = "started"


@attrs.frozen
class Effect:
    """
    One thing that a call did besides answering.

    Attributes:
        kind: What.
        detail: Such as the file, or the text.
    """

    kind: EffectKind
    detail: str


@attrs.define(eq=False)
class _Watch:
    """One watch that is on, and the temporary files that were made meanwhile."""

    allowed: tuple[str, ...]
    may_use_temporary: bool
    effects: list[Effect]
    temporary: list[str] = attrs.field(factory=list)


_watches: list[_Watch] = []
_is_installed = False


@contextmanager
def watched(allowed: tuple[Path, ...] = ()) -> Iterator[list[Effect]]:
    """
    Watch what happens in a `with` statement.

    Args:
        allowed: Folders in which files may be changed; with any, also temporary ones elsewhere, which must
            be gone at the end.

    Yields:
        The effects; complete once the statement is over.
    """
    _install()
    places = (*allowed, *_own_places())
    watch = _Watch(tuple(os.path.realpath(place) for place in places), bool(allowed), [])
    bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        with silenced() as printed:
            _watches.append(watch)
            try:
                yield watch.effects
            finally:
                _watches.remove(watch)
                left = [path for path in watch.temporary if os.path.lexists(path)]
                watch.effects.extend(Effect(EffectKind.WROTE, path) for path in left)
        watch.effects.extend(Effect(EffectKind.PRINTED, shown(text, 60)) for text in printed)
    finally:
        sys.dont_write_bytecode = bytecode


def _own_places() -> tuple[Path, ...]:
    """Where mesoformula itself keeps what it has parsed, whoever asks it to."""
    from mesoformula.catalogue.cache import cache_folder

    folder = cache_folder()
    return (folder,) if folder is not None else ()


def _install() -> None:
    global _is_installed
    if not _is_installed:
        _is_installed = True
        sys.addaudithook(_heard)


def _heard(event: str, arguments: tuple[Any, ...]) -> None:
    """Take down an event; whatever goes wrong here must not reach the code that is watched."""
    if not _watches:
        return
    watch = _watches[-1]
    if event == "open":
        if _opens_for_writing(arguments) and not (watch.may_use_temporary and _has_no_name(arguments)):
            _changed(watch, arguments[0])
    elif event in _TEMPORARY and watch.may_use_temporary:
        watch.temporary.append(os.path.realpath(arguments[0]))
    elif event in _CHANGES:
        _changed(watch, arguments[_CHANGES[event]])
    elif event in _NETWORK:
        watch.effects.append(Effect(EffectKind.CONNECTED, event))
    elif event in _PROGRAMS:
        watch.effects.append(Effect(EffectKind.STARTED, f"{event} {shown(_text(arguments[:1]), 60)}"))


def _opens_for_writing(arguments: tuple[Any, ...]) -> bool:
    _path, mode, flags = (*arguments, None, None)[:3]
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return isinstance(flags, int) and bool(flags & _WRITING)


def _has_no_name(arguments: tuple[Any, ...]) -> bool:
    """Tell a temporary file that nobody else can open: its event names the folder that it is made in."""
    return isinstance(arguments[0], str) and Path(arguments[0]).is_dir()


def _changed(watch: _Watch, path: Any) -> None:
    if isinstance(path, int):
        return  # opened before, or a pipe: opening it was seen
    text = os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else _text(path)
    if text in (os.devnull, ":memory:", ""):
        return
    real = os.path.realpath(text)
    places = (*watch.allowed, *watch.temporary)
    if any(real == place or real.startswith(place + os.sep) for place in places):
        return
    watch.effects.append(Effect(EffectKind.WROTE, text))


def _text(value: Any) -> str:
    try:
        return str(value)
    except Exception:
        return type(value).__name__


@contextmanager
def silenced() -> Iterator[list[str]]:
    """
    Keep what is printed in a `with` statement from the streams, whoever prints it.

    Yields:
        A list, which holds the beginning of what was printed once the statement is over, if anything was.
    """
    streams = sys.stdout, sys.stderr
    printed: list[str] = []
    for stream in streams:
        stream.flush()
    with tempfile.TemporaryFile("w+b") as catcher:
        kept = [os.dup(number) for number in (1, 2)]
        text: IO[str] = open(  # noqa: SIM115, PTH123 (a second name for the same file, closed below)
            os.dup(catcher.fileno()), "w", encoding="utf-8", errors="backslashreplace"
        )
        try:
            for number in (1, 2):
                os.dup2(catcher.fileno(), number)
            sys.stdout = sys.stderr = text
            try:
                yield printed
            finally:
                sys.stdout, sys.stderr = streams
                text.close()
        finally:
            for number, before in zip((1, 2), kept, strict=True):
                os.dup2(before, number)
                os.close(before)
        catcher.seek(0)
        text_caught = catcher.read(2000).decode("utf-8", errors="replace").strip()
    if text_caught:
        printed.append(text_caught)
