"""What the README and the hook reference say is true."""

from __future__ import annotations

import inspect
import re
import shlex
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from mesoformula import hookspecs
from mesoformula.cli import run
from mesoformula.formulary import Formulary

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
HOOKS = sorted(name for name in vars(hookspecs.Specs) if name.startswith("mesoformula_"))


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_the_two_commands_stand_there_word_for_word() -> None:
    demo = "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/mesoformula demo\n"
    tests = 'python3 -m venv .venv && .venv/bin/pip install -e ".[test]" && .venv/bin/python -m pytest\n'

    assert blocks("sh") == [demo, tests]


def test_the_python_example_prints_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    example = blocks("python")[0]
    exec(compile(example, "README.md", "exec"), {})  # noqa: S102 (our own README)

    assert capsys.readouterr().out == blocks("text")[0]


def test_every_command_of_the_readme_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MESOFORMULA_STOCK", str(tmp_path / "stock.sqlite"))
    (tmp_path / "acme.toml").write_text(blocks("toml")[0], encoding="utf-8")
    commands = [line for block in blocks("console") for line in block.splitlines() if line.startswith("$ ")]

    assert len(commands) >= 8
    for command in commands:
        program, *words = shlex.split(command.removeprefix("$ "))
        assert program == "mesoformula"
        assert run(words) == 0, command


def test_the_example_catalogue_has_no_problem(tmp_path: Path) -> None:
    path = tmp_path / "acme.toml"
    path.write_text(blocks("toml")[0], encoding="utf-8")
    formulary = Formulary()
    formulary.add_catalogue(ROOT / "catalogues" / "mesoformula_catalogues")
    formulary.add_catalogue(path)

    assert formulary.check() == ()


def test_the_example_plugin_speaks_up() -> None:
    from mesoformula import Session, parse_quantity
    from mesoformula.app import App
    from mesoformula.plugins import load_plugins

    namespace: dict[str, object] = {"__name__": "mesoformula_acme"}
    exec(compile(blocks("python")[1], "README.md", "exec"), namespace)  # noqa: S102 (our own README)
    manager = load_plugins()
    plugin = ModuleType("mesoformula_acme")
    vars(plugin).update(namespace)
    manager.register(plugin, "acme")
    app = App(manager=manager)
    formula = app.formula("teaching-nctf-vitamin-c")
    answer = app.work_out(Session(formula, volume=parse_quantity("12 mL")))

    assert "acme-volume" in [finding.code for finding in answer.findings]
    assert not answer.ready


def test_the_example_plugin_is_small_and_passes_the_check(tmp_path: Path) -> None:
    path = tmp_path / "acme.py"
    path.write_text(blocks("python")[1], encoding="utf-8")

    assert len(blocks("python")[1].splitlines()) < 15
    assert run(["plugin", "check", str(path)]) == 0


def test_every_hook_is_in_the_readmes_table() -> None:
    table = re.findall(r"^\| `(mesoformula_\w+)` \|", README, re.MULTILINE)

    assert sorted(table) == HOOKS


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_documented(hook: str) -> None:
    function = getattr(hookspecs.Specs, hook)
    text = inspect.getdoc(function) or ""
    arguments = [name for name in inspect.signature(function).parameters if name != "self"]

    assert text.splitlines()[0].endswith(".")
    assert "Returns:" in text
    assert "Called " in text
    assert "Example:" in text
    assert f"def {hook}(" in text
    for argument in arguments:
        assert f"{argument}:" in text


def test_the_changelog_has_an_unreleased_part_and_no_machine_paths() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    assert "## [Unreleased]" in text


def test_the_version_has_one_source() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

    assert settings["project"]["dynamic"] == ["version"]
    assert settings["tool"]["hatch"]["version"]["path"] == "mesoformula/__init__.py"
