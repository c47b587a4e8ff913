"""
Plugins of third parties, each a distribution of its own, installed as wheels where no checkout is.

One environment holds mesoformula and all that are right; those that are wrong lie beside it, and are only on
the path of the tests of the loader.
"""

from __future__ import annotations

import json
import os
import shutil
import site
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent
HERE = Path(__file__).parent / "distributions"

GOOD = ("data_only", "peptides", "fewest_opened", "open_document")

#: What is wrong: state, what the reason says, and what to do.
BAD = {
    "importerror": ("failed", "No module named 'mesoformula_not_there'", "mend or update it, or block it"),
    "raises": (
        "failed",
        "mesoformula_zones raised RuntimeError: 'out of order'",
        "mend or update the plugin",
    ),
    "argument": ("failed", "'mesoformula_zones' wants 'patient'", "take only what it has"),
    "misspelt": ("failed", "'mesoformula_zonse' is no hook", "did you mean mesoformula_zones? Rename it"),
    "taken": ("conflict", "ingredient class 'vitamin' is also offered by the core", "rename one, or block"),
    "exits": ("failed", "mesoformula_zones raised SystemExit", "mend or update the plugin, or block it"),
    "wrong_type": ("failed", "answered with a str; expected a Zone", "mend or update the plugin"),
    "newer": ("incompatible", "was written for contract 9.0", "update mesoformula"),
}
#: What is impolite, but harms nobody.
RUDE = ("slow", "prints")

PLUGINS = ("belle", "fewest-opened", "open-document", "peptides")


@attrs.frozen
class Environment:
    """
    A fresh environment.

    Attributes:
        folder: Where it is.
        home: The user's folder there.
        path: What is put on the path beside it.
    """

    folder: Path
    home: Path
    path: Path | None = None

    def run(self, *words: str, cwd: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment."""
        path = {} if self.path is None else {"PYTHONPATH": str(self.path)}
        return subprocess.run(
            [str(self.folder / "bin" / words[0]), *words[1:]],
            cwd=cwd if cwd is not None else self.home,
            env={"HOME": str(self.home), "PATH": os.environ["PATH"], "COLUMNS": "80", **path, **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def meso(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run mesoformula, which must do what it is told."""
        ran = self.run("mesoformula", *words, **variables)
        assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout
        return ran


def wheel_of(project: Path, target: Path) -> Path:
    """Build a project; what is built before in the same folder stays."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    before = set(target.glob("*.whl"))
    subprocess.run(command, cwd=project, check=True, capture_output=True)
    (built,) = set(target.glob("*.whl")) - before
    return built


def made(folder: Path, wheels: list[Path]) -> Environment:
    """
    Make an environment and install wheels into it, with nothing from the network.

    What mesoformula needs is linked from the environment of the tests, everything of mesoformula left out.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (packages,) = folder.glob("lib/python3*/site-packages")
    for home in site.getsitepackages():
        for one in Path(home).iterdir():
            is_ours = "mesoformula" in one.name or one.suffix == ".pth"
            if not is_ours and not (packages / one.name).exists():
                (packages / one.name).symlink_to(one)
    install = ["-m", "pip", "--python", str(folder / "bin" / "python"), "install", "-q", "--no-index"]
    done = subprocess.run(
        [sys.executable, *install, *map(str, wheels)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    home = folder / "home"
    home.mkdir()
    return Environment(folder, home)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("wheels")


@pytest.fixture(scope="module")
def core(wheels: Path) -> Path:
    return wheel_of(ROOT, wheels)


@pytest.fixture(scope="module")
def environment(core: Path, wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """All the good ones together."""
    built = [wheel_of(HERE / name, wheels) for name in GOOD]
    return made(tmp_path_factory.mktemp("together") / "venv", [core, *built])


@pytest.fixture(scope="module")
def with_bad(environment: Environment, wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The same with the bad ones, unpacked beside it as an installer does."""
    beside = tmp_path_factory.mktemp("bad")
    for name in (*BAD, *RUDE):
        with zipfile.ZipFile(wheel_of(HERE / "bad" / name, wheels)) as wheel:
            wheel.extractall(beside)
    return attrs.evolve(environment, path=beside)


@pytest.fixture
def stock(tmp_path: Path) -> dict[str, str]:
    return {"MESOFORMULA_STOCK": str(tmp_path / "stock.sqlite")}


def plugins(ran: subprocess.CompletedProcess[str]) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in json.loads(ran.stdout)["plugins"]}


def name_of(bad: str) -> str:
    return f"bad-{bad.replace('_', '-')}"


# ---- those that are right -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", GOOD)
def test_a_distribution_passes_its_own_tests_where_it_is_installed(
    environment: Environment, name: str, tmp_path: Path
) -> None:
    shutil.copytree(HERE / name / "tests", tmp_path / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    ran = environment.run(
        "python", "-m", "pytest", "-q", "-W", "error", str(tmp_path / "tests"), cwd=tmp_path
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert " passed" in ran.stdout


@pytest.mark.parametrize("name", PLUGINS)
def test_the_check_for_plugins_agrees(environment: Environment, name: str) -> None:
    report = json.loads(environment.meso("plugin", "check", name, "--json").stdout)

    assert [one["right"] for one in report["reports"]] == [True]


def test_all_are_active_beside_each_other(environment: Environment) -> None:
    ran = environment.meso("--strict", "plugin", "list", "--json")
    found = plugins(ran)

    assert json.loads(ran.stdout)["problems"] == []
    assert {name: found[name]["state"] for name in PLUGINS} == dict.fromkeys(PLUGINS, "active")
    assert found["belle"]["distribution"] == "mesoformula-belle"
    kinds = {name: [one["kind"] for one in found[name]["offers"]] for name in PLUGINS}
    assert "ingredient class" in kinds["peptides"]
    assert (kinds["fewest-opened"], kinds["open-document"]) == (["lot policy"], ["exporter"])


def test_their_products_stand_beside_the_bundled_ones(environment: Environment) -> None:
    found = json.loads(environment.meso("products", "belle", "--json").stdout)

    assert {one["id"] for one in found} >= {"belle/ascorbate-5", "belle/secret-2"}


def test_a_bare_folder_is_enough_for_a_vendor_who_only_has_data(environment: Environment) -> None:
    folder = str(HERE / "folder")
    by_variable = environment.meso("products", "corail", "--json", MESOFORMULA_CATALOGUES=folder)
    by_option = environment.meso("--catalogue", folder, "products", "corail", "--json")

    assert [one["id"] for one in json.loads(by_variable.stdout)] == ["corail/saline-10"]
    assert by_option.stdout == by_variable.stdout


def test_a_session_counts_the_new_class_and_hears_its_check(environment: Environment) -> None:
    ran = environment.run("mesoformula", "session", "peptix-neat", "--json")
    answer = json.loads(ran.stdout)
    doses = {one["substance"]: one for one in answer["doses"]}

    # At least: the product lists further peptides without an amount.
    assert doses["peptix-ghk"]["dose"] == {"kind": "at_least", "low": "5", "unit": "mg"}
    found = [
        (one["severity"], one["subject"]) for one in answer["findings"] if one["code"] == "peptide-sequence"
    ]
    assert found == [("warn", "peptix-ghk-mistyped"), ("unchecked", "peptide")]


def test_a_pick_follows_the_policy_that_is_asked_for(environment: Environment, tmp_path: Path) -> None:
    chosen = {}
    for policy in ("fefo", "fewest-opened"):
        stock = {"MESOFORMULA_STOCK": str(tmp_path / f"{policy}.sqlite")}
        for lot, containers, expiry in (("SOON", "2", "05"), ("LATER", "3", "06"), ("LAST", "9", "07")):
            words = ("--lot", lot, "--containers", containers, "--expiry", f"{expiry}/2099")
            environment.meso("stock", "receive", "belle/ascorbate-5", *words, **stock)
        pick = ("stock", "pick", "belle/ascorbate-5=4", "--reference", "S-2099-001")
        chosen[policy] = lots_of(environment.meso(*pick, "--policy", policy, "--json", **stock))

    assert chosen == {"fefo": [("SOON", 2), ("LATER", 2)], "fewest-opened": [("LAST", 4)]}


def lots_of(ran: subprocess.CompletedProcess[str]) -> list[tuple[str, int]]:
    (movement,) = json.loads(ran.stdout)["movements"]
    return [(one["lot"], one["reserved"]) for one in movement["lines"]]


def test_the_stock_is_written_as_an_open_document(
    environment: Environment, stock: dict[str, str], tmp_path: Path
) -> None:
    from python_calamine import CalamineWorkbook

    words = ("--lot", "=1+1", "--containers", "2", "--expiry", "05/2099")
    environment.meso("stock", "receive", "belle/ascorbate-5", *words, **stock)
    environment.meso("sheet", "stock", str(tmp_path / "out.ods"), **stock)
    with CalamineWorkbook.from_path(tmp_path / "out.ods") as workbook:
        cells = [
            value
            for name in workbook.sheet_names
            for row in workbook.get_sheet_by_name(name).to_python()
            for value in row
        ]

    assert {"=1+1", "Belle Ascorbate 50 mg/mL"} <= {value for value in cells if isinstance(value, str)}


# ---- those that are wrong -------------------------------------------------------------------------------


def test_each_bad_one_is_named_with_what_is_wrong_and_the_others_go_on(with_bad: Environment) -> None:
    ran = with_bad.run("mesoformula", "plugin", "list", "--json")
    found = plugins(ran)

    assert ran.returncode == 0
    for bad, (state, reason, advice) in BAD.items():
        one = found[name_of(bad)]
        assert (one["state"], one["version"]) == (state, "1.0"), one
        assert reason in one["reason"], one["reason"]
        assert advice in one["reason"], one["reason"]
    assert {name: found[name]["state"] for name in (*PLUGINS, *map(name_of, RUDE))} == dict.fromkeys(
        (*PLUGINS, *map(name_of, RUDE)), "active"
    )


def test_what_is_slow_is_named_while_it_runs(with_bad: Environment) -> None:
    others = ",".join(name_of(one) for one in (*BAD, "prints"))
    ran = with_bad.run("mesoformula", "zones", MESOFORMULA_BLOCK_PLUGINS=others)

    assert ran.returncode == 0
    assert "bad-slow (mesoformula-bad-slow 1.0)" in ran.stderr
    assert "bad-slow" in ran.stdout


def test_what_a_plugin_prints_does_not_spoil_what_programs_read(with_bad: Environment) -> None:
    others = ",".join(name_of(one) for one in (*BAD, "slow"))
    ran = with_bad.run("mesoformula", "zones", "--json", MESOFORMULA_BLOCK_PLUGINS=others)

    assert ran.returncode == 0
    assert "bad-prints" in {one["id"] for one in json.loads(ran.stdout)}


@pytest.mark.parametrize("bad", BAD)
def test_strictness_makes_a_bad_one_fatal(with_bad: Environment, bad: str) -> None:
    others = ",".join(name_of(one) for one in (*BAD, *RUDE) if one != bad)
    blocked = {"MESOFORMULA_BLOCK_PLUGINS": others}
    lenient = with_bad.run("mesoformula", "zones", **blocked)
    strict = with_bad.run("mesoformula", "--strict", "zones", **blocked)

    assert (lenient.returncode, strict.returncode) == (0, 3), strict.stderr
    assert name_of(bad) in strict.stderr
    assert "Traceback" not in lenient.stderr + strict.stderr


@pytest.mark.parametrize("bad", [*BAD, "prints"])
def test_the_check_for_plugins_finds_what_is_wrong(with_bad: Environment, bad: str) -> None:
    ran = with_bad.run("mesoformula", "plugin", "check", str(HERE / "bad" / bad))

    assert ran.returncode == 3, ran.stdout
    assert "Traceback" not in ran.stderr


# ---- what `plugin new` writes ---------------------------------------------------------------------------


@pytest.mark.parametrize("kinds", [None, "catalogue,check,class,exporter,policy,quantities,sheets"])
def test_a_plugin_as_written_installs_and_passes(
    core: Path, wheels: Path, tmp_path: Path, run_here: Callable[..., str], kinds: str | None
) -> None:
    words = () if kinds is None else ("--with", kinds)
    run_here("plugin", "new", "Nova Labs", "--to", str(tmp_path / "project"), *words)
    project = tmp_path / "project"
    fresh = made(tmp_path / "venv", [core, wheel_of(project, wheels)])
    tests = fresh.run("python", "-m", "pytest", "-q", "-W", "error", cwd=project)
    (state,) = [
        one for name, one in plugins(fresh.meso("plugin", "list", "--json")).items() if name == "nova-labs"
    ]

    assert tests.returncode == 0, tests.stdout
    assert fresh.meso("plugin", "check", "nova-labs").stdout.count("FAIL") == 0
    assert (state["state"], state["distribution"]) == ("active", "mesoformula-nova-labs")
    assert "nova-labs/example" in fresh.meso("products", "nova-labs").stdout
    for wheel in wheels.glob("mesoformula_nova_labs*"):
        wheel.unlink()


@pytest.fixture
def run_here(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    from mesoformula.cli import run

    def call(*words: str) -> str:
        assert run(list(words)) == 0
        return capsys.readouterr().out

    return call
