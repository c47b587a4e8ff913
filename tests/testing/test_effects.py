"""What a call does besides answering is seen, however it does it; what it may do is not held against it."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from mesoformula.testing.effects import EffectKind, watched


def kinds(call: Callable[[], object], *allowed: Path) -> list[str]:
    with watched(allowed) as effects:
        call()
    return [one.kind for one in effects]


@pytest.mark.parametrize(
    "call",
    [
        lambda: print("x"),
        lambda: print("x", file=sys.stderr),
        lambda: sys.__stdout__ and sys.__stdout__.buffer.write(b"x") and sys.__stdout__.flush(),
        lambda: os.write(1, b"x"),
        lambda: os.write(2, b"x"),
    ],
)
def test_text_on_either_stream_is_seen(call: Callable[[], object]) -> None:
    assert kinds(call) == [EffectKind.PRINTED]


def test_files_that_are_changed_are_seen(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.write_text("x")

    assert kinds(lambda: (tmp_path / "new").write_text("x")) == [EffectKind.WROTE]
    assert kinds(lambda: there.open("a").close()) == [EffectKind.WROTE]
    assert kinds(lambda: os.close(os.open(there, os.O_RDWR))) == [EffectKind.WROTE]
    assert kinds(lambda: there.rename(tmp_path / "moved")) == [EffectKind.WROTE]
    assert kinds(lambda: (tmp_path / "moved").unlink()) == [EffectKind.WROTE]
    assert kinds(lambda: (tmp_path / "folder").mkdir()) == [EffectKind.WROTE]
    assert EffectKind.WROTE in kinds(lambda: sqlite3.connect(tmp_path / "db").close())


def test_reading_is_no_effect(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.write_text("x")

    assert kinds(there.read_text) == []
    assert kinds(lambda: Path(os.devnull).write_text("x")) == []
    assert kinds(lambda: sqlite3.connect(":memory:").close()) == []


def test_an_allowed_folder_and_temporary_files_that_are_gone_are_no_effects(tmp_path: Path) -> None:
    def through_a_temporary_file() -> None:
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"x")
        with tempfile.TemporaryFile() as file:
            file.write(b"x")
        (tmp_path / "told").write_text("x")

    assert kinds(through_a_temporary_file, tmp_path) == []
    assert EffectKind.WROTE in kinds(through_a_temporary_file)


def test_a_temporary_file_that_is_left_is_seen(tmp_path: Path) -> None:
    left: list[str] = []

    def leave() -> None:
        number, name = tempfile.mkstemp()
        os.close(number)
        left.append(name)

    assert kinds(leave, tmp_path) == [EffectKind.WROTE]
    Path(left[0]).unlink()


def test_sockets_and_names_of_hosts_are_seen() -> None:
    assert set(kinds(lambda: socket.socket().close())) == {EffectKind.CONNECTED}
    assert set(kinds(lambda: socket.getaddrinfo("127.0.0.1", 80))) == {EffectKind.CONNECTED}


def test_programs_and_the_environment_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIT_TEST", "0")

    assert EffectKind.STARTED in kinds(lambda: subprocess.run([sys.executable, "-V"], capture_output=True))
    assert kinds(lambda: os.environ.update(KIT_TEST="1")) == [EffectKind.STARTED]


def test_nothing_is_seen_before_and_after(tmp_path: Path) -> None:
    with watched() as effects:
        pass
    (tmp_path / "x").write_text("x")
    print("x")

    assert effects == []


def test_streams_are_as_before_also_after_a_failure() -> None:
    before = sys.stdout, sys.stderr

    with pytest.raises(ValueError, match="boom"), watched():
        raise ValueError("boom")

    assert (sys.stdout, sys.stderr) == before
