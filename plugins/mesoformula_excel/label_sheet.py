"""Labels for the syringes of a session and for opened containers, on a page of labels."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from io import BytesIO
from typing import TYPE_CHECKING

from mesoformula import (
    AmountKind,
    Dose,
    Problem,
    Quantity,
    Sheet,
    SheetError,
    SheetRequest,
    magnitude,
    symbol,
)
from mesoformula.languages import words
from mesoformula.sheets import (
    USUAL_GRID,
    Label,
    LabelGrid,
    Labels,
    Picture,
    label_grid,
    label_grids,
)
from mesoformula_excel.label_fit import SMALLEST, UPRIGHT, size_that_fits
from mesoformula_excel.lots_table import has_fewer_lots
from mesoformula_excel.opened_sheet import use_before
from mesoformula_excel.session_words import route
from mesoformula_excel.stock_words import local, product_name

if TYPE_CHECKING:
    from mesoformula.languages import Words
    from mesoformula.preparations import Preparation
    from mesoformula.stock.records import Opened

#: How many substances a label names; of more it says how many they are.
MOST_SUBSTANCES = 4

#: Of a code, in millimetres: four dots of a printer with 300 to the inch. GS1 asks for 0.254 to 0.495 mm on
#: healthcare items (General Specifications, symbol specification table 6).
_MODULE = Decimal(4) * Decimal("25.4") / 300
#: What must stay white around a QR code, in modules (ISO/IEC 18004).
_QUIET = 4
_PIXELS = 8

_HUNDREDTH = Decimal("0.01")
_DIGITS = 3
_NANO = -6
_BY_HAND = "____________"
_JOINED = " · "


def label_sheets(request: SheetRequest) -> tuple[Sheet, ...]:
    """
    Make the labels of a preparation, one for each syringe, and of everything that is opened.

    Args:
        request: The preparation, or the stock, or both; the page of labels, and what is used up of it.

    Returns:
        One sheet.

    Raises:
        SheetError: If the preparation is not ready, there is nothing to label, or a label does not fit.
    """
    say = words("mesoformula_excel", request.language)
    grid = request.label_grid or label_grid(USUAL_GRID)
    labels: list[Label] = []
    if request.preparation is not None:
        labels += _of_session(request.preparation, request, say)
    if request.stock is not None:
        labels += [_of_opened(one, request, say) for one in request.stock.opened]
    _check(labels, grid, request.skip_labels)
    return (
        Sheet(
            key="labels",
            title=say("Labels"),
            blocks=(Labels(grid, tuple(labels), request.skip_labels),),
            is_upright=grid.page_height >= grid.page_width,
            language=request.language,
        ),
    )


# ---- whether they can be printed ---------------------------------------------------------------------------


def _check(labels: list[Label], grid: LabelGrid, skip: int) -> None:
    places = grid.columns * grid.rows
    problems = []
    if not labels:
        message = "nothing to label: no session is given, and nothing is opened"
        problems.append(Problem("nothing", message))
    if not 0 <= skip < places:
        message = f"{skip} places are used up; expected 0 to {places - 1}, as {grid.id} has {places}"
        problems.append(Problem("skip", message))
    wide = [label for label in labels if not _fits(label, grid)]
    if wide:
        larger = [one.id for one in label_grids() if all(_fits(label, one) for label in labels)]
        advice = (
            f"choose a larger page: {', '.join(larger)}" if larger else "choose a page with larger labels"
        )
        names = ", ".join(dict.fromkeys(repr(label.heading) for label in wide))
        message = f"{names}: more than fits a label of {grid.id} in letters of {SMALLEST:g} points; {advice}"
        problems.append(Problem("does-not-fit", message))
    if problems:
        raise SheetError(problems)


def _fits(label: Label, grid: LabelGrid) -> bool:
    tall = label.picture is not None and label.picture.height > grid.height - Decimal(UPRIGHT)
    return not tall and size_that_fits(label, grid) is not None


# ---- a session ---------------------------------------------------------------------------------------------


def _of_session(prepared: Preparation, request: SheetRequest, say: Words) -> Iterator[Label]:
    if not prepared.ready:
        codes = ", ".join(dict.fromkeys(one.code for one in prepared.standing))
        message = f"the session is not ready ({codes}): what may not be used gets no label"
        raise SheetError([Problem("not-ready", message)])
    name = prepared.quantities.session.formula.name
    fills = _fills(prepared)
    picture = _code(prepared.reference, say) if prepared.reference is not None else None
    common = tuple(_of_mixture(prepared, request, say))
    for number, volume in enumerate(fills, start=1):
        if len(fills) == 1:
            first = say("{volume} to inject", volume=_ml(volume))
        else:
            first = say(
                "Syringe {number} of {count}: {volume} to inject",
                number=number,
                count=len(fills),
                volume=_ml(volume),
            )
        use = say("for {route} use", route=route(prepared.quantities.session.route, say))
        yield Label(name, (_JOINED.join((first, use)), *common), picture)


def _fills(prepared: Preparation) -> list[Quantity]:
    """Tell how much of each syringe is injected: all are full but the last."""
    quantities = prepared.quantities
    syringe, count = quantities.session.syringe, quantities.syringes
    if syringe is None or count is None or count < 2:
        return [quantities.injected]
    return [syringe.capacity] * (count - 1) + [quantities.injected - syringe.capacity * (count - 1)]


def _of_mixture(prepared: Preparation, request: SheetRequest, say: Words) -> Iterator[str]:
    """Say what all syringes have in common, the most important first."""
    quantities = prepared.quantities
    yield _until(prepared, request, say)
    drawn = (f"{_ml(line.measured or line.volume)} {line.product.name}" for line in quantities.lines)
    yield say("{contents}; {volume} in all", contents=" + ".join(drawn), volume=_ml(quantities.prepared))
    substances = list(_substances([dose for dose in quantities.doses if not dose.as_moiety], say))
    if substances:
        yield _JOINED.join(substances)
    lots = _lots(prepared, say)
    if prepared.reference is not None:
        lots = _JOINED.join((lots, say("Session {reference}", reference=prepared.reference)))
    yield lots
    if prepared.prepared_at is not None:
        moment = f"{local(prepared.prepared_at, request.zone):%Y-%m-%d %H:%M}"
        by = f", {prepared.by}" if prepared.by else ""
        yield say("Prepared {moment}", moment=moment) + by
    else:
        yield say("Prepared {moment}", moment=_BY_HAND)


def _until(prepared: Preparation, request: SheetRequest, say: Words) -> str:
    rule = prepared.beyond_use_rule or ""
    if prepared.beyond_use_at is not None:
        moment = f"{local(prepared.beyond_use_at, request.zone):%Y-%m-%d %H:%M}"
        return say("Use before {moment} ({rule})", moment=moment, rule=rule)
    if prepared.is_session_only:
        return say("This session only: never kept ({rule})", rule=rule)
    return say("Use before {moment} ({rule})", moment=_BY_HAND, rule=rule)


def _substances(doses: list[Dose], say: Words) -> Iterator[str]:
    known = [dose for dose in doses if dose.concentration.low is not None]
    if len(known) > MOST_SUBSTANCES:
        yield say("{count} substances of known amount: see the record", count=len(known))
    elif known:
        yield "; ".join(f"{dose.name} {_concentration(dose)}" for dose in known)
    hidden = len(doses) - len(known)
    if hidden:
        yield say.plural(
            "{count} substance of undisclosed amount", "{count} substances of undisclosed amount", hidden
        )


def _concentration(dose: Dose) -> str:
    """Write a concentration so that rounding never says more than is known."""
    amount = dose.concentration
    low, high = amount.low, amount.high
    if low is None:
        return ""
    unit = symbol(low.units)
    if amount.kind is AmountKind.AT_LEAST:
        return f"≥ {_short(low.magnitude, ROUND_FLOOR)} {unit}"
    if amount.kind is AmountKind.DISPUTED and high is not None:
        upper = _short(high.to(low.units).magnitude, ROUND_CEILING)
        return f"{_short(low.magnitude, ROUND_FLOOR)}–{upper} {unit}"
    return f"{_short(low.magnitude, ROUND_HALF_UP)} {unit}"


def _short(number: Decimal, rounding: str) -> str:
    """Round to three digits, or to a whole number where that has more."""
    place = min(number.adjusted() - _DIGITS + 1, 0) if number else 0
    return _plain(number.quantize(Decimal(1).scaleb(place), rounding))


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _ml(volume: Quantity) -> str:
    exact = magnitude(volume, "mL")
    rounded = exact.quantize(_HUNDREDTH, ROUND_HALF_UP)
    return f"{'' if rounded == exact else '≈'}{_plain(rounded)} mL"


def _lots(prepared: Preparation, say: Words) -> str:
    """Name the lots, with room to write those that the stock does not know."""
    found = []
    for id_ in dict.fromkeys(line.product.id for line in prepared.quantities.lines):
        of_product = [one for one in prepared.lots if one.product.id == id_]
        found += [
            say("{lot} (exp. {day})", lot=one.lot, day=one.expiry) if one.expiry is not None else one.lot
            for one in of_product
        ]
        if not of_product or has_fewer_lots(prepared, id_):
            found.append(_BY_HAND)
    found = list(dict.fromkeys(found)) if _BY_HAND not in found else found
    return say("Lots: {lots}", lots=", ".join(found)) if len(found) > 1 else say("Lot: {lot}", lot=found[0])


def _code(reference: str, say: Words) -> Picture:
    """
    Draw the code of a session.

    A QR code, as every telephone reads one too; segno makes the smallest that holds the text.
    """
    import segno

    code = segno.make(reference, error="m", micro=False)
    png = BytesIO()
    code.save(png, kind="png", scale=_PIXELS, border=_QUIET)
    side = (Decimal(code.symbol_size(border=_QUIET)[0]) * _MODULE).quantize(_HUNDREDTH)
    return Picture(png.getvalue(), say("code of session {reference}", reference=reference), side, side)


# ---- what is opened ----------------------------------------------------------------------------------------


def _of_opened(one: Opened, request: SheetRequest, say: Words) -> Label:
    mixture = say("mixture {name}", name=one.name) if one.name is not None else say("mixture")
    name = product_name(one.product, say) if one.product is not None else mixture
    end, rule = use_before(one, request, say)
    moment = f"{end:%Y-%m-%d %H:%M}"
    until = say("Use before {moment} ({rule})", moment=moment, rule=rule) if rule else None
    if one.beyond_use_at is None and rule is not None:
        # Its last moment is no leave to keep it until then.
        until = say("This session only, never kept; not after {moment} ({rule})", moment=moment, rule=rule)
    opened = f"{local(one.opened_at, request.zone):%Y-%m-%d %H:%M}"
    lines = [
        until or say("Use before {moment}", moment=moment),
        say("Opened {moment}, no. {number}", moment=opened, number=one.id),
    ]
    if one.lot is not None:
        expiry = say("{lot} (exp. {day})", lot=one.lot, day=one.expiry) if one.expiry is not None else one.lot
        lines.append(say("Lot: {lot}", lot=expiry))
    lines += [say("Left at {moment}: {amount}", moment=_seen(request), amount=text) for text in _left(one)]
    seen = request.stock.made_at if request.stock is not None else datetime.now(UTC)
    if end <= local(seen, request.zone):
        lines.insert(0, say("BEYOND ITS USE: do not use"))
    if one.recalled or one.quarantined:
        lines.insert(0, say("RECALLED: do not use") if one.recalled else say("QUARANTINED: do not use"))
    return Label(name, tuple(lines))


def _seen(request: SheetRequest) -> str:
    moment = request.stock.made_at if request.stock is not None else datetime.now(UTC)
    return f"{local(moment, request.zone):%Y-%m-%d %H:%M}"


def _left(one: Opened) -> Iterator[str]:
    for amount, unit in ((one.nanolitres, "mL"), (one.nanograms, "mg")):
        if amount is not None:
            yield f"{_plain(Decimal(amount).scaleb(_NANO))} {unit}"


__all__ = ["MOST_SUBSTANCES", "label_sheets"]
