"""The reference in `plugins/README.md` says what the hooks are, and each example in it works as it stands."""

from __future__ import annotations

import importlib
import inspect
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mesoformula.app import App
from mesoformula.contract import KNOWN_HOOKS, MAY_BE_WRAPPED
from mesoformula.contract_version import written
from mesoformula.formulas import Formula, Line
from mesoformula.hook_reference import HookDoc, hook_docs, reference
from mesoformula.hookspecs import CONTRACT_VERSION, Specs
from mesoformula.plugins import PluginManager, State, empty_manager, load_plugins
from mesoformula.products import Product, Vendor
from mesoformula.sessions import Session, SessionQuantities
from mesoformula.sheets import SheetRequest
from mesoformula.stock.picks.policies import Candidate, Need
from mesoformula.stock.records import StockView
from mesoformula.units import parse_quantity, quantity

ROOT = Path(__file__).parent.parent
README = (ROOT / "plugins" / "README.md").read_text(encoding="utf-8")
DOCS = {one.name: one for one in hook_docs()}
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NEEDLING = Session(
    Formula("acme-needling", "Needling", (Line("acme/x", containers=1),), ""), volume=quantity(12, "mL")
)
QUANTITIES = SessionQuantities(
    NEEDLING, (), quantity(12, "mL"), quantity(0, "mL"), quantity(12, "mL"), None, None, None, ()
)
CATALOGUE = """
schema = 1

[vendor]
id = "acme"
name = "Acme"
"""


def test_every_hook_has_its_section_and_no_other_has() -> None:
    assert DOCS.keys() == KNOWN_HOOKS
    assert re.findall(r"^### `(\w+)`$", README, re.MULTILINE) == list(DOCS)


def test_the_readme_holds_the_reference() -> None:
    """`mesoformula plugin hooks --markdown` prints it."""
    assert README.endswith(reference())


@pytest.mark.parametrize("doc", DOCS.values(), ids=DOCS)
def test_the_arguments_are_those_of_the_hook(doc: HookDoc) -> None:
    function = getattr(Specs, doc.name)
    arguments = [name for name in inspect.signature(function).parameters if name != "self"]

    assert list(doc.arguments) == arguments
    assert doc.signature.startswith(f"{doc.name}(")
    assert re.findall(r"(\w+): ", doc.signature) == arguments
    for text in (doc.summary, doc.returns, *doc.called, *doc.arguments.values(), *doc.raises.values()):
        assert text.endswith("."), text


# ---- examples ------------------------------------------------------------------------------------


@pytest.fixture
def as_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], PluginManager]]:
    """Register code as the package `mesoformula_acme`, which holds a catalogue too."""
    package = tmp_path / "mesoformula_acme"
    (package / "catalogue").mkdir(parents=True)
    (package / "catalogue" / "acme.toml").write_text(CATALOGUE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def register(code: str) -> PluginManager:
        (package / "__init__.py").write_text(code)
        manager = empty_manager(strict=True)
        manager.register(importlib.import_module("mesoformula_acme"), "acme")
        return manager

    yield register
    sys.modules.pop("mesoformula_acme", None)


def used(hook: str, manager: PluginManager, folder: Path) -> object:
    """Call a hook with something that its example has an answer for."""
    formulary: Any = App(manager=manager).formulary
    match hook:
        case "mesoformula_unit_definitions":
            manager.define_units()
            return parse_quantity("3 ACMEU")
        case "mesoformula_catalogues":
            return [vendor.id for vendor in formulary.vendors] == ["acme"]
        case "mesoformula_sheets":
            request = SheetRequest("stock", StockView((), date(2026, 3, 1), NOW, "here", None))
            return manager.sheets(request)
        case "mesoformula_exporters":
            path = folder / "out.titles"
            manager.exporters()[0].value.write((), path)
            return path.exists()
        case "mesoformula_importers":
            path = folder / "note.bars"
            path.write_text("lot|containers\nL1||\n")
            return manager.importers()[0].value.read(path)[0].rows
        case "mesoformula_lot_policies":
            candidate = Candidate("a", "p", "L1", "main", None, NOW, 2)
            return manager.lot_policies()[0].value.choose(Need("p", 1), [candidate])
        case "mesoformula_commands":
            return manager.commands(["demo"])
        case "mesoformula_check_product":
            return manager.check_product(Product(Vendor("acme", "Acme"), "x", "X", (), ()))
        case "mesoformula_check_session":
            return manager.check_session(NEEDLING, QUANTITIES, formulary)
        case "mesoformula_work_out_session":
            return manager.work_out_session(NEEDLING, formulary)
        case _:
            return manager.offers(hook)


@pytest.mark.parametrize("doc", DOCS.values(), ids=DOCS)
def test_every_example_is_a_plugin_whose_answer_is_accepted(
    doc: HookDoc, as_plugin: Callable[[str], PluginManager], tmp_path: Path
) -> None:
    manager = as_plugin(doc.example)

    assert manager.report()[0].hooks == (doc.name,)
    assert used(doc.name, manager, tmp_path)
    assert manager.problems == ()
    assert manager.report()[0].state is State.ACTIVE


def test_what_may_be_wrapped_says_so() -> None:
    assert {name for name, doc in DOCS.items() if "wrapper" in " ".join(doc.called)} == MAY_BE_WRAPPED


# ---- the rest of the page ------------------------------------------------------------------------


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_the_smallest_plugin_of_the_page_can_be_installed(tmp_path: Path) -> None:
    """Its wheel is built and unpacked, which is what installing it does."""
    import zipfile
    from importlib.metadata import distributions

    project, module = blocks("toml")[0], blocks("python")[0]
    assert len(module.splitlines()) < 15
    (tmp_path / "pyproject.toml").write_text(project)
    (tmp_path / "mesoformula_acme.py").write_text(module)
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    (distribution,) = distributions(path=[str(site)])
    sys.path.insert(0, str(site))
    try:
        manager = load_plugins(strict=True, entry_points=distribution.entry_points)
    finally:
        sys.path.remove(str(site))
        module_there = sys.modules.pop("mesoformula_acme", None)

    (status,) = manager.report()
    assert isinstance(module_there, ModuleType)
    assert (status.title, status.contract) == ("acme (mesoformula-acme 1.0)", written(CONTRACT_VERSION))
    arguments: Any = (NEEDLING, QUANTITIES, None)
    assert [one.value.code for one in manager.check_session(*arguments)] == ["acme-volume"]


def test_the_page_names_the_public_modules_the_states_and_the_contract() -> None:
    listed = set(re.findall(r"^- `(mesoformula\.[\w.]+)`", README, re.MULTILINE))
    text = " ".join((inspect.getdoc(sys.modules["mesoformula.hookspecs"]) or "").split())
    public = set(re.findall(r"`(mesoformula\.[\w.]+)`", text))

    assert listed == public
    assert re.findall(r"^\| `(\w+)` \|", README, re.MULTILINE) == [
        *(
            state.value
            for state in (State.ACTIVE, State.CONFLICT, State.FAILED, State.INCOMPATIBLE, State.BLOCKED)
        )
    ]
    assert f"| {written(CONTRACT_VERSION)} |" in README
    assert f"now {written(CONTRACT_VERSION)}," in README
