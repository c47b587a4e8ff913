"""Among two hundred plugins one that is broken, in whatever way, changes nothing for the rest."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint, distributions
from pathlib import Path
from textwrap import dedent

import pytest

from mesoformula.plugins import PluginManager, State, load_plugins
from mesoformula.products import Product, Vendor

PLUGINS = 200

GOOD = """
    from mesoformula import Problem, hookimpl

    @hookimpl
    def mesoformula_zones():
        from mesoformula import Zone

        return [Zone("zone-{number}", "zone {number}", ())]

    @hookimpl
    def mesoformula_check_product(product):
        yield Problem("many-{number}", product.id)
    """

#: What may be wrong with one of them, and the state that it is in then.
BROKEN = {
    "cannot be imported": ("raise RuntimeError('out of order')", State.FAILED),
    "is no Python": ("def broken(:", State.FAILED),
    "ends the program": ("raise SystemExit(1)", State.FAILED),
    "misspells a hook": (
        "from mesoformula import hookimpl\n@hookimpl\ndef mesoformula_zonse(): return []",
        State.FAILED,
    ),
    "forgets the decorator": ("def mesoformula_zones(): return []", State.FAILED),
    "raises in a hook": (
        "from mesoformula import hookimpl\n@hookimpl\ndef mesoformula_zones(): raise KeyError('x')",
        State.FAILED,
    ),
    "never stops": (
        "from mesoformula import hookimpl\n@hookimpl\ndef mesoformula_zones():\n while True: yield 1",
        State.FAILED,
    ),
    "answers with text": (
        "from mesoformula import hookimpl\n@hookimpl\ndef mesoformula_zones(): return 'face'",
        State.FAILED,
    ),
    "is of the future": (
        "from mesoformula import hookimpl\nmesoformula_contract = '9.0'\n"
        "@hookimpl\ndef mesoformula_zones(): raise KeyError('x')",
        State.INCOMPATIBLE,
    ),
    "takes the names of the core": (
        "import click\nfrom mesoformula import hookimpl\n"
        "@hookimpl\ndef mesoformula_commands(): return [click.Command('demo')]",
        State.CONFLICT,
    ),
}


def distribution(folder: Path, number: int, code: str) -> None:
    name = f"fake_many_{number}"
    information = folder / f"{name}-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(f"[mesoformula]\nmany-{number} = {name}\n")
    (folder / f"{name}.py").write_text(dedent(code).format(number=number))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[EntryPoint]]:
    folder = tmp_path_factory.mktemp("many")
    for number in range(PLUGINS):
        distribution(folder, number, GOOD)
    sys.path.insert(0, str(folder))
    yield points_in(folder)
    sys.path.remove(str(folder))
    forget(f"fake_many_{number}" for number in range(PLUGINS))


def points_in(folder: Path) -> list[EntryPoint]:
    return [point for one in distributions(path=[str(folder)]) for point in one.entry_points]


def forget(names: Iterator[str]) -> None:
    for name in names:
        sys.modules.pop(name, None)


def heard(manager: PluginManager) -> tuple[list[str], list[str]]:
    product = Product(Vendor("acme", "Acme"), "x", "X", (), ())
    return (
        [one.value.id for one in manager.zones()],
        sorted(problem.code for problem in manager.check_product(product)),
    )


@pytest.mark.parametrize(("code", "state"), BROKEN.values(), ids=BROKEN)
def test_one_broken_plugin_among_many_changes_nothing_for_the_rest(
    installed: list[EntryPoint],
    code: str,
    state: State,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alone = load_plugins(blocked=[], entry_points=installed)
    distribution(tmp_path, PLUGINS, code)
    monkeypatch.syspath_prepend(tmp_path)
    together = load_plugins(blocked=[], entry_points=[*points_in(tmp_path), *installed])
    together.commands(["demo"])

    assert heard(together) == heard(alone)
    assert len(heard(alone)[0]) == PLUGINS
    states = {status.name: status.state for status in together.report()}
    assert states.pop(f"many-{PLUGINS}") is state
    assert set(states.values()) == {State.ACTIVE}
    assert len(together.problems) == 1
    assert f"many-{PLUGINS} (fake_many_{PLUGINS} 1.0)" in str(together.problems[0])
    forget(iter([f"fake_many_{PLUGINS}"]))
