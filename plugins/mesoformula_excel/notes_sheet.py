"""How to read a workbook of the stock: a page of notes."""

from __future__ import annotations

from mesoformula import Sheet, SheetRequest
from mesoformula.languages import Words, words
from mesoformula.sheets import Fact, Facts, Holds, Texts, Value
from mesoformula_excel.stock_words import origin, stock_of, zone_name


def notes_sheet(request: SheetRequest) -> Sheet:
    """
    Make the page that says where a workbook comes from and what its words mean.

    Args:
        request: With the stock, and the topic of the workbook.

    Returns:
        A page.
    """
    stock, say = stock_of(request), words("mesoformula_excel", request.language)
    facts = [Fact(say("As of"), stock.as_of, Holds.DAY)]
    facts += [Fact(word, value, _holds(value)) for word, value in origin(request, say)]
    facts.append(Fact(say("Time zone"), zone_name(request.zone, say)))
    if request.since is not None and request.until is not None:
        facts.append(Fact(say("First day of the movements"), request.since, Holds.DAY))
        facts.append(Fact(say("Last day of the movements"), request.until, Holds.DAY))
    facts += [Fact(word, value, _holds(value)) for word, value in request.facts]
    return Sheet(
        key="notes",
        title=say("Notes"),
        blocks=(
            Facts(tuple(facts), say("Where this comes from"), across=1),
            Texts(_on_words(say), say("What the words mean")),
            Texts(_on_totals(request, say), say("What totals leave out")),
            Texts((*_on_proof(say), *request.notes), say("What to trust")),
        ),
        is_upright=True,
        order=90,
        language=request.language,
    )


def _holds(value: Value) -> Holds:
    kinds = {"datetime": Holds.MOMENT, "date": Holds.DAY, "int": Holds.WHOLE, "Decimal": Holds.DECIMAL}
    return kinds.get(type(value).__name__, Holds.TEXT)


def _on_words(say: Words) -> tuple[str, ...]:
    return (
        say("Container: a vial, ampoule, syringe or bottle that is not opened; of a kit, the whole kit."),
        say("Expiry: the last day on which a lot may be used, at the site."),
        say("Use before: the moment from which on something opened may not be used any more."),
        say("Reserved: kept for a session that is to come; it lapses by itself."),
        say("Quarantined: kept apart, not to be used until it is released. Recalled: never to be used."),
        say("Usable: neither expired nor quarantined nor recalled."),
        say("Least stock: the number of containers that the site wants to have at least."),
        say("Deviation: a use that should not have happened, recorded all the same, with its reason."),
    )


def _on_totals(request: SheetRequest, say: Words) -> tuple[str, ...]:
    said = [
        say("An empty cell is not known, or none; it is never a zero."),
        say("A total with ≥, or 'at least', leaves out what is not known."),
    ]
    if request.topic == "stock":
        said += [
            say("Opened containers count as spent: they have no value, and stand in no count of containers."),
            say("Each currency has a total of its own; nothing is converted."),
            say(
                "A product that holds several classes counts in each of them, so that the classes add up to "
                "more than there is."
            ),
        ]
    return tuple(said)


def _on_proof(say: Words) -> tuple[str, ...]:
    return (
        say(
            "The ledger's number and hash above are an anchor: 'mesoformula stock verify --against' tells "
            "whether the ledger still says what it said when this was written."
        ),
        say(
            "This is a copy. What is changed here changes nothing in the stock, and the stock goes on while "
            "this stays as it is."
        ),
    )
