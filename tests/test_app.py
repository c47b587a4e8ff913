"""The use cases, for whoever prefers Python to a command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mesoformula.app import App
from mesoformula.errors import (
    CatalogueError,
    FormulaError,
    GridError,
    PluginError,
    PluginResultError,
    UnknownNameError,
)
from mesoformula.findings import Finding, Severity
from mesoformula.formulas import Formula, Line
from mesoformula.grids import Grid, Importer
from mesoformula.hookspecs import hookimpl
from mesoformula.plugins import empty_manager, load_plugins
from mesoformula.sessions import Session
from mesoformula.sheets import Exporter, SheetRequest
from mesoformula.units import parse_quantity, show

MINE = """\
schema = 1

[[formula]]
id = "{id}"
name = "Mine"
description = "of my own"

[[formula.line]]
product = "phoenix-labs/ascorbic-acid-500"
volume = "{volume}"
"""

Write = Callable[..., Path]


def mine(id: str = "mine", volume: str = "1 mL") -> str:  # noqa: A002
    return MINE.format(id=id, volume=volume)


def two() -> str:
    """Write a file of two formulas."""
    return mine() + mine(id="other").partition("\n")[2]


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
def unchecked_app() -> App:
    """Nothing checks its sessions."""
    return App(manager=load_plugins(blocked=["safety"]))


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def file(name: str = "mine.toml", text: str | None = None, **given: str) -> Path:
        path = tmp_path / name
        path.write_text(text if text is not None else mine(**given))
        return path

    return file


def app_with(*, blocked: tuple[str, ...] = (), **hooks: Any) -> App:
    """Make an app with the first-party plugins and one more, made of functions."""
    manager = load_plugins(blocked=blocked)
    manager.register(plugin_of(**hooks), "ours")
    return App(manager=manager)


def plugin_of(**hooks: Any) -> ModuleType:
    plugin = ModuleType("ours")
    for name, hook in hooks.items():
        setattr(plugin, f"mesoformula_{name}", hookimpl(hook))
    return plugin


def vitamin_c() -> Formula:
    return Formula("mine", "Mine", (Line("phoenix-labs/ascorbic-acid-500", volume=parse_quantity("1 mL")),))


# ---- formulas ---------------------------------------------------------------------------------------------


def test_a_formula_is_found_by_its_id(app):
    assert app.formula("teaching-parts").id == "teaching-parts"


@pytest.mark.parametrize("name", ["baxter/cernevit", "baxter/cernevit@1"])
def test_a_product_is_a_formula_of_one_line(app, name):
    formula = app.formula(name)
    assert formula.lines == (Line(name, containers=1),)
    assert formula.name == "Cernevit"


def test_a_file_with_one_formula_is_that_formula(app, write):
    assert app.formula(str(write())).name == "Mine"


def test_a_formula_of_a_file_is_found_by_file_and_id(app, write):
    path = write(text=two())
    assert app.formula(f"{path}#other").id == "other"


def test_a_file_with_several_formulas_leaves_no_choice_open(app, write):
    path = write(text=two())
    with pytest.raises(CatalogueError) as refused:
        app.formula(str(path))
    (problem,) = refused.value.problems
    assert f"name one, such as {path}#mine" in problem.message


@pytest.mark.parametrize("text", ["schema = 1\n", 'schema = 1\n[[zone]]\nid = "x"\nname = "x"\n'])
def test_a_file_without_a_formula_is_refused(app, write, text):
    with pytest.raises(CatalogueError) as refused:
        app.formula(str(write(text=text)))
    assert refused.value.problems


def test_a_file_that_takes_a_bundled_id_is_refused(app, write):
    with pytest.raises(CatalogueError) as refused:
        app.formula(str(write(id="teaching-parts")))
    (problem,) = refused.value.problems
    assert (problem.code, problem.line) == ("duplicate", 3)


def test_a_file_with_problems_gives_all_of_them_by_line(app, write):
    text = mine(volume="5,5 mL").replace('name = "Mine"', 'name = "Mine"\nfoo = 1')
    with pytest.raises(CatalogueError) as refused:
        app.formula(str(write(text=text)))
    assert [(problem.line, problem.code) for problem in refused.value.problems] == [
        (6, "unknown-key"),
        (11, "decimal-comma"),
    ]


def test_a_product_that_a_file_names_must_be_on_offer(app, write):
    text = mine().replace("ascorbic-acid-500", "ascorbic-acid-5000")
    with pytest.raises(CatalogueError) as refused:
        app.add_formulas(write(text=text))
    (problem,) = refused.value.problems
    assert (problem.code, problem.line) == ("unknown-product", 9)
    assert "did you mean phoenix-labs/ascorbic-acid-500" in problem.message


def test_a_name_that_nothing_answers_to_comes_with_the_nearest(app):
    with pytest.raises(UnknownNameError) as refused:
        app.formula("nctf-135ha")
    assert refused.value.kind == "formula or product"
    assert "fillmed/nctf-135ha" in refused.value.nearest


# ---- catalogues of the user's -----------------------------------------------------------------------------


def test_a_catalogue_of_the_users_is_offered_too(write):
    assert App([write()]).formula("mine").name == "Mine"


@pytest.mark.parametrize("text", ["schema = 2\n", "schema =\n", "schema = 1\nfoo = 1\n", ""])
def test_a_catalogue_of_the_users_with_problems_stops(write, text):
    with pytest.raises(CatalogueError):
        _ = App([write(text=text)]).formulary


def test_a_catalogue_that_is_not_there_stops(tmp_path):
    with pytest.raises(CatalogueError) as refused:
        _ = App([tmp_path / "none.toml"]).formulary
    assert "cannot be read" in str(refused.value)


# ---- sessions ---------------------------------------------------------------------------------------------


def test_a_session_is_worked_out_and_what_nobody_checks_is_unchecked(unchecked_app):
    answer = unchecked_app.work_out(Session(vitamin_c()))
    assert show(answer.quantities.prepared) == "1 mL"
    assert answer.ready
    (finding,) = [finding for finding in answer.findings if finding.code == "not-checked"]
    assert finding.severity is Severity.UNCHECKED
    assert "permission to mix" in finding.message


@pytest.mark.parametrize("severity", Severity)
def test_checks_of_plugins_are_asked_and_decide_whether_it_is_ready(severity):
    app = app_with(blocked=("safety",), check_session=lambda: [Finding("ours", severity, "x", "said")])
    answer = app.work_out(Session(vitamin_c()))
    assert "ours" in [finding.code for finding in answer.findings]
    assert "not-checked" not in [finding.code for finding in answer.findings]
    assert answer.ready is (severity not in (Severity.BLOCK, Severity.OVERRIDE))


def test_findings_stand_the_heaviest_first():
    found = [Finding("ours", severity, "x", "said") for severity in reversed(Severity)]
    answer = app_with(check_session=lambda: found).work_out(Session(vitamin_c()))
    order = list(Severity)
    places = [order.index(finding.severity) for finding in answer.findings]
    assert places == sorted(places)


def test_an_impossible_wish_of_a_file_is_placed_in_it(app, write):
    text = mine().replace('volume = "1 mL"', 'dose = "1 mg"\nsubstance = "magnesium"')
    path = write(text=text)
    with pytest.raises(FormulaError) as refused:
        app.work_out(Session(app.formula(str(path))))
    (problem,) = refused.value.problems
    assert problem.path == str(path)
    assert problem.line in (8, 9, 10, 11)


def test_without_a_plugin_for_it_nothing_is_worked_out():
    with pytest.raises(PluginError) as refused:
        App(manager=empty_manager()).work_out(Session(vitamin_c()))
    assert refused.value.problem.code == "nobody"


# ---- plugins and sheets -----------------------------------------------------------------------------------


def test_what_plugins_offer_in_code_is_found_by_name(formulary):
    product = formulary.product("baxter/cernevit")
    zone = formulary.zone("face")
    manager = empty_manager()
    manager.register(plugin_of(products=lambda: [product], zones=lambda: [zone]), "ours")
    app = App(manager=manager)
    assert app.formulary.product("baxter/cernevit") is product
    assert app.formulary.zone("face") is zone
    assert app.problems == ()


def test_missing_plugins_are_named_with_their_state(monkeypatch):
    assert App().missing_plugins() == ()
    monkeypatch.setenv("MESOFORMULA_BLOCK_PLUGINS", "excel,quantities")
    assert App().missing_plugins() == ("plugin excel is blocked", "plugin quantities is blocked")


def test_a_plugin_that_fails_is_missing_too():
    def fail():
        raise RuntimeError("out of order")

    app = app_with(products=fail)
    assert app.formulary.has_product("baxter/cernevit")
    assert app.missing_plugins() == ("plugin ours has failed",)
    assert "out of order" in str(app.problems[0])


def test_strict_makes_a_problem_fatal(monkeypatch):
    monkeypatch.setenv("MESOFORMULA_BLOCK_PLUGINS", "nonsense")
    with pytest.raises(PluginError):
        _ = App(strict=True).manager
    assert App().problems


@pytest.mark.parametrize("name", ["stock.xlsx", "STOCK.XLSX"])
def test_the_suffix_chooses_the_format_in_any_case(app, name):
    assert app.exporter(Path(name)).suffix == ".xlsx"


@pytest.mark.parametrize("name", ["stock.doc", "stock"])
def test_a_format_that_nobody_writes_is_answered_with_those_that_are_written(app, name):
    with pytest.raises(UnknownNameError) as refused:
        app.exporter(Path(name))
    assert refused.value.nearest == (".csv", ".json", ".xlsx")


def test_without_any_exporter_the_plugins_are_to_blame(monkeypatch):
    monkeypatch.setenv("MESOFORMULA_BLOCK_PLUGINS", "excel,plain")
    with pytest.raises(PluginError, match="plugin excel is blocked; plugin plain is blocked"):
        App().exporter(Path("stock.xlsx"))


def test_an_export_replaces_a_file_on_request_only(tmp_path):
    written = []
    app = app_with(
        exporters=lambda: [Exporter(".txt", "text", lambda sheets, path: written.append((sheets, path)))]
    )
    path = tmp_path / "stock.txt"
    app.export((), path)
    path.touch()
    with pytest.raises(FileExistsError, match="is there already"):
        app.export((), path)
    app.export((), path, replace=True)
    assert written == [((), path), ((), path)]


def test_a_topic_that_nobody_knows_has_no_sheets(app):
    assert app.sheets(SheetRequest("weather", None)) == ()


@pytest.mark.parametrize("name", ["note.csv", "NOTE.TSV", "note.txt", "note.xlsx", "note.xls", "note.xlsm"])
def test_tables_are_read_by_the_suffix_in_any_case(app, name):
    assert app.importer(Path(name)).suffix == Path(name).suffix.lower()


def test_a_format_that_nobody_reads_is_answered_with_those_that_are_read(app):
    with pytest.raises(UnknownNameError) as refused:
        app.importer(Path("note.pdf"))
    assert refused.value.nearest == (".csv", ".tsv", ".txt", ".xls", ".xlsm", ".xlsx")


def test_tables_of_the_core_and_of_plugins_are_read(tmp_path):
    path = tmp_path / "note.csv"
    path.write_text("a;b\n", encoding="utf-8")
    grid = Grid("one", (), "note.ods")
    app = app_with(importers=lambda: [Importer(".ods", "OpenDocument", lambda path: [grid])])
    assert app.read_grids(path)[0].title == "note.csv"
    assert app.read_grids(tmp_path / "note.ods") == (grid,)


def test_a_table_that_is_wrong_is_the_files_fault_and_not_the_plugins(app, tmp_path):
    for name in ("note.csv", "note.xlsx", "note.xls"):
        (tmp_path / name).write_bytes(b"\0")
        with pytest.raises(GridError):
            app.read_grids(tmp_path / name)


def fail_to_read(path):
    raise KeyError("boom")


@pytest.mark.parametrize("read", [fail_to_read, lambda path: ["no grid"], lambda path: None])
def test_an_importer_that_fails_is_named_with_its_plugin(read):
    app = app_with(importers=lambda: [Importer(".ods", "OpenDocument", read)])
    with pytest.raises(PluginResultError) as refused:
        app.read_grids(Path("note.ods"))
    assert refused.value.problem.code == "import"
    assert "ours" in refused.value.problem.plugin
