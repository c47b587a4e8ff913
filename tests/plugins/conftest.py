"""Stock made by hand, for the tests of sheets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from importlib.resources import files
from typing import Any

import attrs
import pytest

import mesoformula_safety
from mesoformula import (
    Auxiliary,
    Content,
    Doses,
    Finding,
    Form,
    Formula,
    Formulary,
    Line,
    Part,
    Permission,
    Product,
    ProductKind,
    Route,
    Session,
    SessionQuantities,
    Source,
    SourceKind,
    Vendor,
    magnitude,
    parse_quantity,
    parse_strength,
    quantity,
)
from mesoformula.contents import Stated
from mesoformula.products import ContainerKind, Method, Reconstitution, Storage
from mesoformula.stock.records import Anchor, OnHand, StockView
from mesoformula_quantities.answer import work_out

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


# ---- safety -----------------------------------------------------------------------------------------------


class Bench:
    """The bundled rules and substances, products made to order, and what is said of sessions with them."""

    DAY = date(2026, 11, 23)

    def __init__(self, bundled: Formulary) -> None:
        self._bundled = bundled
        self.formulary = Formulary()
        for path in sorted(files("mesoformula_catalogues").iterdir(), key=lambda path: path.name):
            if path.name.endswith(".toml") or path.name in ("substances", "rules"):
                self.formulary.add_catalogue(path)

    def bundled(self, name: str, **changes: Any) -> Product:
        """Take a bundled product; what no source says of its volume is made up, so that it can be drawn."""
        product = self._bundled.product(name)
        part = product.parts[0]
        volume = part.usable_volume or quantity(10, "mL")
        drawable = attrs.evolve(
            part, volume=volume, form=Form.SOLUTION, reconstitution=None, mass=None, name=None
        )
        return attrs.evolve(product, **({"parts": (drawable,)} | changes))

    def made(self, *contents: str, **given: Any) -> Product:
        """
        Make a product of which everything is known, such as `made("ascorbic-acid 100 mg/mL")`.

        An amount may be left out, or be `10 or 20 mg/mL` where sources disagree; `class:vitamin` names only
        the class. What is given beside is of the product, or of its only part.
        """
        read = [self._content(text) for text in contents]
        auxiliaries = tuple(map(Auxiliary, given.pop("auxiliaries", ("water-for-injections",))))
        of_part = {key: given.pop(key) for key in ("container", "ph", "osmolality") if key in given}
        part = attrs.evolve(
            Part(ContainerKind.SYRINGE, Form.SOLUTION, volume=quantity(100, "mL"), ph="6.5"),
            composition=tuple(read),
            auxiliaries=auxiliaries,
            **of_part,
        )
        known: dict[str, Any] = {
            "kind": ProductKind.MEDICINE,
            "doses": Doses.SINGLE,
            "routes": (Route.INTRADERMAL,),
            "mixing": Permission.YES,
        }
        name = " ".join([*contents, *map(str, (given, of_part, auxiliaries))])
        sku = f"made-{sha256(name.encode()).hexdigest()[:12]}"
        vendor = Vendor("made", "Made")
        source = Source(SourceKind.IFU, "made up", self.DAY)
        return Product(vendor, sku, sku, (part,), (source,), **(known | given))

    def _content(self, text: str) -> Content:
        name, _blank, amount = text.partition(" ")
        if name.startswith("class:"):
            return Content(ingredient_class=name.removeprefix("class:"), undisclosed=True)
        if not amount:
            return Content(substance=name, undisclosed=True)
        if " or " in amount:
            low, _or, high = amount.partition(" or ")
            unit = high.partition(" ")[2]
            disputed = (Stated(parse_strength(f"{low} {unit}")), Stated(parse_strength(high)))
            return Content(substance=name, disputed=disputed)
        return Content(substance=name, strength=parse_strength(amount))

    def work_out(
        self, *products: Product | tuple[Product, str], **asked: Any
    ) -> tuple[Session, SessionQuantities]:
        """Work out a session of products, 1 mL of each unless it is said."""
        lines = []
        for one in products:
            product, volume = one if isinstance(one, tuple) else (one, "1 mL")
            if not self.formulary.has_product(product.pinned_id):
                self.formulary.add_record("product", product, "made up")
            assert self.formulary.product(product.pinned_id) == product
            lines.append(Line(product.pinned_id, volume=parse_quantity(volume)))
        if "points" in asked and "volume" not in asked:
            asked["volume"] = quantity(
                sum(magnitude(line.volume, "mL") for line in lines if line.volume), "mL"
            )
        for key in ("zone", "technique"):
            if isinstance(asked.get(key), str):
                asked[key] = getattr(self.formulary, key)(asked[key])
        session = Session(Formula("asked", "Asked", tuple(lines)), **({"on": self.DAY} | asked))
        return session, work_out(session, self.formulary)

    def check(self, *products: Product | tuple[Product, str], **asked: Any) -> tuple[Finding, ...]:
        """Work out a session, and let the safety plugin check it."""
        session, quantities = self.work_out(*products, **asked)
        return tuple(mesoformula_safety.mesoformula_check_session(session, quantities, self.formulary))


@pytest.fixture(scope="session")
def bench(formulary: Formulary) -> Bench:
    return Bench(formulary)


@pytest.fixture
def fresh_bench(formulary: Formulary) -> Callable[[], Bench]:
    """Make a bench of which nothing was read yet."""
    return lambda: Bench(formulary)
