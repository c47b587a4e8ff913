"""The command line, run in-process, each test in a folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import attrs
import pytest

from mesoformula.cli import run


@attrs.frozen
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)

    @property
    def said(self) -> str:
        """What it printed, wrapped lines joined."""
        return " ".join(self.out.split())


@pytest.fixture(autouse=True)
def _a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def meso(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run a command in this process."""

    def call(*words: str) -> Ran:
        capsys.readouterr()
        code = run(list(words))
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return call


#: The installed command.
SCRIPT = Path(sys.executable).with_name("mesoformula")


@pytest.fixture
def process() -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Run the installed command as a process of its own."""

    def call(*words: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
        env = {**os.environ, **environment}
        return subprocess.run([SCRIPT, *words], capture_output=True, env=env, timeout=60)

    return call


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write a file into the folder of the test."""

    def file(name: str, text: str) -> Path:
        path = tmp_path / "here" / name
        path.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
        return path

    return file


@pytest.fixture
def install_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Install a plugin made of one module, in a distribution of its own."""
    before = set(sys.modules)

    def install(name: str, code: str) -> None:
        folder = tmp_path / f"site-{name}"
        information = folder / f"fake_{name}-1.0.dist-info"
        information.mkdir(parents=True)
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: fake-{name}\nVersion: 1.0\n")
        (information / "entry_points.txt").write_text(f"[mesoformula]\n{name} = fake_{name}\n")
        (folder / f"fake_{name}.py").write_text(dedent(code))
        monkeypatch.syspath_prepend(folder)

    yield install
    for name in set(sys.modules) - before:
        if name.startswith("fake_"):
            del sys.modules[name]
