"""What contract 1.1 added, written as its reference said then. Never changed: it must keep working."""

from __future__ import annotations

from mesoformula import (
    Cell,
    Choice,
    Column,
    ContainerKind,
    Finding,
    Form,
    Grid,
    GridError,
    Importer,
    LotPolicy,
    Missing,
    Part,
    Problem,
    Product,
    ProductKind,
    Route,
    Row,
    Severity,
    Sheet,
    Source,
    SourceKind,
    Vendor,
    hookimpl,
    parse_quantity,
    plain,
    symbol,
)
from mesoformula.grids import read_content
from mesoformula.sheets import Holds, Mark, MarkOfDays, row

mesoformula_contract = "1.1"


def read_bars(path):
    text = read_content(path).decode("utf-8")
    if "|" not in text:
        raise GridError([Problem("bars", "holds no bar; expected fields between bars", str(path))])
    rows = tuple(
        tuple(Cell(field or None, number, place) for place, field in enumerate(line.split("|"), start=1))
        for number, line in enumerate(text.splitlines(), start=1)
    )
    return (Grid(path.name, rows, str(path), encoding="UTF-8", delimiter="|"),)


@hookimpl
def mesoformula_importers():
    return [Importer(".bars", "fields between bars", read_bars)]


def last_first(need, candidates):
    left = need.containers
    for one in sorted(candidates, key=lambda one: (one.received_at, one.key), reverse=True):
        if left and (not need.lots or one.lot in need.lots):
            taken = min(left, one.containers)
            left -= taken
            yield Choice(one.key, taken)


@hookimpl
def mesoformula_lot_policies():
    return [LotPolicy("past-lifo", "last in, first out", "takes what came last", last_first)]


@hookimpl
def mesoformula_products():
    from datetime import date

    source = Source(SourceKind.IFU, "https://past.example/vial", date(2026, 1, 2))
    vial = Part(ContainerKind.VIAL, Form.SOLUTION, volume=parse_quantity("5 mL", "volume"))
    return [
        Product(
            Vendor("newer", "Newer"),
            "vial",
            "Newer vial",
            (vial,),
            (source,),
            kind=ProductKind.DEVICE,
            containers_per_pack=5,
            routes=(Route.INTRADERMAL,),
        )
    ]


@hookimpl
def mesoformula_sheets(request):
    if request.topic != "stock":
        return
    columns = (
        Column("lot", "Lot"),
        Column("containers", "Containers", Holds.WHOLE, total=True, at_least=True),
        Column("days", "Days left", Holds.WHOLE),
        Column("mark", "Mark", computed=MarkOfDays("days", request.warn_days)),
    )
    rows = [
        row(
            columns,
            {
                "lot": one.lot,
                "containers": one.containers,
                "days": (one.expiry - request.stock.as_of).days if one.expiry else None,
            },
        )
        for one in request.stock.on_hand
    ]
    sheet = Sheet("newer", "Newer", columns, (*rows, Row(("none", 0, None, None), Mark.ATTENTION)))
    assert sheet.total("containers") is not None
    yield sheet


@hookimpl
def mesoformula_check_session(quantities, session):
    volume = f"{plain(quantities.injected.magnitude)} {symbol(quantities.injected.units)}"
    yield Finding(
        "newer-volume",
        Severity.UNCHECKED,
        session.formula.id,
        f"{volume} by {session.route}",
        missing=(Missing("pH", "saline"),),
    )
