"""`mesoformula plugin check`: the same rules without pytest, and a report that a vendor can send."""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path

import pytest

from mesoformula import __version__
from mesoformula.cli import run
from mesoformula.testing.reports import rules_of

ROOT = Path(__file__).parents[2]

GOOD = """
from mesoformula import Choice, LotPolicy, hookimpl

def choose(need, candidates):
    left = need.containers
    for one in sorted(candidates, key=lambda one: one.key):
        if left and (not need.lots or one.lot in need.lots):
            taken = min(left, one.containers)
            left -= taken
            yield Choice(one.key, taken)

@hookimpl
def mesoformula_lot_policies():
    return [LotPolicy("acme-key", "by key", "takes them by key", choose)]
"""


def checked(capsys: pytest.CaptureFixture[str], target: object, code: int) -> dict[str, object]:
    assert run(["plugin", "check", str(target), "--json"]) == code
    (report,) = json.loads(capsys.readouterr().out)["reports"]
    return dict(report)


def test_a_file_is_checked_without_being_installed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "acme_by_key.py"
    path.write_text(GOOD, encoding="utf-8")
    before = list(sys.path)

    report = checked(capsys, path, 0)

    assert report["plugin"] == "acme_by_key"
    assert report["right"] is True
    assert report["hooks"] == ["mesoformula_lot_policies"]
    assert (report["mesoformula"], report["python"]) == (__version__, platform.python_version())
    assert [one["rule"] for one in report["rules"]] == [one.code for one in rules_of()]  # type: ignore[attr-defined]
    assert sys.path == before
    assert "acme_by_key" not in sys.modules


def test_a_project_is_checked_by_its_entry_points(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    package = tmp_path / "src" / "acme_project"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("from acme_project.lots import *\n", encoding="utf-8")
    (package / "lots.py").write_text(GOOD, encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "acme-project"\nversion = "1.2"\n'
        '[project.entry-points.mesoformula]\nacme = "acme_project.lots"\n',
        encoding="utf-8",
    )

    report = checked(capsys, tmp_path, 0)

    assert (report["plugin"], report["distribution"], report["version"]) == ("acme", "acme-project", "1.2")
    assert checked(capsys, package, 0)["plugin"] == "acme_project"


def test_the_report_names_rule_and_reason_and_the_code_is_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "acme_printing.py"
    path.write_text(GOOD.replace("    left =", "    print('\\x1b[31m')\n    left ="), encoding="utf-8")

    report = checked(capsys, path, 3)
    assert [one["rule"] for one in report["rules"] if one["state"] == "failed"] == ["prints"]  # type: ignore[attr-defined]

    assert run(["plugin", "check", str(path)]) == 3

    said = capsys.readouterr().out
    assert "Plugin acme_printing" in said
    assert "FAIL prints: Nothing is printed" in said
    assert "answer instead" in " ".join(said.split())
    assert "\x1b" not in said
    assert max(map(len, said.splitlines())) <= 80
    assert "1 failed" in said


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("raise RuntimeError('\\x1b[31mboom')", "cannot be imported (RuntimeError"),
        ("import not_there_at_all", "cannot be imported (ModuleNotFoundError"),
        ("import sys; sys.exit(0)", "cannot be imported (SystemExit"),
        ("def mesoformula_zonez(): pass", "is no hook"),
        ("x = 1", "implements no hook"),
        ("def (", "cannot be imported (SyntaxError"),
    ],
)
def test_a_plugin_that_cannot_be_used_is_a_report_of_one_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, reason: str
) -> None:
    path = tmp_path / "acme_broken.py"
    path.write_text(text, encoding="utf-8")

    report = checked(capsys, path, 3)

    failed = [one for one in report["rules"] if one["state"] == "failed"]  # type: ignore[attr-defined]
    assert [one["rule"] for one in failed] == ["hooks"]
    assert reason in failed[0]["problems"][0]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("not-there.py", "is not there"),
        ("my-plugin.py", "is no name for a module"),
        ("empty", "holds neither __init__.py nor pyproject.toml"),
        ("no_entry", "names no plugin; add [project.entry-points.mesoformula]"),
        ("broken", "cannot be read"),
    ],
)
def test_a_path_without_a_plugin_is_refused_with_what_is_right(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, reason: str
) -> None:
    (tmp_path / "my-plugin.py").write_text(GOOD, encoding="utf-8")
    for folder, text in (("empty", None), ("no_entry", "[project]\nname = 'x'\n"), ("broken", "= 1")):
        (tmp_path / folder).mkdir()
        if text is not None:
            (tmp_path / folder / "pyproject.toml").write_text(text, encoding="utf-8")

    assert run(["plugin", "check", str(tmp_path / name)]) == 3

    assert reason in capsys.readouterr().err


def test_a_name_that_nobody_has_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plugin", "check", "formulery"]) == 2

    assert "did you mean formulary" in capsys.readouterr().err


def test_an_installed_plugin_is_found_by_name_also_if_it_is_blocked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MESOFORMULA_BLOCK_PLUGINS", "formulary")

    report = checked(capsys, "formulary", 0)

    assert (report["plugin"], report["distribution"], report["version"]) == (
        "formulary",
        "mesoformula",
        __version__,
    )


def test_a_plugin_that_annotates_the_sheets_of_others_is_tried_with_some(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "acme_notes.py"
    path.write_text(
        "import attrs\nfrom mesoformula import hookimpl\n\n"
        "@hookimpl(wrapper=True)\ndef mesoformula_sheets(request):\n"
        "    sheets = yield\n"
        "    return [attrs.evolve(one, notes=(*one.notes, 'annotated')) for one in sheets]\n",
        encoding="utf-8",
    )

    assert checked(capsys, path, 0)["right"] is True
