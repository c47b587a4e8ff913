"""`plugin new`: what it writes passes the kit, names are kept apart, and nothing is replaced."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mesoformula.plugin_starting import KINDS, LONGEST_NAME

ALL = ",".join(KINDS)


def test_it_writes_a_project_and_says_how_to_go_on(meso: Callable[..., Any]) -> None:
    ran = meso("plugin", "new", "nova")
    folder = Path("mesoformula-nova")
    listed = {line.strip() for line in ran.out.splitlines() if line.startswith("  ")}

    assert (ran.code, ran.err) == (0, "")
    assert listed == {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert "plugin check mesoformula-nova" in ran.out
    assert "made up" in ran.said
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert (project["name"], project["entry-points"]) == (
        "mesoformula-nova",
        {"mesoformula": {"nova": "mesoformula_nova"}},
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_plugin_of_any_one_kind_passes_the_check_for_plugins(meso: Callable[..., Any], kind: str) -> None:
    assert meso("plugin", "new", "nova", "--with", kind).code == 0
    ran = meso("plugin", "check", "mesoformula-nova", "--json")

    assert [one["right"] for one in ran.json["reports"]] == [True], ran.out


@pytest.mark.slow
def test_all_kinds_together_pass_their_own_tests(meso: Callable[..., Any]) -> None:
    meso("plugin", "new", "Nova 3 Labs", "--to", "project", "--with", ALL)
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"]
    ran = subprocess.run(command, cwd="project", capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stdout
    assert not meso("plugin", "check", "project").out.count("FAIL")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["nova", "Nova-Labs 2"])
def test_what_it_writes_is_formatted_and_typed(meso: Callable[..., Any], name: str) -> None:
    meso("plugin", "new", name, "--to", "project", "--with", ALL)
    (package,) = Path("project").glob("mesoformula_*")
    ruff = [sys.executable, "-m", "ruff"]
    for words in (
        [*ruff, "check", "--no-cache", "--select", "E4,E7,F,I,B,UP", "."],
        [*ruff, "format", "--no-cache", "--check", package.name],
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", "../mypy", "-p", package.name],
    ):
        ran = subprocess.run(words, cwd="project", capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout


def test_the_products_of_a_new_plugin_are_found(meso: Callable[..., Any]) -> None:
    meso("plugin", "new", "Nova Labs")
    catalogue = "mesoformula-nova-labs/mesoformula_nova_labs/catalogue"
    ran = meso("--catalogue", catalogue, "products", "nova-labs", "--json")

    assert [(one["id"], one["vendor"]) for one in ran.json] == [("nova-labs/example", "Nova Labs")]


def test_a_known_vendor_keeps_its_name(meso: Callable[..., Any]) -> None:
    meso("plugin", "new", "fillmed", "--to", "project")

    assert meso("plugin", "check", "project").code == 0
    text = Path("project/mesoformula_fillmed/catalogue/products.toml").read_text(encoding="utf-8")
    vendor = tomllib.loads(text)["vendor"]
    assert vendor["name"] != "fillmed"


def test_a_name_that_begins_with_ours_does_not_say_it_twice(meso: Callable[..., Any]) -> None:
    meso("plugin", "new", "mesoformula-nova")

    assert Path("mesoformula-nova/mesoformula_nova/__init__.py").is_file()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("excel",), "'excel' is the name of a plugin that is installed, excel (mesoformula"),
        (("catalogues",), "the package mesoformula_catalogues is installed already"),
        (("***",), "makes no id"),
        (("mesoformula",), "'mesoformula' is the name of a plugin that is installed"),
        (("n" * (LONGEST_NAME + 1),), f"expected at most {LONGEST_NAME}"),
        (("nova", "--with", "chek"), "--with 'chek': no kind is called so; did you mean check?"),
        (("nova", "--with", ","), "expected one or several of catalogue, check"),
        (("nova", "--to", "full"), "full is there already, and holds files"),
        (("nova", "--to", "file"), "file is a file"),
        (("nova", "--to", "not/there"), "not is no folder; make it first"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_do(
    meso: Callable[..., Any], words: tuple[str, ...], said: str
) -> None:
    Path("full").mkdir()
    Path("full/README.md").write_text("mine", encoding="utf-8")
    Path("file").touch()
    before = sorted(Path.cwd().rglob("*"))
    ran = meso("plugin", "new", *words)

    assert ran.code == 2
    assert said in " ".join(ran.err.split())
    assert sorted(Path.cwd().rglob("*")) == before
    assert Path("full/README.md").read_text(encoding="utf-8") == "mine"


def test_an_installed_plugin_keeps_its_name(
    meso: Callable[..., Any], install_plugin: Callable[..., object]
) -> None:
    install_plugin("nova", "from mesoformula import hookimpl\n")
    ran = meso("plugin", "new", "nova")

    assert ran.code == 2
    assert (
        "nova (fake-nova 1.0); choose another name, or take that one away: pip uninstall fake-nova"
        in " ".join(ran.err.split())
    )


def test_a_title_with_quotes_breaks_nothing(meso: Callable[..., Any]) -> None:
    title = """No"va \\ $x {NAME} \'\'\' Labs"""
    assert meso("plugin", "new", title, "--to", "project").code == 0
    assert meso("plugin", "check", "project").code == 0
    project = tomllib.loads(Path("project/pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert title in project["description"]
