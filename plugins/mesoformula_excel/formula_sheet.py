"""The master formulation record of a formula: what it says, what follows, and what nobody has said."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from mesoformula import (
    Column,
    Form,
    Formula,
    Route,
    Sheet,
    SheetRequest,
    __version__,
    magnitude,
    plain,
    show,
)
from mesoformula.languages import words
from mesoformula.sheets import Block, Fact, Facts, Holds, Mark, Row, Table, Texts
from mesoformula_excel.check_tables import source_text
from mesoformula_excel.live_doses import doses_table, undisclosed
from mesoformula_excel.live_lines import lines_table, part_of, scales
from mesoformula_excel.session_sheet import dissolved, limits_table, purpose, working_sheet
from mesoformula_excel.session_volumes import SOME_VOLUME
from mesoformula_excel.session_words import FORMS, PERMISSIONS, asked, route
from mesoformula_excel.stock_words import container_words, storage_words

if TYPE_CHECKING:
    from mesoformula import Formulary, SessionQuantities
    from mesoformula.languages import Words
    from mesoformula.preparations import Preparation

#: Name of the cell with the volume of the batch, in mL.
BATCH = "formula_batch"

#: To which volumes are told in words; the cells hold them in full.
_READ_ALONG = Decimal("0.0001")


def formula_sheets(request: SheetRequest) -> tuple[Sheet, ...]:
    """
    Make the master formulation record of a formula.

    Args:
        request: The formula, and its preparation as written; the formulary, for names and syringes.

    Returns:
        The record, and the working.

    Raises:
        ValueError: If the formula or its preparation is not given.
    """
    formula, prepared = request.formula, request.preparation
    if formula is None or prepared is None:
        raise ValueError("a record of a formula needs the formula and its preparation as written")
    say = words("mesoformula_excel", request.language)
    return (
        _record(request, formula, prepared, say),
        working_sheet(prepared, request, say, "formula_working"),
    )


def _record(request: SheetRequest, formula: Formula, prepared: Preparation, say: Words) -> Sheet:
    quantities = prepared.quantities
    measures = scales(quantities, request.formulary)
    blocks: list[Block] = [
        Texts((purpose(formula, say) or say("What it is for is not stated."),)),
        _about(formula, quantities, say),
        _recipe(formula, quantities, say),
        _batch(quantities, say),
        lines_table(quantities, measures, "formula_lines", BATCH, say),
        doses_table(quantities, "formula_doses", BATCH, say, of_prepared=True),
    ]
    hidden = undisclosed(quantities, say)
    if hidden is not None:
        blocks.append(Texts((hidden,), mark=Mark.ATTENTION))
    blocks += [
        _auxiliaries(quantities, request.formulary, say),
        Texts(tuple(_steps(formula, quantities, say)), title=say("Steps, as far as they are known")),
        _storage(quantities, say),
        limits_table(prepared.limits, request, say, "formula_limits"),
        _by_hand(say),
    ]
    return Sheet(
        key="formula",
        title=say("Master formulation record: {name}", name=formula.name),
        blocks=tuple(blocks),
        facts=request.facts,
        notes=(
            *_size(formula, quantities, say),
            say("What is not stated is not known: it is for whoever approves the record to add it."),
            say(
                "A published version never changes: a change is a new version. Written by mesoformula "
                "{version}.",
                version=__version__,
            ),
            *request.notes,
        ),
        order=10,
        language=request.language,
    )


def _size(formula: Formula, quantities: SessionQuantities, say: Words) -> Iterator[str]:
    if formula.total is None and all(line.parts is not None for line in formula.lines):
        yield say(
            "The formula is all in parts and has no size of its own: it is shown for {volume}.",
            volume=show(quantities.prepared),
        )


def _about(formula: Formula, quantities: SessionQuantities, say: Words) -> Facts:
    sources = "; ".join(source_text(one) for one in formula.sources)
    facts = (
        Fact(say("Unique name"), formula.id),
        Fact(say("Version"), formula.version, Holds.WHOLE),
        Fact(say("Published in"), sources or say("no source: it is a formula of the site's own")),
        Fact(say("Strength"), say("see what is in it")),
        Fact(
            say("Dosage form"),
            say("not stated; made from: {forms}", forms=", ".join(_forms(quantities, say))),
        ),
        Fact(say("Route"), _routes(quantities, say)),
        Fact(say("Container and closure"), say("not stated: a syringe, if it is used at once")),
    )
    return Facts(facts)


def _forms(quantities: SessionQuantities, say: Words) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(
            say(FORMS[part.form.value])
            for line in quantities.lines
            for part in line.product.parts
            if line.part in (None, part.name)
        )
    )


def _routes(quantities: SessionQuantities, say: Words) -> str:
    """Name the routes that every product is labelled for; a formula itself says none."""
    labelled = [set(line.product.routes) for line in quantities.lines]
    unstated = [line.product.name for line in quantities.lines if not line.product.routes]
    if unstated:
        return say(
            "not stated; no labelled route is known of {products}",
            products=", ".join(dict.fromkeys(unstated)),
        )
    common = [one for one in Route if all(one in routes for routes in labelled)]
    if not common:
        return say("not stated; the products share no labelled route")
    return say(
        "not stated; all products are labelled for: {routes}",
        routes=", ".join(route(one, say) for one in common),
    )


def _recipe(formula: Formula, quantities: SessionQuantities, say: Words) -> Table:
    """List the lines as the formula says them."""
    columns = (
        Column("number", say("#"), Holds.WHOLE),
        Column("product", say("Product"), widest=30),
        Column("id", say("Identity"), widest=34),
        Column("maker", say("Maker"), widest=20),
        Column("container", say("Container"), widest=28),
        Column("asked", say("How much, as the formula says"), widest=34),
        Column("mixing", say("May be mixed, as its maker says"), widest=14),
    )
    rows = tuple(
        Row(
            (
                quantity.number,
                quantity.product.name + part_of(quantity, say),
                quantity.product.pinned_id,
                quantity.product.vendor.name,
                container_words(quantity.product, say),
                asked(line, say),
                say(PERMISSIONS[quantity.product.mixing.value]),
            )
        )
        for line, quantity in zip(formula.lines, quantities.lines, strict=True)
    )
    return Table("formula_recipe", columns, rows, title=say("Ingredients"))


def _batch(quantities: SessionQuantities, say: Words) -> Facts:
    volume = magnitude(quantities.prepared, "mL")
    fact = Fact(
        say("Volume (mL), to change"),
        volume,
        Holds.DECIMAL,
        3,
        name=BATCH,
        is_input=True,
        allowed=SOME_VOLUME,
    )
    return Facts((fact,), title=say("Calculation"), across=2)


def _auxiliaries(quantities: SessionQuantities, formulary: Formulary | None, say: Words) -> Table:
    """List what is declared beside ingredients: allergies live there."""
    columns = (
        Column("product", say("Product"), widest=30),
        Column("substance", say("Declared beside the ingredients"), widest=40),
        Column("amount", say("Amount"), widest=24),
    )
    rows = []
    for product in {line.product.pinned_id: line.product for line in quantities.lines}.values():
        for part in product.parts:
            for one in part.auxiliaries:
                amount = str(one.strength) if one.strength is not None else say("not stated")
                rows.append(Row((product.name, _name(one.substance, formulary), amount)))
    return Table(
        "formula_auxiliaries",
        columns,
        tuple(rows),
        title=say("Inactive ingredients, as declared"),
        empty=say("None is declared, which does not mean that there is none."),
    )


def _name(substance: str, formulary: Formulary | None) -> str:
    if formulary is None or not formulary.has_substance(substance):
        return substance
    return formulary.substance(substance).name


def _steps(formula: Formula, quantities: SessionQuantities, say: Words) -> Iterator[str]:
    """Say what is to be done, as far as the formula and the labels say it."""
    steps = list(dissolved(quantities, say))
    last: list[str] = []
    for line, quantity in zip(formula.lines, quantities.lines, strict=True):
        name = quantity.product.name + part_of(quantity, say)
        if line.fill_to is not None:
            last.append(say("Fill up with {product} to {volume}.", product=name, volume=show(line.fill_to)))
        else:
            volume = plain(magnitude(quantity.volume, "mL").quantize(_READ_ALONG).normalize())
            how = asked(line, say)
            steps.append(say("Draw {volume} mL of {product}: {how}.", volume=volume, product=name, how=how))
    yield from (f"{number}. {text}" for number, text in enumerate((*steps, *last), start=1))
    yield say("The order of mixing, how long to mix and how to filter are not stated.")


def _storage(quantities: SessionQuantities, say: Words) -> Facts:
    facts = [
        Fact(say("Storage of {product}", product=product.name), storage_words(product, say))
        for product in {line.product.pinned_id: line.product for line in quantities.lines}.values()
    ]
    facts.append(Fact(say("Storage of the mixture"), say("not stated")))
    powders = any(part.form is Form.POWDER for line in quantities.lines for part in line.product.parts)
    equipment = say("syringes as measured above, needles")
    if powders:
        equipment = say("syringes as measured above, needles, diluent for the powders")
    facts.append(Fact(say("Equipment"), equipment))
    return Facts(tuple(facts), title=say("Storage and equipment"))


def _by_hand(say: Words) -> Facts:
    empty = (
        say("Description of the finished mixture"),
        say("Quality control: what is checked, and how"),
        say("Auxiliary labels"),
        say("Reference for the beyond-use date"),
        say("Written by, date, signature"),
        say("Checked by, date, signature"),
        say("Approved by, date, signature"),
        say("In force from"),
    )
    return Facts(tuple(Fact(word, to_fill_in=True) for word in empty), title=say("By hand"))
