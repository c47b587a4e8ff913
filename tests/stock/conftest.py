"""A stock in a temporary folder, and products made by hand."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from mesoformula import parse_strength, quantity
from mesoformula.contents import Content
from mesoformula.ingredients import Vitamin
from mesoformula.products import ContainerKind, Form, Part, Product, Vendor
from mesoformula.sources import Source, SourceKind
from mesoformula.stock.database.store import Store, open_stock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the stock will be."""
    return tmp_path / "stock.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    """A stock that does not exist yet."""
    with open_stock(path) as opened:
        yield opened


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def place(request: pytest.FixtureRequest, path: Path) -> str:
    """Where a stock will be, on either database."""
    return str(path) if request.param == "sqlite" else str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def any_store(place: str) -> Iterator[Store]:
    """A stock that does not exist yet, on either database."""
    with open_stock(place) as opened:
        yield opened


@pytest.fixture
def connect_raw(place: str) -> Callable[[], Any]:
    """Opens the database of `place` as a program would that knows nothing of ours."""

    def connect() -> Any:
        if "://" not in place:
            return sqlite3.connect(place, isolation_level=None)
        import psycopg

        return psycopg.connect(place, autocommit=True)

    return connect


@pytest.fixture
def make_product() -> Callable[..., Product]:
    """Makes a product with vitamin C in it; keyword arguments replace what it says."""

    def make(sku: str = "c-500", **changes: object) -> Product:
        facts: dict[str, object] = {
            "vendor": Vendor("acme", "Acme Laboratories"),
            "sku": sku,
            "name": "Vitamin C 500 mg/5 mL",
            "parts": (
                Part(
                    ContainerKind.AMPOULE,
                    Form.SOLUTION,
                    volume=quantity("5", "mL"),
                    composition=(
                        Content(
                            substance="sodium-ascorbate",
                            strength=parse_strength("500 mg/5 mL"),
                            attributes=Vitamin("C"),
                        ),
                    ),
                ),
            ),
            "sources": (Source(SourceKind.IFU, "leaflet", date(2025, 1, 31)),),
        }
        return Product(**{**facts, **changes})  # type: ignore[arg-type]

    return make
