"""Stock made by hand, for the tests of sheets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from mesoformula import Content, Form, Part, Product, Source, SourceKind, Vendor, parse_quantity
from mesoformula.products import ContainerKind, Method, Reconstitution, Storage
from mesoformula.stock.records import Anchor, OnHand, StockView

TODAY = date(2026, 5, 4)


def part_of(
    size: str | None = "5 mL",
    form: Form = Form.SOLUTION,
    container: ContainerKind = ContainerKind.VIAL,
    makes: str | None = None,
    **more: Any,
) -> Part:
    dimension = "mass" if size is not None and size.endswith("g") else "volume"
    if size is not None:
        more[dimension] = parse_quantity(size, dimension)
    if makes is not None:
        more["reconstitution"] = Reconstitution(parse_quantity(makes, "volume"), Method.MAKE_UP_TO)
    return Part(container, form, **more)


def _storage(low: str | None, high: str | None, light: bool | None = None) -> Storage:
    ends = (parse_quantity(end, "temperature") if end is not None else None for end in (low, high))
    return Storage(*ends, protect_from_light=light)


def product_of(
    name: str = "Fictional Solution",
    parts: tuple[Part, ...] | None = None,
    vendor: str = "Fictional Laboratories",
    classes: tuple[str, ...] = (),
    **more: Any,
) -> Product:
    """Make a product with as little as the test cares about."""
    first, *rest = parts or (part_of(),)
    composition = tuple(Content(ingredient_class=name, undisclosed=True) for name in classes)
    return Product(
        Vendor("fictional", vendor),
        "sku",
        name,
        (first, *rest),
        (Source(SourceKind.IFU, "made up for a test", TODAY),),
        composition=composition,
        **more,
    )


def lot_of(product: Product | None = None, days: int | None = 400, **more: Any) -> OnHand:
    """Put a lot on the shelf that expires in so many days."""
    given: dict[str, Any] = {
        "lot": "L-1",
        "location": "main",
        "containers": 1,
        "expiry": TODAY + timedelta(days) if days is not None else None,
        "received_at": datetime(2026, 4, 1, 9, 30, tzinfo=UTC),
    }
    return OnHand(product or product_of(), **{**given, **more})


def view_of(*on_hand: OnHand, as_of: date = TODAY) -> StockView:
    """Look at a stock."""
    anchor = Anchor(len(on_hand), "0123456789abcdef" * 4) if on_hand else None
    made_at = datetime(2026, 5, 4, 7, 15, 30, tzinfo=UTC)
    return StockView(on_hand, as_of, made_at, "/home/pharmacy/stock.sqlite", anchor)


def filled_shelf() -> StockView:
    """Fill a shelf as a pharmacy has it: twelve lots of different kinds, fictional all of them."""
    every_class = (
        "hyaluronic_acid",
        "vitamin",
        "amino_acid",
        "mineral",
        "coenzyme",
        "nucleic_acid",
    )
    fridge, room = _storage("2 °C", "8 °C", True), _storage(None, "25 °C")
    poly = product_of(
        "Polyrevital 135 HA", (part_of("3 mL"),), "Laboratoires Fictifs", every_class, storage=room
    )
    powder = product_of(
        "Hydrosoluvit N powder for solution",
        (part_of("500 mg", Form.POWDER, makes="10 mL"),),
        "Fictional Kabi",
        ("vitamin",),
        storage=fridge,
    )
    kit = product_of(
        "Aminojal HMW",
        (part_of("1.5 mL", name="gel"), part_of("1 mL", name="amino-acids")),
        "Professional Fiction",
        ("hyaluronic_acid", "amino_acid"),
    )
    gel = product_of(
        "Restyvital Skinbooster with lidocaine",
        (part_of("1 mL", Form.GEL, ContainerKind.SYRINGE),),
        "Galfiction",
        ("hyaluronic_acid",),
        storage=_storage(None, "25 °C", True),
    )
    salt = product_of(
        "Magnesium sulfate 50 %",
        (part_of("2 mL", container=ContainerKind.AMPOULE),),
        "Fictional Hospital Supplies Ltd",
        ("mineral",),
        storage=room,
    )
    unknown = product_of(
        "Biotonic complex",
        (part_of(None, Form.POWDER, makes="4 mL"),),
        "Fictional Biotech",
        ("growth_factor",),
    )
    bottle = product_of(
        "Carnitine bulk solution",
        (part_of("100 mL", container=ContainerKind.BOTTLE),),
        "Fictional Hospital Supplies Ltd",
        ("amino_acid",),
        revision=3,
        storage=fridge,
    )
    return view_of(
        lot_of(poly, -20, lot="N24117", containers=2, unit_cost=4150, currency="EUR"),
        lot_of(poly, 33, lot="N25031", containers=15, unit_cost=4150, currency="EUR"),
        lot_of(poly, 310, lot="N25090", containers=20, unit_cost=4290, currency="EUR"),
        lot_of(powder, 0, lot="16ABX", location="fridge 1", containers=8, unit_cost=615, currency="EUR"),
        lot_of(powder, 1, lot="17ABX", location="fridge 1", containers=10, unit_cost=615, currency="EUR"),
        lot_of(kit, 61, lot="2401E3", containers=4, unit_cost=9900, currency="EUR"),
        lot_of(kit, 480, lot="2502E1", location="treatment room 2", containers=6),
        lot_of(gel, 60, lot="21384-1", containers=3, unit_cost=11250, currency="EUR"),
        lot_of(salt, 700, lot="0012345", containers=50, unit_cost=89, currency="EUR"),
        lot_of(salt, -1, lot="0011077", containers=7, unit_cost=89, currency="EUR"),
        lot_of(unknown, None, lot="BT/07", location="fridge 2", containers=5),
        lot_of(bottle, 95, lot="CB-9", location="fridge 1", containers=1, unit_cost=2300, currency="EUR"),
    )


@pytest.fixture
def today() -> date:
    return TODAY


@pytest.fixture
def make_product() -> Callable[..., Product]:
    return product_of


@pytest.fixture
def make_part() -> Callable[..., Part]:
    return part_of


@pytest.fixture
def make_lot() -> Callable[..., OnHand]:
    return lot_of


@pytest.fixture
def make_view() -> Callable[..., StockView]:
    return view_of


@pytest.fixture
def shelf() -> StockView:
    return filled_shelf()
