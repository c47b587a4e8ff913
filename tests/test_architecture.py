"""The order of the house: who may import whom, and what must stay cheap."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CORE = ROOT / "mesoformula"
PLUGINS = ROOT / "plugins"

#: Modules of the core, bottom to top: a module imports only what stands above it in this list. Names on one
#: line do not import each other.
ORDER = [
    ["errors"],
    ["words", "fields", "definitions", "clock", "calendars"],
    ["languages"],
    ["sources", "elements", "grammar"],
    ["units"],
    ["ingredients"],
    ["contents"],
    ["products"],
    ["formulas", "findings"],
    ["treatments", "keeping", "rules", "overriding"],
    ["sessions", "conversions", "recipes", "search", "courses"],
    ["course_plans"],
    ["stock.records"],
    ["preparations"],
    ["sheets.expressions"],
    ["sheets.tables"],
    ["sheets.blocks"],
    ["sheets.exports", "sheets.known_grids"],
    ["grids"],
    ["catalogue.lines", "catalogue.index", "catalogue.places", "catalogue.toml_text"],
    ["catalogue.cache"],
    ["catalogue.files", "catalogue.figures"],
    ["catalogue.wording"],
    ["catalogue.reading"],
    ["catalogue.checks", "catalogue.filling", "settings"],
    ["hookspecs", "formulary"],
    ["hook_reference"],
    [
        "catalogue.references",
        "catalogue.plausibility",
        "catalogue.outliers",
        "presentation",
        "encoding",
        "lookup",
        "holdings",
    ],
    ["catalogue.checking", "patients"],
    ["catalogue.jsonschema", "provenance", "contract_version"],
    ["contract", "watching"],
    ["account"],
    ["loading", "stock.picks.policies"],
    ["calling"],
    ["handing"],
    ["plugins"],
    ["offering"],
    [
        "stock.figures",
        "stock.lots.assays",
        "stock.ledger.chain",
        "stock.opened.beyond_use",
        "stock.ledger.moments",
    ],
    ["stock.ledger.costs"],
    ["stock.arrivals.element_strings"],
    ["stock.arrivals.symbologies"],
    ["stock.arrivals.scanned"],
    ["stock.arrivals.note_headings"],
    ["stock.arrivals.note_values", "catalogue.starting", "catalogue.columns", "catalogue.differing"],
    ["catalogue.cells", "plugin_starting"],
    ["catalogue.import_cells"],
    ["catalogue.import_rows"],
    ["catalogue.importing"],
    ["stock.arrivals.note_lines", "stock.arrivals.note_products"],
    ["stock.arrivals.note_figures"],
    ["stock.ledger.tally", "stock.ledger.orders"],
    ["stock.arrivals.delivery_notes"],
    ["stock.arrivals.note_requests"],
    ["stock.database.schema", "stock.database.statements"],
    ["stock.database.guards"],
    ["stock.database.making", "stock.database.places"],
    ["stock.database.sqlite_file", "stock.database.postgres"],
    ["stock.database.revisions.env"],
    ["stock.database.revisions.versions.revision_0001", "stock.database.revisions.versions.revision_0002"],
    ["stock.database.copying"],
    ["stock.database.upgrading"],
    ["stock.database.store"],
    ["stock.database.backup"],
    ["stock.ledger.appending"],
    ["stock.views.lineage", "stock.ledger.replaying", "stock.ledger.requests", "stock.views.reading_queries"],
    ["stock.views.reading"],
    [
        "stock.views.history",
        "stock.lots.finding",
        "stock.lots.judging",
        "stock.ledger.verifying",
        "stock.picks.availability",
    ],
    [
        "stock.ledger.posting",
        "stock.lots.lots",
        "stock.lots.fact_values",
        "stock.counts.count_sheets",
        "stock.counts.count_figures",
    ],
    ["stock.counts.count_headings"],
    ["stock.counts.count_files", "stock.lots.excursions", "stock.lots.held", "stock.lots.fact_changes"],
    ["stock.counts.count_imports"],
    ["stock.arrivals.gtins"],
    [
        "stock.arrivals.receiving",
        "stock.lots.facts",
        "stock.lots.holding",
        "stock.lots.levels",
        "stock.counts.counting",
    ],
    ["stock.moves.reversing", "stock.opened.packs", "stock.opened.serving", "stock.opened.terms"],
    ["stock.opened.taking"],
    ["stock.opened.openings"],
    ["stock.opened.mixing"],
    ["stock.picks.reservations", "stock.picks.shortage"],
    ["stock.picks.choosing", "stock.demand.bookings"],
    ["stock.picks.picking", "stock.demand.booking", "stock.demand.rehearsing"],
    ["stock.demand.forecasting"],
    ["stock.opened.using", "stock.opened.implants", "stock.moves.moving"],
    ["stock.moves.moving_opened"],
    ["stock.views.traces", "stock.views.trace_queries"],
    ["stock.views.tracing", "stock.views.past", "stock.ledger.erasing"],
    ["stock.views.worth", "stock.views.past_doses", "stock.views.periods"],
    ["lot_findings"],
    ["preparing"],
    ["app"],
    ["cli"],
]
LEVEL = {name: level for level, names in enumerate(ORDER) for name in names}


#: What plugins may import beside the package itself, as its documentation says.
PUBLIC = {
    "mesoformula.fields",
    "mesoformula.grids",
    "mesoformula.languages",
    "mesoformula.preparations",
    "mesoformula.rules",
    "mesoformula.sheets",
    "mesoformula.presentation",
    "mesoformula.stock.figures",
    "mesoformula.stock.records",
}


def core_modules() -> list[Path]:
    return sorted(path for path in CORE.rglob("*.py") if path.name != "__init__.py")


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(CORE).with_suffix("").parts)


def level_of(name: str) -> int | None:
    if name.startswith("cli"):
        return LEVEL["cli"]
    return LEVEL.get(name)


def imported(path: Path, *, deferred: bool) -> set[str]:
    """Names of modules that a file imports at run time; those inside functions only if asked for."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            return
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not deferred:
            return
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(tree)
    return found


def test_every_module_of_the_core_has_its_place() -> None:
    names = {name_of(path) for path in core_modules()}
    missing = {name for name in names if level_of(name) is None and not name.startswith("testing")}

    assert missing == set()
    assert {name for name in LEVEL if name != "cli"} <= names


@pytest.mark.parametrize("path", core_modules(), ids=name_of)
def test_a_module_imports_only_what_stands_above_it(path: Path) -> None:
    own = level_of(name_of(path))
    upward = {
        name
        for module in imported(path, deferred=False)
        if module.startswith("mesoformula.")
        and (level := level_of(name := module.removeprefix("mesoformula."))) is not None
        and own is not None
        and level >= own
        and not (name.startswith("cli") and name_of(path).startswith("cli"))
    }

    assert upward == set()


@pytest.mark.parametrize("path", core_modules(), ids=name_of)
def test_the_core_knows_no_workbook_and_no_plugin(path: Path) -> None:
    modules = imported(path, deferred=True)

    assert not {name for name in modules if name.split(".")[0] in ("openpyxl", "lxml")}
    assert not {name for name in modules if name.startswith("mesoformula_")}


def plugin_modules() -> list[Path]:
    return sorted(PLUGINS.rglob("*.py"))


@pytest.mark.parametrize("path", plugin_modules(), ids=lambda path: str(path.relative_to(PLUGINS)))
def test_a_first_party_plugin_imports_the_public_package_and_no_other_plugin(path: Path) -> None:
    own = path.relative_to(PLUGINS).parts[0]
    modules = {name for name in imported(path, deferred=True) if name.startswith("mesoformula")}

    assert not {name for name in modules if name.startswith("mesoformula_") and name.split(".")[0] != own}
    core = {f"mesoformula.{name}" for name in LEVEL}
    private = {name for name in modules if name in core and name not in PUBLIC}
    assert private == set()


@pytest.mark.parametrize("path", plugin_modules(), ids=lambda path: str(path.relative_to(PLUGINS)))
def test_only_the_excel_plugin_imports_openpyxl(path: Path) -> None:
    if path.relative_to(PLUGINS).parts[0] == "mesoformula_excel":
        return

    assert not {name for name in imported(path, deferred=True) if name.split(".")[0] == "openpyxl"}


def loaded_by(code: str) -> set[str]:
    """Modules in memory after running code in a fresh interpreter."""
    script = f"{code}\nimport sys; print('\\n'.join(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in done.stdout.split()}


HEAVY = {"pint", "openpyxl", "sqlalchemy", "lxml"}


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert not loaded_by("import mesoformula") & {*HEAVY, "pluggy", "attrs", "click"}


def test_the_version_option_loads_only_the_command_line_library() -> None:
    code = "from mesoformula.cli import run; run(['--version'])"

    assert not loaded_by(code) & {*HEAVY, "pluggy", "attrs"}


def test_working_out_a_session_loads_neither_workbook_nor_database() -> None:
    code = (
        "from mesoformula.cli import run; assert run(['session', 'teaching-nctf-vitamin-c', '--json']) == 1"
    )

    assert not loaded_by(code) & {"openpyxl", "sqlalchemy", "lxml"}


def test_no_module_is_longer_than_can_be_read() -> None:
    long = {
        str(path.relative_to(ROOT)): length
        for path in (*core_modules(), *plugin_modules())
        if (length := len(path.read_text(encoding="utf-8").splitlines())) > 600
    }

    assert long == {}


def test_nothing_is_evaluated_or_unpickled() -> None:
    forbidden = {"eval", "exec", "compile", "__import__"}
    for path in (*core_modules(), *plugin_modules()):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        calls = {
            node.func.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not calls & forbidden, path
        assert not imported(path, deferred=True) & {"pickle", "marshal", "shelve"}, path
