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
MakeStock = Callable[..., StockView]


def _part(
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


def make_product(
    name: str = "Fictional Solution",
    parts: tuple[Part, ...] | None = None,
    vendor: str = "Fictional Laboratories",
    classes: tuple[str, ...] = (),
    **more: Any,
) -> Product:
    """Make a product with as little as the test cares about."""
    first, *rest = parts or (_part(),)
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


def make_on_hand(product: Product | None = None, days: int | None = 400, **more: Any) -> OnHand:
    """Put a lot on the shelf that expires in so many days."""
    given: dict[str, Any] = {
        "lot": "L-1",
        "location": "main",
        "containers": 1,
        "expiry": TODAY + timedelta(days) if days is not None else None,
        "received_at": datetime(2026, 4, 1, 9, 30, tzinfo=UTC),
    }
    return OnHand(product or make_product(), **{**given, **more})


def make_stock(*on_hand: OnHand, as_of: date = TODAY) -> StockView:
    """Look at a stock."""
    anchor = Anchor(len(on_hand), "0123456789abcdef" * 4) if on_hand else None
    made_at = datetime(2026, 5, 4, 7, 15, 30, tzinfo=UTC)
    return StockView(on_hand, as_of, made_at, "/home/pharmacy/stock.sqlite", anchor)


def make_shelf() -> StockView:
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
    poly = make_product(
        "Polyrevital 135 HA", (_part("3 mL"),), "Laboratoires Fictifs", every_class, storage=room
    )
    powder = make_product(
        "Hydrosoluvit N powder for solution",
        (_part("500 mg", Form.POWDER, makes="10 mL"),),
        "Fictional Kabi",
        ("vitamin",),
        storage=fridge,
    )
    kit = make_product(
        "Aminojal HMW",
        (_part("1.5 mL", name="gel"), _part("1 mL", name="amino-acids")),
        "Professional Fiction",
        ("hyaluronic_acid", "amino_acid"),
    )
    gel = make_product(
        "Restyvital Skinbooster with lidocaine",
        (_part("1 mL", Form.GEL, ContainerKind.SYRINGE),),
        "Galfiction",
        ("hyaluronic_acid",),
        storage=_storage(None, "25 °C", True),
    )
    salt = make_product(
        "Magnesium sulfate 50 %",
        (_part("2 mL", container=ContainerKind.AMPOULE),),
        "Fictional Hospital Supplies Ltd",
        ("mineral",),
        storage=room,
    )
    unknown = make_product(
        "Biotonic complex", (_part(None, Form.POWDER, makes="4 mL"),), "Fictional Biotech", ("growth_factor",)
    )
    bottle = make_product(
        "Carnitine bulk solution",
        (_part("100 mL", container=ContainerKind.BOTTLE),),
        "Fictional Hospital Supplies Ltd",
        ("amino_acid",),
        revision=3,
        storage=fridge,
    )
    return make_stock(
        make_on_hand(poly, -20, lot="N24117", containers=2, unit_cost=4150, currency="EUR"),
        make_on_hand(poly, 33, lot="N25031", containers=15, unit_cost=4150, currency="EUR"),
        make_on_hand(poly, 310, lot="N25090", containers=20, unit_cost=4290, currency="EUR"),
        make_on_hand(
            powder, 0, lot="16ABX", location="fridge 1", containers=8, unit_cost=615, currency="EUR"
        ),
        make_on_hand(
            powder, 1, lot="17ABX", location="fridge 1", containers=10, unit_cost=615, currency="EUR"
        ),
        make_on_hand(kit, 61, lot="2401E3", containers=4, unit_cost=9900, currency="EUR"),
        make_on_hand(kit, 480, lot="2502E1", location="treatment room 2", containers=6),
        make_on_hand(gel, 60, lot="21384-1", containers=3, unit_cost=11250, currency="EUR"),
        make_on_hand(salt, 700, lot="0012345", containers=50, unit_cost=89, currency="EUR"),
        make_on_hand(salt, -1, lot="0011077", containers=7, unit_cost=89, currency="EUR"),
        make_on_hand(unknown, None, lot="BT/07", location="fridge 2", containers=5),
        make_on_hand(
            bottle, 95, lot="CB-9", location="fridge 1", containers=1, unit_cost=2300, currency="EUR"
        ),
    )


@pytest.fixture
def today() -> date:
    return TODAY


@pytest.fixture
def product() -> Callable[..., Product]:
    return make_product


@pytest.fixture
def part() -> Callable[..., Part]:
    return _part


@pytest.fixture
def on_hand() -> Callable[..., OnHand]:
    return make_on_hand


@pytest.fixture
def stock() -> MakeStock:
    return make_stock


@pytest.fixture
def shelf() -> StockView:
    return make_shelf()
