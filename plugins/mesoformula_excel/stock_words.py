"""What the sheets of the stock call things, in the language of whoever reads them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

from mesoformula import ContainerKind, Form, Method, Part, Product, __version__, plain, show
from mesoformula.languages import later
from mesoformula.presentation import held_classes
from mesoformula.sheets import Value
from mesoformula.stock.records import Deviation, MovementKind

if TYPE_CHECKING:
    from mesoformula import Formulary, SheetRequest
    from mesoformula.languages import Words
    from mesoformula.stock.records import StockView

CONTAINERS: Mapping[ContainerKind, str] = {
    ContainerKind.VIAL: later("vial"),
    ContainerKind.AMPOULE: later("ampoule"),
    ContainerKind.SYRINGE: later("syringe"),
    ContainerKind.BOTTLE: later("bottle"),
    ContainerKind.NOT_STATED: later("container"),
}

_WITH_FORM: Mapping[Form, str] = {
    Form.GEL: later("{container} gel"),
    Form.POWDER: later("{container} powder"),
    Form.SUSPENSION: later("{container} suspension"),
    Form.EMULSION: later("{container} emulsion"),
}

CLASSES: Mapping[str, str] = {
    "hyaluronic_acid": later("hyaluronic acid"),
    "vitamin": later("vitamin"),
    "amino_acid": later("amino acid"),
    "mineral": later("mineral"),
    "coenzyme": later("coenzyme"),
    "nucleic_acid": later("nucleic acid"),
    "growth_factor": later("growth factor"),
}

MOVEMENTS: Mapping[MovementKind, str] = {
    MovementKind.RECEIPT: later("receipt"),
    MovementKind.TAKEOVER: later("takeover"),
    MovementKind.PICK: later("pick"),
    MovementKind.FREE: later("pick freed"),
    MovementKind.OPEN: later("opening"),
    MovementKind.MIX: later("mixing"),
    MovementKind.USE: later("use"),
    MovementKind.WASTE: later("waste"),
    MovementKind.RETURN: later("return"),
    MovementKind.MOVE: later("move"),
    MovementKind.ADJUST: later("adjustment"),
    MovementKind.QUARANTINE: later("quarantine"),
    MovementKind.RELEASE: later("release"),
    MovementKind.RECALL: later("recall"),
    MovementKind.FACT: later("fact"),
    MovementKind.COUNT_OPENED: later("count opened"),
    MovementKind.COUNT: later("count"),
    MovementKind.COMPENSATION: later("compensation"),
    MovementKind.REVERSAL: later("reversal"),
    MovementKind.SETTING: later("setting"),
}

DEVIATIONS: Mapping[Deviation, str] = {
    Deviation.EXPIRED: later("was expired"),
    Deviation.QUARANTINED: later("was quarantined"),
    Deviation.RECALLED: later("was recalled"),
    Deviation.BEYOND_USE: later("was beyond its use"),
    Deviation.RESERVED: later("was kept for another session"),
    Deviation.SHARED: later("was shared between sessions"),
    Deviation.RECALLED_SINCE: later("was recalled later"),
}

FACTS: Mapping[str, str] = {
    "expiry": later("expiry"),
    "assay": later("assay"),
    "cost": later("cost"),
    "remark": later("remark"),
    "minimum": later("least stock"),
    "quarantined": later("quarantined"),
    "recalled": later("recalled"),
    "expected": later("expected"),
    "posted": later("count posted"),
    "moved": later("moved"),
    "course": later("booked course"),
    "gtin": later("code of the pack"),
    "overfill": later("overfill"),
}

#: What governs the use of an opened container where it is no rule of a catalogue, by its id in the ledger.
RULES: Mapping[str, str] = {
    "lot:expiry": later("expiry of the lot"),
    "product:in-use-period": later("in-use period that the maker states"),
    "product:stability": later("stability after preparation that the maker states"),
    "no-rule": later("nothing says that it keeps: this session only"),
}


def rule_words(rule: str | None, formulary: Formulary | None, say: Words) -> str | None:
    """
    Say which rule governs the use of an opened container.

    Args:
        rule: Its id, as the ledger keeps it; None if none was recorded.
        formulary: What knows the rules of catalogues; None leaves their ids as they are.
        say: The language.

    Returns:
        What a rule of a catalogue says, as it says it; None without a rule.
    """
    if rule is None:
        return None
    if rule in RULES:
        return say(RULES[rule])
    known = formulary.beyond_use_rules() if formulary is not None else ()
    return next((one.message for one in known if one.id == rule), rule)


def container_words(product: Product, say: Words) -> str:
    """
    Say what one container, or one kit, holds.

    Args:
        product: Any product.
        say: The language.

    Returns:
        Text such as `vial 500 mg powder, makes 10 mL` or `kit: 2 × vial 1.5 mL + vial 1 mL`.
    """
    parts = [_part_words(part, say) for part in product.parts]
    if not product.is_kit:
        return parts[0]
    counted = (
        f"{part.per_kit} × {text}" if part.per_kit > 1 else text
        for part, text in zip(product.parts, parts, strict=True)
    )
    return say("kit: {parts}", parts=" + ".join(counted))


def _part_words(part: Part, say: Words) -> str:
    by_mass = part.form is Form.POWDER or part.volume is None
    size = part.mass if by_mass else part.volume
    text = say(CONTAINERS[part.container])
    if size is not None:
        text += f" {show(size)}"
    if size is None and part.form is Form.POWDER:
        text = say("{container} of powder", container=text)
    elif part.form in _WITH_FORM:
        text = say(_WITH_FORM[part.form], container=text)
    if size is None and part.form is not Form.POWDER:
        text = say("{container}, size not stated", container=text)
    made = part.reconstitution
    if made is None:
        return text
    if made.final_volume is not None:
        return say("{container}, makes {volume}", container=text, volume=show(made.final_volume))
    if made.method is Method.ADD:
        return say("{container}, add {volume}", container=text, volume=show(made.volume))
    return say("{container}, make up to {volume}", container=text, volume=show(made.volume))


def storage_words(product: Product, say: Words) -> str:
    """
    Say how to keep a product, as labelled.

    Args:
        product: Any product.
        say: The language.

    Returns:
        Text such as `2 to 8 °C, protect from light`, or that it is not stated.
    """
    storage = product.storage
    if storage is None:
        return say("not stated")
    low, high = storage.low, storage.high
    parts = []
    if low is not None and high is not None:
        lowest = plain(low.magnitude) if low.units == high.units else show(low)
        parts.append(say("{low} to {high}", low=lowest, high=show(high)))
    elif high is not None:
        parts.append(say("up to {high}", high=show(high)))
    elif low is not None:
        parts.append(say("from {low}", low=show(low)))
    if storage.protect_from_light:
        parts.append(say("protect from light"))
    if storage.do_not_freeze:
        parts.append(say("do not freeze"))
    return ", ".join(parts) or storage.as_published or say("not stated")


def class_words(product: Product, formulary: Formulary | None, say: Words) -> tuple[str, ...]:
    """
    Name the ingredient classes that a product holds.

    Args:
        product: Any product.
        formulary: What knows the classes of substances; None leaves those out.
        say: The language.

    Returns:
        Names, in the order of the formulary; those of plugins as they name them.
    """
    held = held_classes(product, formulary)
    names = {id_: say(name) for id_, name in CLASSES.items()}
    if formulary is not None:
        names |= {one.id: one.name for one in formulary.classes.values() if one.id not in CLASSES}
    known = [name for id_, name in names.items() if id_ in held]
    return (*known, *(id_.replace("_", " ") for id_ in sorted(held - names.keys())))


def product_name(product: Product, say: Words) -> str:
    """
    Name a product.

    Args:
        product: As the stock keeps it.
        say: The language.

    Returns:
        Its name, with the revision if that is not the first.
    """
    if product.revision == 1:
        return product.name
    return say("{product} (revision {number})", product=product.name, number=product.revision)


def zone_name(zone: tzinfo | None, say: Words) -> str:
    """
    Name the zone that moments are shown in.

    Args:
        zone: The site's; None for UTC.
        say: The language.

    Returns:
        Its name in the tz database where it has one.
    """
    name = str(zone if zone is not None else UTC)
    return name if " " not in name else say("local time")


def local(moment: datetime, zone: tzinfo | None) -> datetime:
    """
    Bring a moment to what a cell holds: the site's wall clock, to the minute.

    Args:
        moment: With a time zone.
        zone: The site's; None for UTC.

    Returns:
        The moment without a zone, seconds cut off.
    """
    return moment.astimezone(zone if zone is not None else UTC).replace(tzinfo=None, second=0, microsecond=0)


def stock_of(request: SheetRequest) -> StockView:
    """
    Take the stock out of a request.

    Args:
        request: About a topic that needs one.

    Returns:
        The stock.

    Raises:
        ValueError: If it has none.
    """
    if request.stock is None:
        raise ValueError(f"a sheet about {request.topic} needs a stock")
    return request.stock


def origin(request: SheetRequest, say: Words) -> tuple[tuple[str, Value], ...]:
    """
    Say where the figures of a sheet come from.

    Args:
        request: With the stock.
        say: The language.

    Returns:
        Pairs of word and value: when it was read, from where, head of the ledger, version.
    """
    stock = stock_of(request)
    return (
        (
            say("Read at ({zone})", zone=zone_name(request.zone, say)),
            stock.made_at.astimezone(request.zone if request.zone is not None else UTC).replace(tzinfo=None),
        ),
        (say("Store"), stock.store),
        (say("Ledger"), str(stock.anchor) if stock.anchor is not None else say("empty")),
        (say("Written by"), f"mesoformula {__version__}"),
    )
