"""Fixtures that every test may use."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from importlib.resources import files
from itertools import count
from pathlib import Path
from textwrap import dedent
from typing import Any

import attrs
import pytest
from hypothesis import settings

from mesoformula.catalogue.cache import cache_folder
from mesoformula.errors import Problem
from mesoformula.formulary import Formulary

# A slow machine is no failure: no test here asserts on time.
settings.register_profile("mesoformula", deadline=None, max_examples=100, print_blob=True)
settings.load_profile("mesoformula")

_XDG = ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")


@attrs.frozen
class Made:
    """A formulary made from a text, and everything that is wrong with that text."""

    formulary: Formulary
    problems: tuple[Problem, ...]

    @property
    def found(self) -> list[tuple[int | None, str]]:
        """Line and code of every problem, in order."""
        return sorted(((problem.line, problem.code) for problem in self.problems), key=str)


@pytest.fixture(scope="session", autouse=True)
def _nothing_of_the_users(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the whole run out of the user's settings, stock and cache."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("MESOFORMULA_")]:
            patch.delenv(name)
        for name in _XDG:
            patch.setenv(name, str(home / name.lower()))
        cache_folder.cache_clear()
        yield
    cache_folder.cache_clear()


_numbers = count()


@pytest.fixture(autouse=True)
def _nothing_of_other_tests(
    _nothing_of_the_users: None, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Give each test a data folder of its own; the cache is by content, and may be shared."""
    folder = tmp_path_factory.getbasetemp() / f"data-{next(_numbers)}"
    monkeypatch.setenv("XDG_DATA_HOME", str(folder))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder))
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))


@pytest.fixture(scope="session")
def formulary(_nothing_of_the_users: None) -> Formulary:
    """The bundled catalogues, all of them."""
    formulary = Formulary()
    formulary.add_catalogue(files("mesoformula_catalogues"))
    return formulary


@pytest.fixture
def make_catalogue(tmp_path: Path) -> Callable[..., Made]:
    """Make a formulary from the text of a catalogue, and check it."""

    def make(*texts: str) -> Made:
        formulary = Formulary()
        for number, text in enumerate(texts, start=1):
            path = tmp_path / f"made-{number}.toml"
            path.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
            formulary.add_catalogue(path)
        return Made(formulary, formulary.check())

    return make


@cache
def _tables() -> tuple[dict[str, Any], ...]:
    """Read the bundled files with the standard library alone, to know what must be found in them."""
    root = files("mesoformula_catalogues")
    paths = [path for folder in ("substances", "products") for path in root.joinpath(folder).iterdir()]
    return tuple(
        tomllib.loads(path.read_text(encoding="utf-8"))
        for path in sorted(paths, key=lambda path: path.name)
        if path.name.endswith(".toml")
    )


def _product_ids() -> list[str]:
    return [
        f"{table['vendor']['id']}/{product['sku']}@{product.get('revision', 1)}"
        for table in _tables()
        for product in table.get("product", [])
    ]


def _equivalents() -> list[tuple[str, int, int]]:
    """Product, number of its composition entry, number of the entry's equivalence."""
    found = []
    for table in _tables():
        for product in table.get("product", []):
            name = f"{table['vendor']['id']}/{product['sku']}@{product.get('revision', 1)}"
            entries = [entry for part in product["part"] for entry in part.get("composition", [])]
            entries += product.get("composition", [])
            for number, entry in enumerate(entries):
                found += [(name, number, place) for place in range(len(entry.get("equivalents", [])))]
    return found


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test once for every bundled product, substance or label equivalence that its argument names."""
    wanted: dict[str, Callable[[], list[Any]]] = {
        "product_id": _product_ids,
        "substance_id": lambda: [
            substance["id"] for table in _tables() for substance in table.get("substance", [])
        ],
        "equivalence": _equivalents,
    }
    for name, found in wanted.items():
        if name in metafunc.fixturenames:
            values = found()
            metafunc.parametrize(
                name, values, ids=["-".join(map(str, v)) if isinstance(v, tuple) else v for v in values]
            )
