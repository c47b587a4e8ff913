"""Every hook of contract 1.0, written as its reference said then. Never changed: it must keep working."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import attrs
import click

from mesoformula import (
    Column,
    Exporter,
    Finding,
    FormulaError,
    IngredientClass,
    Problem,
    Product,
    Row,
    SessionQuantities,
    Severity,
    Sheet,
    Source,
    SourceKind,
    Technique,
    Vendor,
    Zone,
    hookimpl,
    magnitude,
    quantity,
)

SOURCE = Source(SourceKind.IFU, "https://past.example/leaflet", date(2026, 1, 2))
VENDOR = Vendor("past", "Past")


@attrs.frozen
class Peptide:
    sequence: str | None = None


@hookimpl
def mesoformula_unit_definitions():
    return ["past_unit = [past_activity] = PASTU"]


@hookimpl
def mesoformula_ingredient_classes():
    return [IngredientClass("past_peptide", "peptide of the past", "signals", Peptide)]


@hookimpl
def mesoformula_catalogues():
    return [Path(__file__).parent / "catalogue"]


@hookimpl
def mesoformula_products():
    yield Product(VENDOR, "in-code", "Past, in code", (), (SOURCE,))


@hookimpl
def mesoformula_techniques():
    return [Technique("past-pattern", "pattern of the past", (), reason="unpublished")]


@hookimpl
def mesoformula_zones():
    return [Zone("past-zone", "zone of the past", (SOURCE,))]


@hookimpl
def mesoformula_sheets(request):
    if request.topic != "stock":
        return None
    columns = (Column("product", "Product"), Column("containers", "Containers"))
    rows = tuple(Row((one.product.id, one.containers)) for one in request.stock.on_hand)
    notes = (f"seen from {request.stock.as_of}", f"soon is {request.warn_days} days", *request.notes)
    return [Sheet("past", "Past", columns, rows, request.stock.as_of, request.facts, notes)]


@hookimpl(wrapper=True, specname="mesoformula_sheets")
def annotated(request):
    sheets = yield
    return [attrs.evolve(one, notes=(*one.notes, f"about {request.topic}")) for one in sheets]


def write_lines(sheets, path):
    path.write_text("\n".join(f"{one.title}: {len(one.rows)}" for one in sheets), encoding="utf-8")


@hookimpl
def mesoformula_exporters():
    return [Exporter(".past", "lines of the past", write_lines)]


@click.command("past")
def past():
    """Say something."""
    click.echo("past")


@hookimpl
def mesoformula_commands():
    return [past]


@hookimpl
def mesoformula_check_product(product):
    if product.vendor.id == "past":
        yield Problem("past-product", f"product {product.id}: of the past")


@hookimpl
def mesoformula_check_session(session, quantities, formulary):
    if magnitude(quantities.injected, "mL") > 1:
        known = len(formulary.names("product"))
        yield Finding("past-volume", Severity.WARN, session.formula.id, f"more than 1 mL; {known} products")


@hookimpl
def mesoformula_work_out_session(session, formulary):
    if session.formula.id != "past-formula":
        return None
    if session.volume is None:
        raise FormulaError([Problem("past-volume", "say the volume")])
    nothing = quantity(0, "mL")
    return SessionQuantities(
        session=session,
        lines=(),
        injected=session.volume,
        lost=nothing,
        prepared=session.volume,
        points=session.points,
        volume_per_point=None,
        syringes=None,
        doses=(),
    )
