"""Sheets with everything that a writer must be able to write, fictional all of it."""

from __future__ import annotations

import struct
import zlib
from datetime import date, datetime, timedelta
from decimal import Decimal

from mesoformula.sheets import (
    Allowed,
    Apply,
    Chart,
    ChartKind,
    Column,
    DaysUntil,
    Fact,
    Facts,
    Function,
    Holds,
    InRow,
    InTable,
    Label,
    LabelGrid,
    Labels,
    Live,
    Mark,
    MarkOfDays,
    Named,
    Picture,
    Row,
    Sheet,
    Table,
    Texts,
    Value,
    row,
)

DAY = date(2026, 5, 4)
CLASSES = ("hyaluronic acid", "vitamin", "amino acid", "wild *", "=coenzyme", 'say "no"')
VOLUME = Decimal("3.5")
#: Three by seven labels of 63.5 mm × 38.1 mm, made up for tests.
GRID = LabelGrid(
    "test-3x7",
    "test",
    *map(Decimal, ("210", "297")),
    3,
    7,
    *map(Decimal, ("63.5", "38.1", "7.2", "15.1", "2.5", "0")),
)


def png(side: int = 21) -> bytes:
    """Draw a small pattern."""
    lines = b"".join(b"\0" + bytes(0 if (x * y + x) % 3 else 255 for x in range(side)) for y in range(side))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(lines))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + body + chunk(b"IEND", b"")


def shelf_sheet(language: str = "en", day: date = DAY, **more: object) -> Sheet:
    """Make a list with computed columns, marks, totals and cells to fill in."""
    french = language == "fr"
    columns = (
        Column("product", "Produit" if french else "Product", widest=24),
        Column("class", "Classe" if french else "Class"),
        Column("lot", "Lot"),
        Column("containers", "Contenants" if french else "Containers", Holds.WHOLE, total=True),
        Column("volume", "Volume (mL)", Holds.DECIMAL, total=True, at_least=True, places=1),
        Column("expiry", "Péremption" if french else "Expiry", Holds.DAY),
        Column("left", "Jours restants" if french else "Days left", Holds.WHOLE, DaysUntil("expiry")),
        Column("note", "Note", computed=_note(french), widest=14),
        Column(
            "counted", "Compté" if french else "Counted", Holds.WHOLE, editable=True, allowed=Allowed(0, 9999)
        ),
        Column("remark", "Remarque" if french else "Remark", editable=True, allowed=Allowed(longest=100)),
        Column("state", "État" if french else "State", editable=True, allowed=_STATES),
    )
    rows = tuple(
        row(
            columns,
            {
                "product": f"Fictional product {number} with lidocaine",
                "class": CLASSES[number % len(CLASSES)],
                "lot": f"{number:07}" if number % 3 else f"24{number:02}E3",
                "containers": 3 * number + 1,
                "volume": Decimal("0.1") * number if number % 4 else None,
                "expiry": DAY + timedelta(40 * number - 60) if number % 7 else None,
            },
            day,
        )
        for number in range(1, 13)
    )
    given = {
        "as_of": day,
        "facts": (("Store", "/home/pharmacy/stock.sqlite"), ("Read at", datetime(2026, 5, 4, 9, 30))),  # noqa: DTZ001
        "notes": ("Une note au-dessous." if french else "A note that stands below.",),
        "language": language,
        "order": 20,
        "is_locked": True,
        **more,
    }
    return Sheet("shelf", "Étagère" if french else "Shelf", columns, rows, **given)  # type: ignore[arg-type]


_STATES = Allowed(choices=("whole", "broken, but there", 'as "new"'))


def _note(french: bool) -> MarkOfDays:
    return MarkOfDays("left", 60, "périmé", "périme bientôt") if french else MarkOfDays("left", 60)


def summary_sheet(shelf: Sheet) -> Sheet:
    """Make a page that follows from a list: figures, tables with charts, and an empty one."""
    french = shelf.language == "fr"
    day = shelf.as_of
    assert day is not None
    expiries = [_value(one, shelf, "expiry") for one in shelf.rows]
    soon = sum(isinstance(one, date) and day <= one <= day + timedelta(60) for one in expiries)
    expired = sum(isinstance(one, date) and one < day for one in expiries)
    until = Apply(Function.JOIN, ("<=", Apply(Function.ADD, (Named("as_of"), 60))))
    since = Apply(Function.JOIN, (">=", Named("as_of")))
    before = Apply(Function.JOIN, ("<", Named("as_of")))
    column = InTable("shelf", "expiry")
    figures = Facts(
        (
            Fact("Au" if french else "As of", day, Holds.DAY, name="as_of", is_input=True),
            _fact("Périmés" if french else "Expired", expired, (column, before), Mark.EXPIRED),
            _fact("Sous 60 jours" if french else "Within 60 days", soon, (column, since, column, until)),
        ),
        "Chiffres" if french else "Figures",
    )
    by_class = Table(
        "by_class",
        (
            Column("class", "Classe" if french else "Class"),
            Column("containers", "Contenants" if french else "Containers", Holds.WHOLE, total=True),
            Column("volume", "Volume (mL)", Holds.DECIMAL, places=1, total=True, at_least=True),
        ),
        tuple(
            Row((name, _of_class(shelf, name, "containers"), _of_class(shelf, name, "volume")))
            for name in CLASSES
        ),
        "Par classe" if french else "By class",
    )
    by_vendor = Table(
        "by_vendor",
        (Column("vendor", "Vendor"), Column("n", "Containers", Holds.WHOLE)),
        tuple(Row((f"Fictional vendor {number}", 4 * number + 2)) for number in range(5)),
        "Par fournisseur" if french else "By vendor",
    )
    nothing = Table("nothing", (Column("what", "What"), Column("n", "Number", Holds.WHOLE)), (), "Nothing")
    over_nothing = Fact(
        "Total of nothing",
        Live(0, Apply(Function.SUM, (InTable("nothing", "n"),)), name="nothing"),
        Holds.WHOLE,
    )
    return Sheet(
        "summary",
        "Synthèse" if french else "Summary",
        as_of=day,
        facts=(("Store", "/home/pharmacy/stock.sqlite"), ("Ledger", "12:abcdef")),
        blocks=(
            figures,
            by_class,
            Chart(
                "Contenants par classe" if french else "Containers by class",
                "by_class",
                "class",
                ("containers",),
                unit="contenants" if french else "containers",
            ),
            by_vendor,
            Chart(
                "Containers and millilitres", "by_class", "class", ("containers", "volume"), ChartKind.BARS
            ),
            nothing,
            Chart("Of nothing", "nothing", "what", ("n",)),
            Facts((over_nothing,)),
        ),
        language=shelf.language,
        order=10,
        notes=("A note below the page. " * 12,),
    )


def _value(one: Row, sheet: Sheet, key: str) -> Value:
    value = one.values[[column.key for column in sheet.columns].index(key)]
    assert not isinstance(value, Live)
    return value


def _fact(word: str, count: int, criteria: tuple[object, ...], mark: Mark = Mark.SOON) -> Fact:
    live = Live(count, Apply(Function.COUNT_IF, criteria), is_vital=True)  # type: ignore[arg-type]
    return Fact(word, live, Holds.WHOLE, mark=mark)


def _of_class(shelf: Sheet, name: str, key: str) -> Live:
    values = [_value(one, shelf, key) for one in shelf.rows if _value(one, shelf, "class") == name]
    sum_of = sum((Decimal(one) for one in values if isinstance(one, int | Decimal)), Decimal(0))
    how = Apply(Function.SUM_IF, (InTable("shelf", key), InTable("shelf", "class"), InRow("class")))
    return Live(sum_of, how)


def record_sheet(language: str = "en", volume: Decimal = VOLUME) -> Sheet:
    """Make an upright page with inputs, boxes, a picture, lines to write on, and what follows."""
    french = language == "fr"
    asked = Named("injected")
    lines = Table(
        "lines",
        (
            Column("product", "Produit" if french else "Product"),
            Column("lot", "Lot"),
            Column("expiry", "Péremption" if french else "Expiry", Holds.DAY),
            Column(
                "exact",
                "À prélever, exact (mL)" if french else "To draw, exact (mL)",
                Holds.DECIMAL,
                places=3,
            ),
            Column("measured", "Mesuré (mL)" if french else "Measured (mL)", Holds.DECIMAL, places=2),
        ),
        (
            Row(
                (
                    "NCTF fictional",
                    "0012345",
                    DAY + timedelta(300),
                    _share("0.8", volume),
                    _rounded("0.8", volume),
                )
            ),
            Row(
                (
                    "Ascorbic acid 500 mg/5 mL with a name so long that it needs two lines",
                    None,
                    None,
                    _share("0.2", volume),
                    _rounded("0.2", volume),
                ),
                Mark.ATTENTION,
            ),
        ),
        "À prélever" if french else "What to draw",
    )
    enough = Apply(Function.IF, (Apply(Function.ABOVE, (asked, 3)), "enough", 'not "enough"'))
    opened = datetime(2026, 5, 4, 10, 5)  # noqa: DTZ001
    facts = (
        Fact("Formula", "Teaching: NCTF with vitamin C, version 1"),
        Fact("Reference", "S-2026-0001"),
        Fact("Prepared at (Europe/Paris)", opened, Holds.MOMENT),
        Fact(
            "Volume (mL)",
            volume,
            Holds.DECIMAL,
            2,
            "injected",
            is_input=True,
            allowed=Allowed(Decimal("0.01"), 50),
        ),
        Fact("Word", Live("enough" if volume > 3 else 'not "enough"', enough)),
        Fact("Day after", Live(DAY + timedelta(1), Apply(Function.ADD, (DAY, 1))), Holds.DAY),
    )
    by_hand = ("Prepared by", "Checked by", "Date", "Signature", "Prescriber", "Order number")
    return Sheet(
        "record",
        "Fiche de préparation" if french else "Compounding record",
        blocks=(
            Facts(facts, "Quoi" if french else "What"),
            Picture(png(), "a code", Decimal(22), Decimal(22)),
            Texts(
                ("An override stands without a reason.", "The osmolality is not known."),
                "NOT READY",
                Mark.EXPIRED,
            ),
            Texts(("May be used until 16:05 the same day.",), "Beyond use", Mark.SOON),
            lines,
            Table(
                "overrides",
                (Column("what", "Finding"), Column("why", "Why")),
                (),
                "Overrides",
                "No overrides.",
            ),
            Texts(("A paragraph that goes on and on, to see it wrap. " * 9,), "Steps"),
            Facts(tuple(Fact(word, to_fill_in=True) for word in by_hand), "By hand", across=3),
        ),
        is_upright=True,
        on_one_page=True,
        is_locked=True,
        language=language,
        order=30,
        notes=("This record supports a professional's decision.",),
    )


def _share(part: str, volume: Decimal) -> Live:
    return Live(Decimal(part) * volume, Apply(Function.TIMES, (Named("injected"), Decimal(part))))


def _rounded(part: str, volume: Decimal) -> Live:
    exact = Apply(Function.ROUND, (InRow("exact"), 1))
    return Live((Decimal(part) * volume + Decimal("1e-9")).quantize(Decimal("0.1")), exact)


def label_sheet(count: int = 24, skip: int = 2) -> Sheet:
    """Make labels that fill more than a page."""
    labels = tuple(
        Label(
            f"S-2026-{number:04} · syringe {number} of {count}",
            (
                "NCTF fictional + ascorbic acid 20 mg/mL",
                "Lots 0012345, 2402E3 · intradermal",
                "Prepared 2026-05-04 10:05",
                "Use before 2026-05-04 16:05 (opened ampoules)",
            ),
            Picture(png(), "a code", Decimal(14), Decimal(14)) if number % 5 else None,
        )
        for number in range(1, count + 1)
    )
    return Sheet("labels", "Labels", blocks=(Labels(GRID, labels, skip),), order=40)
