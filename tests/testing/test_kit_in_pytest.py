"""The kit as a vendor meets it: fixtures that pytest finds by itself, and classes to inherit from."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mesoformula import Zone, hookimpl
from mesoformula.errors import PluginLoadError
from mesoformula.plugins import PluginManager
from mesoformula.stock.database.store import Store
from mesoformula.stock.ledger.verifying import verify

VENDOR = """
import pytest
import acme_lots
from mesoformula.testing import {classes}


class TestAcme({classes}):
    @pytest.fixture
    def plugin(self):
        return acme_lots
"""

PLUGIN = """
from mesoformula import Choice, LotPolicy, hookimpl

def choose(need, candidates):
    candidates.sort(key=lambda one: one.key)
    left = need.containers
    for one in candidates:
        if left and (not need.lots or one.lot in need.lots):
            taken = min(left, one.containers)
            left -= taken
            yield Choice(one.key, taken)

@hookimpl
def mesoformula_lot_policies():
    return [LotPolicy("acme", "by key", "takes them by key", choose)]
"""

PYTEST = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]

Run = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs pytest in a vendor's project, where nothing but mesoformula is installed."""

    def pytest_in(plugin: str, *classes: str, **files: str) -> str:
        (tmp_path / "acme_lots.py").write_text(plugin, encoding="utf-8")
        test = VENDOR.format(classes=", ".join(classes))
        (tmp_path / "test_acme.py").write_text(test, encoding="utf-8")
        done = subprocess.run(
            [*PYTEST, "-W", "error", "test_acme.py"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout + done.stderr

    return pytest_in


def test_a_failure_names_the_rule_the_hook_and_what_to_do(run: Run) -> None:
    said = run(PLUGIN, "PluginConformance", "LotPolicyConformance")

    assert "1 failed" in said
    assert "test_what_is_handed_in_stays_as_it_was" in said
    assert "What is handed in stays as it was." in said
    assert "[mutates] lot policy acme" in said
    assert "changed the list that it was handed; work on a copy, such as sorted()" in said
    assert "Traceback" not in said


def test_a_kind_that_is_not_tested_is_named(run: Run) -> None:
    said = run(PLUGIN.replace("candidates.sort", "sorted"), "PluginConformance")

    assert "let a test class also inherit from LotPolicyConformance" in said


def test_a_kind_that_the_plugin_is_not_is_named(run: Run) -> None:
    said = run(PLUGIN, "QuantitiesConformance")

    assert "quantities: implements none of mesoformula_work_out_session" in said
    assert "do not inherit from QuantitiesConformance" in said


def test_a_class_without_a_plugin_says_what_to_override(run: Run, tmp_path: Path) -> None:
    said = run(PLUGIN, "LotPolicyConformance")
    assert "passed" in said

    (tmp_path / "test_acme.py").write_text(
        "from mesoformula.testing import PluginConformance\n\n"
        "class TestNothing(PluginConformance):\n    pass\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [*PYTEST, "test_acme.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "TestNothing names no plugin: override the fixture `plugin`" in done.stdout


def test_pytest_starts_without_importing_anything_of_mesoformula_but_the_fixtures(tmp_path: Path) -> None:
    (tmp_path / "test_nothing.py").write_text("def test_nothing():\n    pass\n", encoding="utf-8")
    script = (
        "import pytest, sys\n"
        "code = pytest.main(['-q', '-p', 'no:cacheprovider', 'test_nothing.py'])\n"
        "print(sorted(name for name in sys.modules if name.startswith('mesoformula')), int(code))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines()[-1] == (
        "['mesoformula', 'mesoformula.testing', 'mesoformula.testing.pytest_plugin'] 0"
    )


def test_the_package_and_the_command_line_do_not_import_the_kit() -> None:
    script = (
        "import mesoformula, sys\nfrom mesoformula.cli import run\nrun(['plugin', 'check', '-h'])\n"
        "assert not [name for name in sys.modules if name.startswith('mesoformula.testing')]"
    )

    subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)


def test_the_rules_need_no_pytest() -> None:
    script = (
        "import sys\nsys.modules['pytest'] = None\n"
        "from mesoformula.testing import reports_of\n"
        "(report,) = reports_of('formulary')\nassert report.is_right, report\n"
    )

    subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)


def test_the_manager_knows_what_is_registered_and_looks_for_nothing(
    mesoformula_manager: PluginManager,
) -> None:
    module = ModuleType("made")

    @hookimpl
    def mesoformula_zones() -> list[Zone]:
        return [Zone("earlobe", "earlobe", ())]

    module.mesoformula_zones = mesoformula_zones  # type: ignore[attr-defined]
    mesoformula_manager.register(module)

    assert [one.value.id for one in mesoformula_manager.zones()] == ["earlobe"]
    with pytest.raises(PluginLoadError):
        mesoformula_manager.discover()


def test_a_catalogue_is_made_of_a_text_with_its_problems(
    make_catalogue: Callable[..., Any],
) -> None:
    made = make_catalogue(
        """
        schema = 1
        [[zone]]
        id = "earlobe"
        name = "earlobe"
        colour = "red"
        source = [{ kind = "PR", where = "made up", read = 2026-11-23 }]
        """
    )

    assert (5, "unknown-key") in made.found


def test_a_stock_is_empty_and_of_its_own(mesoformula_stock: Store) -> None:
    from mesoformula.stock.arrivals.receiving import receive
    from mesoformula.stock.records import Delivery
    from mesoformula.testing.examples import fictional_product

    assert verify(mesoformula_stock).movements == 0
    with mesoformula_stock.reading() as connection:
        assert connection is None
    delivery = Delivery(fictional_product(), "L-1", 3, date(2030, 1, 1))
    receive(mesoformula_stock, [delivery], actor="kit")

    assert verify(mesoformula_stock).movements == 1
