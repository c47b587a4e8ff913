"""What plugins are tried with: sessions, products, a shelf, sheets, lots; fictional or bundled."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import attrs

from mesoformula.formulas import Formula, Line
from mesoformula.products import ContainerKind, Form, Part, Product, Vendor
from mesoformula.sessions import Session
from mesoformula.sources import Source, SourceKind
from mesoformula.units import quantity

if TYPE_CHECKING:
    from mesoformula.testing.subject import Subject

DAY = date(2026, 5, 4)
MOMENT = datetime(2026, 5, 4, 7, 15, 30, tzinfo=UTC)

#: Text as vendors, typists and villains write it: it must come through everything as text.
ODD_TEXTS = (
    '=HYPERLINK("http://example.invalid","click")',
    "+cmd|' /C calc'!A0",
    "@SUM(1+1)",
    "<b>&amp;</b>",
    "\x1b[31mred",
    "שלום ٣ 🧪 ³",
    "two\nlines",
    "x" * 9_000,
)

#: Of products and formulas that a plugin offers, so many are tried; of the bundled ones that too.
MOST = 12


# ---- sessions -------------------------------------------------------------------------------------------


def sessions_of(subject: Subject) -> tuple[Session, ...]:
    """
    Make sessions of the formulas and products that a plugin and the core offer.

    Args:
        subject: The plugin.

    Returns:
        Sessions by volume, by points and by area, the plugin's own formulas and products first.
    """
    formulary = subject.formulary
    formulas = [
        Formula(
            f"kit-{one.vendor.id}-{one.sku}", one.name, (Line(one.pinned_id, containers=1),), teaching=True
        )
        for one in own_products(subject)[:MOST]
    ]
    own = {one.id for one in _own_formulas(subject)}
    bundled = [one for one in formulary.formulas() if one.id not in own]
    formulas += [*_own_formulas(subject)[:MOST], *bundled]
    found = [
        session
        for formula in formulas
        for session in (Session(formula, on=DAY), Session(formula, volume=quantity(3, "mL"), on=DAY))
    ]
    syringes, needles = formulary.syringes(), formulary.needles()
    zones, techniques = formulary.zones(), formulary.techniques()
    for formula in formulas[:2]:
        by_points = Session(
            formula,
            points=40,
            volume_per_point=quantity("0.05", "mL"),
            on=DAY,
            zone=zones[0] if zones else None,
        )
        if syringes and needles:
            by_points = attrs.evolve(by_points, syringe=syringes[0], needle=needles[0])
        by_area = Session(
            formula,
            area=quantity(100, "cm²"),
            points_per_area=quantity(1, "point/cm²"),
            volume_per_point=quantity("0.02", "mL"),
            technique=techniques[0] if techniques else None,
            on=DAY,
        )
        found += [by_points, by_area]
    return tuple(found)


def _own_formulas(subject: Subject) -> tuple[Formula, ...]:
    formulary = subject.formulary
    own = {
        name
        for name, entry in formulary.entries("formula").items()
        if entry.plugin is not None and entry.plugin == str(subject.info)
    }
    return tuple(one for one in formulary.formulas() if one.id in own)


def own_products(subject: Subject) -> tuple[Product, ...]:
    """
    List the products that a plugin offers, in catalogues or in code.

    Args:
        subject: The plugin.

    Returns:
        Those that could be read.
    """
    entries = subject.formulary.entries("product")
    return tuple(
        product
        for product in subject.formulary.products()
        if entries[product.pinned_id].plugin == str(subject.info)
    )


def patients_of(subject: Subject) -> tuple[dict[str, Any], ...]:
    """
    Make up patients and places for checks.

    Args:
        subject: The plugin.

    Returns:
        What to change in a session.
    """
    conditions = tuple(one.id for one in subject.formulary.conditions())
    allergies = tuple(one.id for one in subject.formulary.allergens())
    return (
        {},
        {"region": "FR", "conditions": conditions[:1], "allergies": allergies[:1], "age": 17, "past": ()},
        {"region": "US", "conditions": conditions, "allergies": allergies, "age": 80},
    )


# ---- products -------------------------------------------------------------------------------------------


def fictional_product(name: str = "Fictional", **changes: Any) -> Product:
    """
    Make a product of which next to nothing is known.

    Args:
        name: Of the product.
        changes: What is known after all.

    Returns:
        The product.
    """
    given: dict[str, Any] = {
        "vendor": Vendor("kit-fictional", "Fictional Laboratories"),
        "sku": "fictional",
        "name": name,
        "parts": (Part(ContainerKind.VIAL, Form.SOLUTION, volume=quantity(5, "mL")),),
        "sources": (Source(SourceKind.IFU, "made up to try plugins", DAY),),
    }
    return Product(**{**given, **changes})


def products_of(subject: Subject) -> tuple[Product, ...]:
    """
    List products to have checked.

    Args:
        subject: The plugin.

    Returns:
        The examples given, or its own and some bundled ones.
    """
    own = own_products(subject)[:MOST]
    return subject.example_products or (*own, *subject.formulary.products()[:MOST], fictional_product())
