"""
The plugin loader survives any plugin: what one does wrong is named, and the rest goes on.

The distributions under `data/fake_plugins` are found the way installed ones are.
"""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import Distribution, EntryPoint, distributions, entry_points
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import attrs
import click
import pytest

from mesoformula.contract import CHECKS, DECISIONS, KNOWN_HOOKS, MAY_BE_WRAPPED, MOST_ANSWERS, OFFERS
from mesoformula.errors import (
    FormulaError,
    PluginConflictError,
    PluginError,
    PluginLoadError,
    PluginResultError,
    Problem,
    SheetError,
)
from mesoformula.findings import Finding, Severity
from mesoformula.grids import Grid, Importer
from mesoformula.hookspecs import Specs, hookimpl
from mesoformula.ingredients import AminoAcid, IngredientClass
from mesoformula.plugins import (
    BLOCK_VARIABLE,
    Offered,
    PluginInfo,
    PluginManager,
    PluginStatus,
    State,
    empty_manager,
    load_plugins,
)
from mesoformula.products import Product, Vendor
from mesoformula.sessions import Session, SessionQuantities
from mesoformula.sheets import Column, Exporter, Row, Sheet, SheetRequest
from mesoformula.treatments import Technique, Zone

FAKES = Path(__file__).parent / "data" / "fake_plugins"

Install = Callable[..., list[EntryPoint]]


@pytest.fixture(autouse=True)
def _nothing_blocked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(BLOCK_VARIABLE, raising=False)


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Put fake distributions on the path, the first named foremost, and return their entry points."""
    before = set(sys.modules)

    def put(*folders: str) -> list[EntryPoint]:
        for folder in reversed(folders):
            monkeypatch.syspath_prepend(FAKES / folder)
        paths = [str(FAKES / folder) for folder in folders]
        return [point for one in distributions(path=paths) for point in one.entry_points]

    yield put
    for name in set(sys.modules) - before:
        if name.startswith("fake_"):
            del sys.modules[name]


def classes(manager: PluginManager) -> list[str]:
    return [offered.value.id for offered in manager.ingredient_classes()]


def codes(manager: PluginManager) -> list[str]:
    return [problem.code for problem in manager.problems]


def status(manager: PluginManager, name: str) -> PluginStatus:
    (found,) = [one for one in manager.report() if one.name == name]
    return found


def ingredient_class(name: str) -> IngredientClass:
    return IngredientClass(name, name, "fictional", AminoAcid)


def nothing() -> list[Any]:
    return []


def read_nothing(path: Path) -> tuple[Grid, ...]:
    return ()


def plugin(**hooks: Callable[..., Any]) -> ModuleType:
    """Make a plugin module; hooks are named without their prefix."""
    module = ModuleType("made_for_a_test")
    for name, function in hooks.items():
        setattr(module, f"mesoformula_{name}", hookimpl(function))
    return module


def manager_with(*plugins: ModuleType, first_party: tuple[ModuleType, ...] = ()) -> PluginManager:
    """Register third parties as p1, p2… and first-party plugins as f1, f2…."""
    manager = empty_manager()
    for number, one in enumerate(plugins, 1):
        manager.register(one, f"p{number}", distribution=f"fake-p{number}", version="1.0")
    for number, one in enumerate(first_party, 1):
        manager.register(one, f"f{number}", distribution="mesoformula", version="0", first_party=True)
    return manager


# ---- loading -------------------------------------------------------------------------------------


def test_an_installed_plugin_is_loaded_with_distribution_and_version(install: Install) -> None:
    manager = load_plugins(entry_points=install("good"))

    assert classes(manager) == ["good_class"]
    assert manager.ingredient_classes()[0].plugin == PluginInfo("good", "fake-good", "1.0", False)
    assert str(manager.ingredient_classes()[0].plugin) == "good (fake-good 1.0)"
    assert manager.problems == ()
    found = status(manager, "good")
    assert (found.state, found.reason, found.distribution, found.version) == (
        State.ACTIVE,
        "",
        "fake-good",
        "1.0",
    )
    assert found.hooks == ("mesoformula_ingredient_classes",)
    assert found.load_seconds > 0
    assert not found.first_party


def test_plugins_are_discovered_in_the_entry_point_group(install: Install) -> None:
    """The fake distribution `mesoformula` hides the real one."""
    install("good", "first_party")

    manager = load_plugins()

    assert {"good_class", "contested_by_first_party"} <= set(classes(manager))
    assert status(manager, "core-like").first_party


@pytest.mark.parametrize(
    ("folder", "name", "code"),
    [
        ("importerror", "importerror", "import"),
        ("missing", "missing-module", "import"),
        ("missing", "missing-attribute", "import"),
        ("exits", "exits", "import"),
        ("misspelt", "misspelt", "unknown-hook"),
        ("forgotten", "forgotten", "undecorated"),
        ("argument", "argument", "unknown-argument"),
        ("shapes", "unhashable", "register"),
    ],
)
class TestABrokenPlugin:
    def test_is_named_and_set_aside_and_the_rest_goes_on(
        self, install: Install, folder: str, name: str, code: str
    ) -> None:
        manager = load_plugins(entry_points=install(folder, "good"))

        found = status(manager, name)
        assert found.state is State.FAILED
        assert found.hooks == ()
        (problem,) = [one for one in manager.problems if one.plugin == f"{name} (fake-{folder} 1.0)"]
        assert problem.code == code
        assert problem.message == found.reason
        assert "good_class" in classes(manager)
        assert f"{name}_class" not in classes(manager)

    def test_is_fatal_if_strict(self, install: Install, folder: str, name: str, code: str) -> None:
        points = [point for point in install(folder, "good") if point.name in (name, "good")]

        with pytest.raises(PluginLoadError) as caught:
            load_plugins(strict=True, entry_points=points)

        assert caught.value.problem.code == code


def test_an_import_error_names_what_is_missing_and_how_to_block_the_plugin(install: Install) -> None:
    manager = load_plugins(entry_points=install("importerror"))

    assert str(manager.problems[0]) == (
        "plugin importerror (fake-importerror 1.0): [import] 'fake_importerror' cannot be imported "
        "(ModuleNotFoundError: 'No module named 'mesoformula_that_is_not_there''); mend or update it, or "
        "block it with MESOFORMULA_BLOCK_PLUGINS=importerror"
    )


def test_the_nearest_hook_is_named_for_a_misspelt_one(install: Install) -> None:
    (problem,) = load_plugins(entry_points=install("misspelt")).problems

    assert "did you mean mesoformula_products?" in problem.message


def test_a_misspelt_hook_without_the_decorator_is_found_too() -> None:
    def undecorated() -> list[Zone]:
        return []

    module = ModuleType("m")
    module.mesoformula_zone = undecorated  # type: ignore[attr-defined]

    assert codes(manager_with(module)) == ["unknown-hook"]


def test_an_unknown_argument_is_named_with_those_that_exist(install: Install) -> None:
    (problem,) = load_plugins(entry_points=install("argument")).problems

    assert "'patient'" in problem.message
    assert "session, quantities, formulary" in problem.message


def test_modules_and_classes_with_the_prefix_are_no_hooks() -> None:
    module = plugin(zones=nothing)
    module.mesoformula_formulary = ModuleType("mesoformula_formulary")  # type: ignore[attr-defined]
    module.mesoformula_products = ModuleType("mesoformula_products")  # type: ignore[attr-defined]

    assert manager_with(module).problems == ()


def test_data_in_place_of_a_hook_is_found() -> None:
    module = plugin(zones=nothing)
    module.mesoformula_products = []  # type: ignore[attr-defined]

    assert codes(manager_with(module)) == ["undecorated"]


def test_a_marked_attribute_that_is_no_function_is_found() -> None:
    class Functor:
        def __call__(self) -> list[Zone]:
            return []

    module = plugin(zones=nothing)
    module.mesoformula_products = hookimpl(Functor())  # type: ignore[attr-defined]

    assert codes(manager_with(module)) == ["register"]


def test_an_argument_by_keyword_only_is_found() -> None:
    def check(product: Product, *, quantities: object) -> list[Problem]:
        return []

    assert codes(manager_with(plugin(check_product=check))) == ["unknown-argument"]


def test_all_faults_of_a_plugin_are_named_at_once() -> None:
    module = plugin(prodcuts=nothing, check_product=lambda patient: [])

    assert sorted(codes(manager_with(module))) == ["unknown-argument", "unknown-hook"]


def test_an_optional_hook_of_a_newer_contract_is_passed_over(install: Install) -> None:
    manager = load_plugins(entry_points=install("newer"))

    assert manager.problems == ()
    assert classes(manager) == ["newer_class"]
    assert status(manager, "newer").hooks == ("mesoformula_ingredient_classes",)


def test_a_plugin_may_be_a_class_or_an_instance(install: Install) -> None:
    manager = load_plugins(entry_points=install("shapes"))

    assert classes(manager) == ["class_made", "instance_made"]


def test_a_class_that_cannot_be_called_is_set_aside() -> None:
    class Needy:
        def __init__(self, needed: object) -> None: ...

    manager = empty_manager()
    manager.register(Needy)

    assert codes(manager) == ["register"]


def test_a_hook_may_go_by_another_name_in_the_plugin() -> None:
    module = ModuleType("m")
    module.zones_of_ours = hookimpl(  # type: ignore[attr-defined]
        specname="mesoformula_zones"
    )(lambda: [Zone("z", "z", ())])

    assert [one.value.id for one in manager_with(module).zones()] == ["z"]


@pytest.mark.parametrize("odd", [None, 5, "mesoformula", SimpleNamespace(), ModuleType("empty")])
def test_an_object_without_any_hook_is_set_aside(odd: object) -> None:
    manager = empty_manager()
    manager.register(odd, "odd")

    assert status(manager, "odd").state is State.FAILED
    assert set(codes(manager)) <= {"no-hook", "register"}


def test_ctrl_c_during_an_import_always_passes(install: Install) -> None:
    with pytest.raises(KeyboardInterrupt):
        load_plugins(entry_points=install("interrupts"))


def test_a_distribution_with_unreadable_entry_points_hides_no_other(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("good", "first_party")
    monkeypatch.syspath_prepend(FAKES / "garbled")
    with pytest.raises(TypeError):
        entry_points(group="mesoformula")

    manager = load_plugins()

    assert "good_class" in classes(manager)
    (problem,) = [one for one in manager.problems if one.code == "metadata"]
    assert "fake-garbled 1.0" in problem.message


def test_an_entry_point_without_a_distribution_is_loaded(install: Install) -> None:
    install("good")

    manager = load_plugins(entry_points=[EntryPoint("lonely", "fake_good", "mesoformula")])

    assert manager.ingredient_classes()[0].plugin == PluginInfo("lonely")


def test_an_empty_manager_refuses_to_look_for_plugins() -> None:
    with pytest.raises(PluginLoadError) as caught:
        empty_manager().discover()

    assert caught.value.problem.code == "discovery"


# ---- blocking ------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["exits", "fake-exits", "Fake_Exits", " EXITS "])
def test_a_blocked_plugin_is_not_imported(
    install: Install, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    monkeypatch.setenv(BLOCK_VARIABLE, f"{word},")

    manager = load_plugins(strict=True, entry_points=install("exits", "good"))

    assert status(manager, "exits").state is State.BLOCKED
    assert "fake_exits" not in sys.modules
    assert manager.problems == ()
    assert classes(manager) == ["good_class"]


def test_an_unknown_name_among_the_blocked_is_a_problem(install: Install) -> None:
    manager = load_plugins(blocked=["godo"], entry_points=install("good"))

    (problem,) = manager.problems
    assert problem.code == "unknown-plugin"
    assert "did you mean good?" in problem.message
    assert classes(manager) == ["good_class"]


def test_an_unknown_name_among_the_blocked_is_fatal_if_strict(install: Install) -> None:
    with pytest.raises(PluginLoadError) as caught:
        load_plugins(blocked=["godo"], strict=True, entry_points=install("good"))

    assert caught.value.problem.code == "unknown-plugin"


def test_blocked_names_may_be_given_as_one_text(install: Install) -> None:
    manager = load_plugins(blocked="exits,good", entry_points=install("exits", "good"))

    assert {one.state for one in manager.report()} == {State.BLOCKED}


def test_first_party_plugins_can_be_blocked_together(install: Install) -> None:
    manager = load_plugins(blocked=["mesoformula"], entry_points=install("first_party", "good"))

    assert classes(manager) == ["good_class"]
    assert status(manager, "core-like").state is State.BLOCKED


# ---- two that offer one thing --------------------------------------------------------------------


@pytest.mark.parametrize("turned", [False, True])
class TestATakenName:
    def load(self, points: list[EntryPoint], turned: bool, strict: bool = False) -> PluginManager:
        return load_plugins(strict=strict, entry_points=points[::-1] if turned else points)

    def test_is_used_by_neither_of_two_third_parties(self, install: Install, turned: bool) -> None:
        manager = self.load(install("acme", "belle", "good"), turned)

        assert classes(manager) == ["acme_class", "belle_class", "good_class"]
        (problem,) = manager.problems
        assert problem.code == "conflict"
        assert problem.plugin == "acme (fake-acme 1.2)"
        assert "belle (Fake.Belle 0.3)" in problem.message
        assert "none of them is used" in problem.message
        assert BLOCK_VARIABLE in problem.message
        assert status(manager, "acme").state is State.CONFLICT
        assert status(manager, "belle").state is State.CONFLICT
        assert status(manager, "good").state is State.ACTIVE

    def test_stays_with_the_first_party_and_with_the_core(self, install: Install, turned: bool) -> None:
        manager = self.load(install("usurper", "first_party"), turned)

        found = {one.value.id: one.plugin.name for one in manager.ingredient_classes()}
        assert found == {"contested_by_first_party": "core-like", "usurper_class": "usurper"}
        assert codes(manager) == ["conflict", "conflict"]
        assert {problem.plugin for problem in manager.problems} == {"usurper (fake-usurper 2.0)"}
        by_core = next(one for one in manager.problems if "'vitamin'" in one.message)
        assert "the core" in by_core.message
        assert status(manager, "core-like").state is State.ACTIVE

    def test_is_free_again_when_one_is_blocked(
        self, install: Install, monkeypatch: pytest.MonkeyPatch, turned: bool
    ) -> None:
        monkeypatch.setenv(BLOCK_VARIABLE, "fake-belle")
        manager = self.load(install("acme", "belle"), turned)

        assert classes(manager) == ["acme_class", "peptide"]
        assert manager.problems == ()

    def test_is_fatal_if_strict(self, install: Install, turned: bool) -> None:
        manager = self.load(install("acme", "belle"), turned, strict=True)

        with pytest.raises(PluginConflictError):
            manager.ingredient_classes()

    def test_of_a_plugin_is_used_by_neither_of_two_distributions(
        self, install: Install, turned: bool
    ) -> None:
        manager = self.load(install("acme", "namesake", "good"), turned)

        assert classes(manager) == ["good_class"]
        (problem,) = manager.problems
        assert problem.code == "conflict"
        assert "Acme (fake-namesake 3.0)" in f"{problem.plugin}{problem.message}"
        assert "acme (fake-acme 1.2)" in f"{problem.plugin}{problem.message}"
        assert {one.state for one in manager.report() if one.name != "good"} == {State.CONFLICT}
        assert not {"fake_acme", "fake_namesake"} & sys.modules.keys()

    def test_of_a_module_belongs_to_the_copy_that_python_imports(
        self, install: Install, turned: bool
    ) -> None:
        order = ("beta", "alpha") if turned else ("alpha", "beta")
        manager = self.load(install(*order, "good"), turned)

        assert classes(manager) == [f"{order[0]}_class", "good_class"]
        (problem,) = manager.problems
        assert problem.code == "conflict"
        assert problem.plugin == f"twin (fake-{order[1]} 1.0)"
        assert str(FAKES / order[0] / "fake_twin.py") in problem.message
        states = {one.distribution: one.state for one in manager.report()}
        assert states[f"fake-{order[0]}"] is State.ACTIVE
        assert states[f"fake-{order[1]}"] is State.CONFLICT


def fake_good_of(folder: Path, name: str, **files: str) -> list[EntryPoint]:
    """Make a distribution without code of its own that offers the module `fake_good`."""
    info = folder / f"{name}-9.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Name: {name}\nVersion: 9\n")
    (info / "entry_points.txt").write_text(f"[mesoformula]\n{name} = fake_good\n")
    for file, text in files.items():
        (info / file.replace("_json", ".json")).write_text(text)
    return list(Distribution.at(info).entry_points)


RECORD = f"{FAKES / 'good' / 'fake_good.py'},,\n"


def test_a_module_whose_copy_nobody_owns_is_used_by_neither(install: Install, tmp_path: Path) -> None:
    install("good")
    rivals = [*fake_good_of(tmp_path / "1", "one"), *fake_good_of(tmp_path / "2", "two")]

    manager = load_plugins(entry_points=rivals)

    assert codes(manager) == ["conflict"]
    assert [one.state for one in manager.report()] == [State.CONFLICT, State.CONFLICT]


def test_two_distributions_that_recorded_one_file_leave_it_to_neither(
    install: Install, tmp_path: Path
) -> None:
    """One has overwritten the other: whose code it is cannot be told."""
    install("good")
    points = [
        point for name in ("mesoformula", "other") for point in fake_good_of(tmp_path, name, RECORD=RECORD)
    ]

    manager = load_plugins(entry_points=points)

    assert codes(manager) == ["conflict"]
    assert classes(manager) == []


def test_code_that_is_not_the_distributions_own_is_reported(install: Install) -> None:
    (alpha,) = install("alpha")
    install("beta")

    manager = load_plugins(entry_points=[alpha])

    assert codes(manager) == ["shadowed"]
    assert str(FAKES / "beta" / "fake_twin.py") in manager.problems[0].message
    assert classes(manager) == ["beta_class"]


def test_a_shadowed_first_party_plugin_does_not_count_as_one(install: Install, tmp_path: Path) -> None:
    install("good")

    manager = load_plugins(entry_points=fake_good_of(tmp_path, "mesoformula"))

    assert codes(manager) == ["shadowed"]
    assert not manager.ingredient_classes()[0].plugin.first_party


def test_an_editable_distribution_owns_what_lies_in_its_project(install: Install, tmp_path: Path) -> None:
    install("good")
    url = f'{{"dir_info": {{"editable": true}}, "url": "{FAKES.as_uri()}"}}'
    points = fake_good_of(tmp_path, "mesoformula", direct_url_json=url)

    manager = load_plugins(strict=True, entry_points=points)

    assert manager.ingredient_classes()[0].plugin.first_party


def test_a_distribution_owns_the_files_that_it_records(install: Install, tmp_path: Path) -> None:
    install("good")
    points = fake_good_of(tmp_path, "recorded", RECORD=RECORD)

    assert load_plugins(strict=True, entry_points=points).problems == ()


def test_one_object_is_registered_once() -> None:
    module = plugin(zones=nothing)

    assert codes(manager_with(module, module)) == ["conflict"]


def test_equal_instances_are_two_plugins() -> None:
    @attrs.frozen
    class Plugin:
        @hookimpl
        def mesoformula_zones(self) -> list[Zone]:
            return []

    manager = empty_manager()
    manager.register(Plugin(), "one")
    manager.register(Plugin(), "two")

    assert [one.state for one in manager.report()] == [State.ACTIVE, State.FAILED]
    assert codes(manager) == ["register"]


def test_a_plugin_name_is_registered_once() -> None:
    manager = empty_manager()
    manager.register(plugin(zones=nothing), "one")
    manager.register(plugin(zones=nothing), "one")

    assert codes(manager) == ["conflict"]


@pytest.mark.parametrize(
    ("hook", "first", "second"),
    [
        ("ingredient_classes", ingredient_class("peptide"), ingredient_class("peptide")),
        (
            "products",
            Product(Vendor("acme", "Acme"), "ha", "HA", (), ()),
            Product(Vendor("acme", "ACME"), "ha", "HA 2", (), ()),
        ),
        ("techniques", Technique("t", "one", ()), Technique("t", "two", ())),
        ("zones", Zone("z", "one", ()), Zone("z", "two", ())),
        (
            "exporters",
            Exporter(".csv", "one", lambda sheets, path: None),
            Exporter(".CSV", "two", lambda sheets, path: None),
        ),
        ("importers", Importer(".ods", "one", read_nothing), Importer(".ODS", "two", read_nothing)),
        ("commands", click.Command("price"), click.Command("price")),
        ("unit_definitions", "speyu = [spe_activity] = SPEYU", "otheru = [other] = SPEYU"),
    ],
)
def test_every_kind_of_name_can_be_taken(hook: str, first: object, second: object) -> None:
    manager = manager_with(plugin(**{hook: lambda: [first]}), plugin(**{hook: lambda: [second]}))

    assert manager.offers(f"mesoformula_{hook}") == ()
    assert codes(manager) == ["conflict"]


def test_formats_that_the_core_reads_cannot_be_taken() -> None:
    offered = [Importer(".CSV", "text", read_nothing), Importer(".ods", "spreadsheet", read_nothing)]
    manager = manager_with(plugin(importers=lambda: offered))

    assert [one.value.suffix for one in manager.importers()] == [".ods"]
    assert codes(manager) == ["conflict"]


def test_revisions_of_one_product_are_no_conflict() -> None:
    one = Product(Vendor("acme", "Acme"), "ha", "HA", (), ())
    manager = manager_with(
        plugin(products=lambda: [attrs.evolve(one, revision=2)]), plugin(products=lambda: [one])
    )

    assert [each.value.revision for each in manager.products()] == [1, 2]
    assert manager.problems == ()


def test_one_plugin_that_offers_a_name_twice_has_neither() -> None:
    manager = manager_with(plugin(zones=lambda: [Zone("z", "one", ()), Zone("z", "two", ())]))

    assert manager.zones() == ()
    assert codes(manager) == ["conflict"]
    assert "twice" in manager.problems[0].message


def test_only_sheets_may_be_refused_any_other_hook_fails_with_such_an_error() -> None:
    def refuse() -> list[Any]:
        raise SheetError([Problem("no", "not these")])

    manager = manager_with(plugin(zones=refuse), plugin(zones=lambda: [Zone("z", "Zone", ())]))
    assert [one.value.id for one in manager.zones()] == ["z"]
    assert [problem.code for problem in manager.problems] == ["raised"]


def test_commands_of_the_core_cannot_be_taken() -> None:
    manager = manager_with(plugin(commands=lambda: [click.Command("demo"), click.Command("price")]))

    assert [one.value.name for one in manager.commands(core=["demo"])] == ["price"]
    assert codes(manager) == ["conflict"]


def test_offers_of_catalogues_and_code_can_be_settled_together() -> None:
    manager = manager_with(plugin(zones=nothing), plugin(products=nothing))
    acme, belle = (PluginInfo(name, f"fake-{name}", "1.0") for name in ("p1", "p2"))

    kept = manager.settle(
        "substance", [Offered("a", acme), Offered("b", belle), Offered("a", belle)], lambda name: (name,)
    )

    assert [one.value for one in kept] == ["b"]
    assert [one.state for one in manager.report()] == [State.CONFLICT, State.CONFLICT]


# ---- calling -------------------------------------------------------------------------------------


def test_every_hook_is_known_to_be_offer_check_or_decision() -> None:
    specs = {name for name in vars(Specs) if name.startswith("mesoformula_")}

    assert specs == KNOWN_HOOKS
    assert len(OFFERS) + len(CHECKS) + len(DECISIONS) == len(specs)
    assert specs >= MAY_BE_WRAPPED


def test_what_a_hook_raises_is_set_aside_and_its_other_hooks_go_on(install: Install) -> None:
    """One raises at once, one in a generator that fails late, one ends the program."""
    manager = load_plugins(entry_points=install("raises", "good"))

    assert manager.products() == ()
    assert manager.zones() == ()
    assert manager.exporters() == ()
    assert classes(manager) == ["good_class", "raises_class"]
    assert [(one.code, one.plugin) for one in manager.problems] == [
        ("raised", "raises (fake-raises 1.0)")
    ] * 3
    assert "mesoformula_products raised ValueError: 'boom'" in manager.problems[0].message
    assert status(manager, "raises").state is State.FAILED
    assert status(manager, "raises").reason == manager.problems[0].message


def test_what_a_hook_raises_is_fatal_if_strict(install: Install) -> None:
    manager = load_plugins(strict=True, entry_points=install("raises"))

    with pytest.raises(PluginResultError) as caught:
        manager.zones()

    assert isinstance(caught.value.__cause__, LookupError)
    assert "mesoformula_zones" in caught.value.problem.message


def test_what_a_late_generator_gave_before_it_failed_is_not_used() -> None:
    def zones() -> Iterator[Zone]:
        yield Zone("half", "half", ())
        raise ValueError("late")

    manager = manager_with(plugin(zones=zones), plugin(zones=lambda: [Zone("whole", "whole", ())]))

    assert [one.value.id for one in manager.zones()] == ["whole"]


def test_ctrl_c_in_a_hook_always_passes() -> None:
    def interrupted() -> list[Zone]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        manager_with(plugin(zones=interrupted)).zones()


async def _asynchronous() -> list[Zone]:
    return []


def _endless() -> Iterator[Zone]:
    while True:
        yield Zone("again", "again", ())


@pytest.mark.parametrize(
    "zones",
    [
        lambda: "face",
        lambda: b"face",
        lambda: {"face": Zone("face", "face", ())},
        lambda: 5,
        lambda: Zone("face", "face", ()),
        lambda: ["face"],
        lambda: [None],
        lambda: [Zone("face", "face", ()), Technique("t", "t", ())],
        lambda: [Zone(cast("str", 5), "face", ())],
        lambda: [Zone("", "face", ())],
        lambda: [Zone("\x1b[2Jface", "face", ())],
        _asynchronous,
        _endless,
    ],
    ids=range(13),
)
def test_an_answer_of_the_wrong_type_is_set_aside(zones: Callable[[], Any]) -> None:
    manager = manager_with(plugin(zones=zones), plugin(zones=lambda: [Zone("other", "other", ())]))

    assert [one.value.id for one in manager.zones()] == ["other"]
    assert codes(manager) == ["result"]
    assert manager.problems[0].plugin == "p1 (fake-p1 1.0)"
    assert str(manager.problems[0]).isprintable()
    gc.collect()


def test_none_is_nothing_to_offer() -> None:
    manager = manager_with(plugin(zones=lambda: None))

    assert manager.zones() == ()
    assert manager.problems == ()


def test_a_text_as_path_of_a_catalogue_is_refused() -> None:
    manager = manager_with(
        plugin(catalogues=lambda: ["/somewhere"]), plugin(catalogues=lambda: [FAKES, FAKES.parent])
    )

    assert [one.value for one in manager.catalogues()] == [FAKES, FAKES.parent]
    assert codes(manager) == ["result"]


def test_the_order_of_offers_does_not_depend_on_the_order_of_loading() -> None:
    zones = [Zone(name, name, ()) for name in "dbca"]
    one, two = plugin(zones=lambda: zones[:2]), plugin(zones=lambda: zones[2:])

    assert [each.value.id for each in manager_with(one, two).zones()] == list("abcd")
    assert [each.value.id for each in manager_with(two, one).zones()] == list("abcd")


def test_a_hook_without_arguments_is_called_once() -> None:
    calls = []
    manager = manager_with(plugin(zones=lambda: calls.append(1)))

    manager.zones()
    manager.zones()

    assert len(calls) == 1


def test_of_many_failures_of_one_hook_the_first_is_kept() -> None:
    def fail(product: Product) -> list[Problem]:
        raise ValueError(product.sku)

    manager = manager_with(plugin(check_product=fail))

    for sku in ("first", "second", "first"):
        manager.check_product(Product(Vendor("acme", "Acme"), sku, "HA", (), ()))

    assert codes(manager) == ["raised"]
    assert "'first'" in manager.problems[0].message


def test_a_plugin_registered_later_is_asked_too() -> None:
    manager = manager_with(plugin(zones=lambda: [Zone("a", "a", ())]))
    assert len(manager.zones()) == 1

    manager.register(plugin(zones=lambda: [Zone("b", "b", ())]), "late")

    assert len(manager.zones()) == 2


#: Run in an interpreter of its own: what the one registry knows, it knows for good.
UNITS = """
from types import ModuleType

from mesoformula.hookspecs import hookimpl
from mesoformula.plugins import empty_manager
from mesoformula.units import magnitude, parse_quantity

LINES = ["fakeu = [fake_activity] = FAKEU", "kfakeu = 1000 * fakeu = KFAKEU", "milligram = 3 * gram = mg"]


def manager_with(lines):
    module = ModuleType("made_for_a_test")
    module.mesoformula_unit_definitions = hookimpl(lambda: lines)
    manager = empty_manager()
    manager.register(module, "p1")
    manager.define_units()
    return manager


print([problem.code for problem in manager_with(LINES).problems])
print([problem.code for problem in manager_with(LINES[:2]).problems])
print(magnitude(parse_quantity("2 KFAKEU"), "FAKEU") == 2000, magnitude(parse_quantity("1 g"), "mg") == 1000)
"""


def test_units_of_plugins_enter_the_registry_and_are_never_redefined() -> None:
    done = subprocess.run([sys.executable, "-c", UNITS], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines() == ["['unit']", "[]", "True True"]


# ---- sheets and wrappers -------------------------------------------------------------------------

SHEET = Sheet("stock", "Stock", (Column("a", "A"),), (Row(("x",)),))
REQUEST = SheetRequest("stock", cast("Any", None))


def wrapper(function: Callable[..., Any], hook: str = "mesoformula_sheets", **options: Any) -> ModuleType:
    module = ModuleType("wrapper")
    setattr(module, hook, hookimpl(**(options or {"wrapper": True}))(function))
    return module


def test_a_wrapper_may_annotate_sheets() -> None:
    def annotate(request: SheetRequest) -> Any:
        sheets = yield
        return [attrs.evolve(sheet, notes=(*sheet.notes, request.topic)) for sheet in sheets]

    manager = manager_with(plugin(sheets=lambda: [SHEET]), wrapper(annotate))
    (offered,) = manager.sheets(REQUEST)

    assert offered.value.notes == ("stock",)
    assert offered.plugin.name == "p1"
    assert manager.problems == ()


def _drops() -> Any:
    yield
    return []


def _forgets() -> Any:
    yield


def _twice() -> Any:
    sheets = yield
    yield
    return sheets


def _fails() -> Any:
    yield
    raise ValueError("boom")


@pytest.mark.parametrize("broken", [_drops, _forgets, _twice, _fails])
def test_a_wrapper_that_does_more_than_annotate_is_set_aside(broken: Callable[[], Any]) -> None:
    manager = manager_with(plugin(sheets=lambda: [SHEET]), wrapper(broken))

    assert [one.value for one in manager.sheets(REQUEST)] == [SHEET]
    assert codes(manager) == ["raised" if broken is _fails else "result"]
    assert status(manager, "p2").state is State.FAILED


def test_a_wrapper_of_findings_is_refused() -> None:
    def swallow() -> Any:
        yield
        return []

    manager = manager_with(wrapper(swallow, "mesoformula_check_session"), wrapper(swallow, hookwrapper=True))

    assert codes(manager) == ["wrapper", "wrapper"]


# ---- checks --------------------------------------------------------------------------------------

SESSION = cast("Session", SimpleNamespace(name="session"))
QUANTITIES = SessionQuantities(
    session=SESSION,
    lines=(),
    injected=cast("Any", None),
    lost=cast("Any", None),
    prepared=cast("Any", None),
    points=None,
    volume_per_point=None,
    syringes=None,
    doses=(),
)
FORMULARY = cast("Any", None)
PRODUCT = Product(Vendor("acme", "Acme"), "ha", "HA", (), ())
BLOCK = Finding("no", Severity.BLOCK, "acme/ha", "no")
INFO = Finding("by-the-way", Severity.INFO, "acme/ha", "well")


def session_findings(manager: PluginManager) -> list[tuple[str, Severity, str]]:
    found = manager.check_session(SESSION, QUANTITIES, FORMULARY)
    return [(one.value.code, one.value.severity, one.plugin.name) for one in found]


def test_findings_come_with_their_plugin_the_heaviest_first() -> None:
    manager = manager_with(
        plugin(check_session=lambda session: [INFO]),
        plugin(check_session=lambda quantities, session: [BLOCK]),
    )

    assert session_findings(manager) == [
        ("no", Severity.BLOCK, "p2"),
        ("by-the-way", Severity.INFO, "p1"),
    ]


def test_a_check_that_raises_leaves_what_it_looks_for_unchecked() -> None:
    def boom(session: Session) -> list[Finding]:
        raise ValueError("boom")

    manager = manager_with(plugin(check_session=boom), plugin(check_session=lambda: [BLOCK]))

    assert session_findings(manager) == [
        ("no", Severity.BLOCK, "p2"),
        ("check-failed", Severity.UNCHECKED, "p1"),
    ]
    assert codes(manager) == ["raised"]
    finding = manager.check_session(SESSION, QUANTITIES, FORMULARY)[1].value
    assert "p1 (fake-p1 1.0)" in finding.message
    assert "p1 (fake-p1 1.0)" in finding.subject


def test_a_check_that_fails_late_keeps_what_it_had_found() -> None:
    def late() -> Iterator[Finding]:
        yield BLOCK
        raise ValueError("late")

    manager = manager_with(plugin(check_session=late))

    assert session_findings(manager) == [
        ("no", Severity.BLOCK, "p1"),
        ("check-failed", Severity.UNCHECKED, "p1"),
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        "a text",
        [None],
        [Finding("x", cast("Severity", "blocker"), "x", "x")],
        [Finding("x", Severity.INFO, "x", cast("str", None))],
    ],
)
def test_a_check_that_answers_with_something_else_leaves_it_unchecked(wrong: object) -> None:
    manager = manager_with(plugin(check_session=lambda: wrong))

    assert session_findings(manager) == [("check-failed", Severity.UNCHECKED, "p1")]
    assert codes(manager) == ["result"]


def test_a_check_that_fails_is_fatal_if_strict() -> None:
    manager = empty_manager(strict=True)
    manager.register(plugin(check_session=lambda: 5), "p")

    with pytest.raises(PluginResultError):
        manager.check_session(SESSION, QUANTITIES, FORMULARY)


def test_problems_of_a_product_name_the_plugin_that_found_them() -> None:
    def boom(product: Product) -> Iterator[Problem]:
        yield Problem("odd", product.id)
        raise ValueError("boom")

    found = manager_with(plugin(check_product=boom)).check_product(PRODUCT)

    assert [(one.code, one.plugin) for one in found] == [
        ("odd", "p1 (fake-p1 1.0)"),
        ("check-failed", "p1 (fake-p1 1.0)"),
    ]
    assert "acme/ha" in found[1].message


# ---- decisions -----------------------------------------------------------------------------------


def answers(points: int) -> ModuleType:
    return plugin(work_out_session=lambda session: attrs.evolve(QUANTITIES, points=points))


SILENT = plugin(work_out_session=lambda: None)


def test_a_third_party_answers_before_the_first_party() -> None:
    manager = manager_with(SILENT, answers(1), first_party=(answers(2),))
    answer = manager.work_out_session(SESSION, FORMULARY)

    assert answer.value.points == 1
    assert answer.plugin.name == "p2"


def test_the_first_party_answers_if_nobody_else_does() -> None:
    answer = manager_with(SILENT, first_party=(answers(2),)).work_out_session(SESSION, FORMULARY)

    assert answer.value.points == 2
    assert answer.plugin.first_party


def test_two_third_parties_that_answer_are_a_conflict() -> None:
    manager = manager_with(answers(1), answers(2), first_party=(answers(3),))

    with pytest.raises(PluginConflictError) as caught:
        manager.work_out_session(SESSION, FORMULARY)

    assert caught.value.problem.plugin == "p1 (fake-p1 1.0)"
    assert "p2 (fake-p2 1.0)" in caught.value.problem.message


def test_no_answer_at_all_is_an_error() -> None:
    with pytest.raises(PluginError) as caught:
        manager_with(SILENT).work_out_session(SESSION, FORMULARY)

    assert caught.value.problem.code == "nobody"


@pytest.mark.parametrize("wrong", [0, "2 mL", {}, QUANTITIES.lines])
def test_an_answer_that_is_no_session_quantities_is_refused(wrong: object) -> None:
    manager = manager_with(plugin(work_out_session=lambda: wrong), first_party=(answers(2),))

    with pytest.raises(PluginResultError) as caught:
        manager.work_out_session(SESSION, FORMULARY)

    assert caught.value.problem.code == "result"
    assert manager.problems == (caught.value.problem,)


def test_a_refusal_passes_unchanged() -> None:
    refusal = FormulaError([Problem("too-much", "line 1: does not fit")])

    def refuse() -> None:
        raise refusal

    manager = manager_with(plugin(work_out_session=refuse), first_party=(answers(2),))

    with pytest.raises(FormulaError) as caught:
        manager.work_out_session(SESSION, FORMULARY)

    assert caught.value is refusal
    assert manager.problems == ()


def test_any_other_exception_is_no_answer_and_nobody_else_is_asked() -> None:
    def boom() -> None:
        raise ZeroDivisionError

    manager = manager_with(plugin(work_out_session=boom), first_party=(answers(2),))

    with pytest.raises(PluginResultError) as caught:
        manager.work_out_session(SESSION, FORMULARY)

    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert caught.value.problem.plugin == "p1 (fake-p1 1.0)"


# ---- cost ----------------------------------------------------------------------------------------


def test_an_endless_answer_ends() -> None:
    assert MOST_ANSWERS < 1_000_000


def test_loading_plugins_imports_no_heavy_library() -> None:
    program = (
        "import sys, mesoformula.plugins as p; p.load_plugins(entry_points=[]);"
        "heavy = {'pint', 'openpyxl', 'sqlalchemy', 'click', 'mesoformula.units', 'mesoformula.products'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
