"""
Plugins that were written against every earlier contract keep working, hook by hook.

They stand in `data/past_plugins` as they were written then. A plugin that has to be changed for a test here
to pass is a break of the contract.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs
import pytest

import mesoformula_formulary
from mesoformula.app import App
from mesoformula.contract_version import declared_contract, written
from mesoformula.errors import FormulaError, GridError
from mesoformula.hookspecs import CONTRACT_VERSION
from mesoformula.plugins import PluginManager, State, empty_manager
from mesoformula.sessions import Session
from mesoformula.sheets import SheetRequest
from mesoformula.stock.picks.policies import Candidate, Need
from mesoformula.stock.records import OnHand, StockView
from mesoformula.units import parse_quantity

HERE = Path(__file__).parent
PAST = sorted((HERE / "data" / "past_plugins").glob("contract_*.py"))
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@attrs.frozen
class Past:
    """One plugin of the past, and an app that holds it and the formulary."""

    module: ModuleType
    manager: PluginManager
    app: App
    folder: Path

    @property
    def stock(self) -> StockView:
        product = self.app.formulary.product("baxter/cernevit")
        held = OnHand(product, "L1", "main", 3, date(2026, 4, 1), NOW)
        return StockView((held,), date(2026, 3, 1), NOW, "here", None)

    def session(self, volume: str | None) -> Session:
        formula = self.app.formula("teaching-parts")
        formula = attrs.evolve(formula, id="past-formula")
        return Session(formula, volume=parse_quantity(volume) if volume else None)


@pytest.fixture(params=PAST, ids=lambda path: path.stem)
def past(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Past]:
    path: Path = request.param
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    manager = empty_manager(strict=True)
    manager.register(
        mesoformula_formulary, "formulary", distribution="mesoformula", version="0", first_party=True
    )
    manager.register(module, path.stem, distribution=f"past-{path.stem}", version="1.0")
    yield Past(module, manager, App(manager=manager), tmp_path)
    del sys.modules[path.stem]


def from_it(past: Past, offered: tuple[Any, ...]) -> list[Any]:
    return [one.value for one in offered if one.plugin.name == past.module.__name__]


def units(past: Past) -> None:
    past.manager.define_units()
    assert parse_quantity("3 PASTU").magnitude == 3


def classes(past: Past) -> None:
    assert [one.id for one in from_it(past, past.manager.ingredient_classes())] == ["past_peptide"]
    assert "past_peptide" in past.app.formulary.classes


def catalogues(past: Past) -> None:
    formulary = past.app.formulary
    found = [problem for problem in formulary.check() if "past_plugins" in str(problem.path)]
    assert found == []
    assert formulary.product("past/saline").name == "Past saline"
    assert formulary.formula("past-formula").lines


def products(past: Past) -> None:
    for product in from_it(past, past.manager.products()):
        assert past.app.formulary.product(product.id) == product


def techniques(past: Past) -> None:
    assert past.app.formulary.technique("past-pattern").name == "pattern of the past"


def zones(past: Past) -> None:
    assert past.app.formulary.zone("past-zone").name == "zone of the past"


def sheets(past: Past) -> None:
    (sheet,) = past.app.sheets(SheetRequest("stock", past.stock))
    assert any("L1" in map(str, row.values) or 3 in row.values for row in sheet.rows)
    assert past.app.sheets(SheetRequest("something-new", past.stock)) == ()
    if hasattr(past.module, "annotated"):
        assert sheet.notes[-1] == "about stock"


def exporters(past: Past) -> None:
    path = past.folder / "out.past"
    past.app.export(past.app.sheets(SheetRequest("stock", past.stock)), path)
    assert path.read_text() == "Past: 1"


def importers(past: Past) -> None:
    path = past.folder / "note.bars"
    path.write_text("lot|containers\nL1|3\n")
    (grid,) = past.app.read_grids(path)
    assert [[cell.value for cell in row] for row in grid.rows] == [["lot", "containers"], ["L1", "3"]]
    path.write_text("nothing")
    with pytest.raises(GridError):
        past.app.read_grids(path)


def policies(past: Past) -> None:
    (policy,) = from_it(past, past.manager.lot_policies())
    candidates = [
        Candidate(key, "p", key, "main", None, datetime(2026, 1, day, tzinfo=UTC), 2)
        for day, key in enumerate("ab", 1)
    ]
    assert [(one.key, one.containers) for one in policy.choose(Need("p", 3), candidates)] == [
        ("b", 2),
        ("a", 1),
    ]


def commands(past: Past) -> None:
    (command,) = from_it(past, past.manager.commands(["demo"]))
    assert command.main([], standalone_mode=False) is None


def check_product(past: Past) -> None:
    formulary = past.app.formulary
    (problem,) = past.manager.check_product(formulary.product("past/saline"))
    assert problem.code == "past-product"
    assert past.manager.check_product(formulary.product("baxter/cernevit")) == ()


def check_session(past: Past) -> None:
    from mesoformula.sessions import SessionQuantities

    session = past.session("2 mL")
    assert session.volume is not None
    quantities = SessionQuantities(
        session, (), session.volume, session.volume, session.volume, None, None, None, ()
    )
    found = from_it(past, past.manager.check_session(session, quantities, past.app.formulary))
    assert [one.subject for one in found] == ["past-formula"]


def work_out_session(past: Past) -> None:
    answer = past.app.work_out(past.session("2 mL"))
    assert answer.quantities.injected == parse_quantity("2 mL")
    with pytest.raises(FormulaError):
        past.app.work_out(past.session(None))


USES: dict[str, Callable[[Past], None]] = {
    "mesoformula_unit_definitions": units,
    "mesoformula_ingredient_classes": classes,
    "mesoformula_catalogues": catalogues,
    "mesoformula_products": products,
    "mesoformula_techniques": techniques,
    "mesoformula_zones": zones,
    "mesoformula_sheets": sheets,
    "mesoformula_exporters": exporters,
    "mesoformula_importers": importers,
    "mesoformula_lot_policies": policies,
    "mesoformula_commands": commands,
    "mesoformula_check_product": check_product,
    "mesoformula_check_session": check_session,
    "mesoformula_work_out_session": work_out_session,
}


def test_a_plugin_of_the_past_works_in_every_hook_it_has(past: Past) -> None:
    (status,) = [one for one in past.manager.report() if one.name == past.module.__name__]
    assert status.hooks

    for hook in status.hooks:
        USES[hook](past)

    assert past.manager.problems == ()
    (status,) = [one for one in past.manager.report() if one.name == past.module.__name__]
    assert (status.state, status.reason) == (State.ACTIVE, "")


def test_a_plugin_says_no_newer_contract_than_its_file(past: Past) -> None:
    declared = declared_contract(past.module)

    assert declared is None or past.module.__name__ == f"contract_{'_'.join(map(str, declared))}"


def test_every_contract_before_this_has_its_plugin() -> None:
    kept = {tuple(map(int, re.findall(r"\d+", path.stem))) for path in PAST}
    major, minor = CONTRACT_VERSION

    assert {(major, number) for number in range(minor)} <= kept, written(CONTRACT_VERSION)


def test_every_hook_has_a_use_here() -> None:
    from mesoformula.contract import KNOWN_HOOKS

    assert USES.keys() == KNOWN_HOOKS
