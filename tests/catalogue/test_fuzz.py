"""Whatever is in a file, `catalogue check` answers: no traceback, within a second, within the memory."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mesoformula.cli import run

HARNESS = Path(__file__).with_name("fuzzing.py")

#: Of the whole program, with everything that it imports.
MOST_MEGABYTES = 200


def fuzz(count: int, seed: int, folder: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, HARNESS, str(count), str(seed), str(folder)],
        env={**os.environ, "MESOFORMULA_NO_CACHE": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def expect_nothing_wrong(found: dict[str, Any]) -> None:
    assert found["wrong"] == []
    assert found["megabytes"] < MOST_MEGABYTES
    assert found["clean"]
    assert found["problems"]


def test_some_hundred_files_are_checked(tmp_path: Path) -> None:
    expect_nothing_wrong(fuzz(400, 20261123, tmp_path))


@pytest.mark.slow
def test_ten_thousand_files_are_checked(tmp_path: Path) -> None:
    expect_nothing_wrong(fuzz(10_000, 7, tmp_path))


@pytest.mark.slow
def test_the_command_answers_for_files_of_both_kinds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(HARNESS.parent)
    for name, content in importlib.import_module("fuzzing").files(60, 3):
        path = tmp_path / f"{name}.toml"
        path.write_bytes(content)
        code = run(["catalogue", "check", str(path)])
        said = capsys.readouterr()
        assert code in (0, 3), (name, said.err)
        assert "internal error" not in said.err
        assert all(char.isprintable() or char == "\n" for char in said.out), name


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(f"k{number} = 1" for number in range(3000)),
        '[vendor]\nid="a"\nname="A"\n' + '[[product]]\nsku="x"\nname="x"\n' * 2000,
        '[[substance]]\nid="' + "a-" * 900 + '!"\nname="a"',
        "\n".join(f"a{number}{'.b' * 100} = 1" for number in range(200)),
        "".join(f'[[substance]]\nid="s{n}"\nname="s"\nmoieties=[{{of="s{n + 1}"}}]\n' for n in range(1000)),
    ],
    ids=["keys", "doubles", "backtracking", "dotted keys", "chain"],
)
def test_much_of_one_mistake_is_no_hang(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "much.toml"
    path.write_text(f"schema = 1\n{text}")

    assert run(["catalogue", "check", str(path)]) == 3
    assert "internal error" not in capsys.readouterr().err
