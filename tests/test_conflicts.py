"""Whatever two plugins both offer, the message names both and what to type to choose."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import click
import pytest

from mesoformula.account import how_to_choose
from mesoformula.app import App
from mesoformula.contract import OFFERS
from mesoformula.errors import CatalogueError, PluginConflictError
from mesoformula.grids import Importer
from mesoformula.hookspecs import hookimpl
from mesoformula.ingredients import AminoAcid, IngredientClass
from mesoformula.plugins import PluginInfo, PluginManager, State, empty_manager
from mesoformula.products import Product, Vendor
from mesoformula.sessions import SessionQuantities
from mesoformula.sheets import Column, Exporter, Row, Sheet, SheetRequest
from mesoformula.stock.picks.policies import LotPolicy
from mesoformula.treatments import Technique, Zone

SUBSTANCE = '[[substance]]\nid = "{id}"\nname = "{name}"\nclass = "amino_acid"\n'
PRODUCT = """
[vendor]
id = "shared"
name = "Shared"

[[product]]
sku = "{id}"
name = "{name}"

[[product.part]]
container = "vial"
form = "solution"
volume = "5 mL"

[[product.source]]
kind = "IFU"
where = "https://example.org"
read = 2026-01-02
"""


def plugin(**hooks: Callable[..., Any]) -> ModuleType:
    module = ModuleType("made_for_a_test")
    for name, function in hooks.items():
        setattr(module, f"mesoformula_{name}", hookimpl(function))
    return module


def acme_and_belle(acme: ModuleType, belle: ModuleType, *, acme_is_ours: bool = False) -> PluginManager:
    manager = empty_manager()
    manager.register(
        acme,
        "acme",
        distribution="mesoformula" if acme_is_ours else "dist-acme",
        version="1.2",
        first_party=acme_is_ours,
    )
    manager.register(belle, "belle", distribution="dist-belle", version="0.3")
    return manager


def names_both_and_how_to_choose(text: str) -> bool:
    return all(
        part in text
        for part in (
            "acme (dist-acme 1.2)",
            "belle (dist-belle 0.3)",
            "MESOFORMULA_BLOCK_PLUGINS=acme or MESOFORMULA_BLOCK_PLUGINS=belle",
        )
    )


CLASHES: dict[str, Any] = {
    "mesoformula_unit_definitions": "clashu = [clash_activity]",
    "mesoformula_ingredient_classes": IngredientClass("peptide", "peptide", "fictional", AminoAcid),
    "mesoformula_products": Product(Vendor("shared", "Shared"), "ha", "HA", (), ()),
    "mesoformula_techniques": Technique("t", "t", ()),
    "mesoformula_zones": Zone("z", "z", ()),
    "mesoformula_sheets": Sheet("k", "K", (Column("a", "A"),), (Row(("x",)),)),
    "mesoformula_exporters": Exporter(".k", "k", lambda sheets, path: None),
    "mesoformula_importers": Importer(".k", "k", lambda path: ()),
    "mesoformula_lot_policies": LotPolicy("k", "k", "k", lambda need, candidates: ()),
    "mesoformula_commands": click.Command("k"),
}


@pytest.mark.parametrize("hook", CLASHES)
def test_neither_of_two_plugins_gets_a_name_that_both_offer(hook: str) -> None:
    offer = plugin(**{hook.removeprefix("mesoformula_"): lambda: [CLASHES[hook]]})
    same = plugin(**{hook.removeprefix("mesoformula_"): lambda: [CLASHES[hook]]})
    manager = acme_and_belle(offer, same)
    arguments = {"request": SheetRequest("stock", cast("Any", None))} if hook == "mesoformula_sheets" else {}

    assert manager.offers(hook, **arguments) == ()
    (problem,) = manager.problems
    assert problem.code == "conflict"
    assert names_both_and_how_to_choose(str(problem))
    assert {status.state for status in manager.report()} == {State.CONFLICT}


def test_every_kind_of_offer_that_has_a_name_is_tried() -> None:
    assert CLASHES.keys() == {hook for hook, answers in OFFERS.items() if answers.names is not None}


def test_two_who_work_out_one_session_are_named_with_how_to_choose() -> None:
    answer = SessionQuantities(*([cast("Any", None)] * 9))
    manager = acme_and_belle(*(plugin(work_out_session=lambda: answer) for _ in range(2)))

    with pytest.raises(PluginConflictError) as caught:
        manager.work_out_session(cast("Any", None), cast("Any", None))

    assert names_both_and_how_to_choose(str(caught.value.problem))


# ---- records of two catalogues -------------------------------------------------------------------


@pytest.fixture
def offering(tmp_path: Path) -> Callable[[str, str], ModuleType]:
    """Make a plugin that offers a catalogue."""

    def make(name: str, text: str) -> ModuleType:
        path = tmp_path / f"{name}.toml"
        path.write_text(f"schema = 1\n{text}")
        return plugin(catalogues=lambda: [path])

    return make


@pytest.mark.parametrize(
    ("template", "section", "name"), [(SUBSTANCE, "substance", "x"), (PRODUCT, "product", "shared/x")]
)
class TestARecordOfTwoCatalogues:
    def test_is_used_by_neither_of_two_third_parties(
        self, offering: Callable[[str, str], ModuleType], template: str, section: str, name: str
    ) -> None:
        manager = acme_and_belle(
            *(offering(who, template.format(id="x", name=who)) for who in ("acme", "belle"))
        )
        formulary = App(manager=manager).formulary

        (problem,) = formulary.problems
        assert problem.code == "duplicate"
        assert problem.path is not None
        assert problem.path.endswith("belle.toml")
        assert "plugin acme (dist-acme 1.2)" in problem.message
        assert "acme.toml" in problem.message
        assert "neither is used" in problem.message
        assert "MESOFORMULA_BLOCK_PLUGINS=acme or MESOFORMULA_BLOCK_PLUGINS=belle" in problem.message
        with pytest.raises(CatalogueError, match="neither is used"):
            getattr(formulary, section)(name)
        assert getattr(formulary, f"{section}s")() == ()

    def test_stays_with_the_first_party_whatever_the_plugins_are_called(
        self, offering: Callable[[str, str], ModuleType], template: str, section: str, name: str
    ) -> None:
        ours, theirs = (offering(who, template.format(id="x", name=who)) for who in ("ours", "theirs"))
        manager = empty_manager()
        manager.register(theirs, "aaa", distribution="dist-aaa", version="1")
        manager.register(ours, "zzz", distribution="mesoformula", version="0", first_party=True)
        formulary = App(manager=manager).formulary

        assert getattr(formulary, section)(name).name == "ours"
        (problem,) = formulary.problems
        assert problem.code == "duplicate"
        assert problem.plugin == "aaa (dist-aaa 1)" or "theirs.toml" in str(problem.path)

    def test_in_code_and_in_a_catalogue_is_used_by_neither(
        self, offering: Callable[[str, str], ModuleType], template: str, section: str, name: str
    ) -> None:
        if section != "product":
            return
        manager = acme_and_belle(
            offering("acme", template.format(id="x", name="acme")),
            plugin(products=lambda: [Product(Vendor("shared", "Shared"), "x", "belle", (), ())]),
        )
        formulary = App(manager=manager).formulary

        (problem,) = formulary.problems
        assert "plugin acme (dist-acme 1.2)" in problem.message
        with pytest.raises(CatalogueError):
            formulary.product(name)


# ---- what to type --------------------------------------------------------------------------------


def test_two_distributions_with_one_plugin_name_are_chosen_by_distribution() -> None:
    parties = [PluginInfo("acme", "one", "1"), PluginInfo("Acme", "two", "1")]

    assert how_to_choose(parties) == (
        "block one with MESOFORMULA_BLOCK_PLUGINS=one or MESOFORMULA_BLOCK_PLUGINS=two"
    )


def test_one_party_alone_is_not_one_of_several() -> None:
    acme = PluginInfo("acme", "one", "1")

    assert how_to_choose([acme, acme]) == "block the plugin with MESOFORMULA_BLOCK_PLUGINS=acme"
