"""What labels say of each product: route, status, permission to mix, pH, contraindications."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mesoformula import ContainerKind, Finding, Missing, Permission, ProductKind, Route, Severity, Status
from mesoformula_safety.conditions import holds_in, kinds_of
from mesoformula_safety.judging import listed
from mesoformula_safety.verdicts import once

if TYPE_CHECKING:
    from mesoformula import Product
    from mesoformula_safety.situation import Situation

#: Ways in that no product for the outside is meant for.
INJECTED = frozenset({Route.INTRADERMAL, Route.SUBCUTANEOUS, Route.INTRAMUSCULAR, Route.INTRAVENOUS})

#: Where the EU's Borderline Manual looks closely at a cosmetic.
FOR_INJECTION = frozenset({ContainerKind.VIAL, ContainerKind.AMPOULE})

MIXING = {
    Permission.YES: "its maker permits mixing",
    Permission.NO: "its maker does not permit mixing",
    Permission.NOT_STATED: "whether it may be mixed is not stated",
}


def check_labels(situation: Situation) -> Iterator[Finding]:
    """
    Say of every product what its label says, and what speaks against the session.

    Args:
        situation: The session.

    Yields:
        Findings; for each product at least one that names route, status and permission to mix.
    """
    for product in situation.products:
        yield _described(product, situation)
        yield from _route(product, situation)
        yield from _cosmetic(product, situation)
        if situation.is_mixed:
            yield from _mixing(product, situation)
        yield from _words(product)
    yield _acidity(situation)


def _described(product: Product, situation: Situation) -> Finding:
    routes = ", ".join(product.routes) or "not stated"
    status = "; ".join(map(_status, product.status)) or f"{product.kind}"
    if not product.status and product.kind is not ProductKind.NOT_STATED:
        status += ", region not stated"
    text = f"{product.name}: labelled routes: {routes}; status: {status}; {MIXING[product.mixing]}"
    region = situation.session.region
    if region is not None and not any(holds_in(one, region) for one in product.status):
        text += f"; its status in {region} is not stated"
    return Finding("product-status", Severity.INFO, product.id, text, product.sources[:1])


def _status(status: Status) -> str:
    words = [f"{status.kind} in {status.region}"]
    if status.device_class is not None:
        words.append(f"class {status.device_class}")
    return ", ".join(words)


def _route(product: Product, situation: Situation) -> Iterator[Finding]:
    wanted = situation.session.route
    if wanted in product.routes:
        return
    sources = product.sources[:1]
    if not product.routes:
        text = f"{product.name}: its maker states no route: {wanted} use is on your own judgement"
        yield Finding("route-not-stated", Severity.OVERRIDE, product.id, text, sources)
    elif set(product.routes) == {Route.EXTERNAL} and wanted in INJECTED:
        text = f"{product.name} is labelled for external use only: never inject it"
        yield Finding("route-external-only", Severity.BLOCK, product.id, text, sources)
    else:
        routes = ", ".join(product.routes)
        text = f"{product.name} is labelled for another route ({routes}): {wanted} use is off label"
        yield Finding("route-off-label", Severity.OVERRIDE, product.id, text, sources)


def _cosmetic(product: Product, situation: Situation) -> Iterator[Finding]:
    session = situation.session
    if session.route not in INJECTED:
        return
    kinds = set(kinds_of(product, session.region))
    if session.region is None:
        kinds |= {one.kind for one in product.status}
    containers = once(part.container for part in situation.parts(product))
    if ProductKind.COSMETIC in kinds and FOR_INJECTION & set(containers):
        text = f"{product.name} is sold as a cosmetic, in a {containers[0].word}: never inject it"
        yield Finding("cosmetic-in-a-vial", Severity.BLOCK, product.id, text, product.sources[:1])


def _mixing(product: Product, situation: Situation) -> Iterator[Finding]:
    if product.mixing is Permission.YES:
        return
    name, sources = product.name, product.sources[:1]
    if product.mixing is Permission.NO:
        text = f"{name}: its maker does not permit mixing: inject it alone, or give the reason"
        yield Finding("mixing-not-permitted", Severity.OVERRIDE, product.id, text, sources)
        return
    kinds = set(kinds_of(product, situation.session.region))
    if kinds & {ProductKind.DEVICE, ProductKind.NOT_STATED}:
        what = (
            "is a device" if ProductKind.DEVICE in kinds else "may be a device, as nobody states what it is"
        )
        text = (
            f"{name} {what}, and its maker does not state that it may be mixed: inject it alone, or say why"
        )
        yield Finding("mixing-not-stated", Severity.OVERRIDE, product.id, text, sources)
        return
    missing = Missing("permission to mix", name)
    text = f"{name}: its maker does not state whether it may be mixed with other products"
    yield Finding("mixing-unknown", Severity.UNCHECKED, product.id, text, sources, (missing,))


def _words(product: Product) -> Iterator[Finding]:
    """Hand on what the label says in words, which no rule reads."""
    for code, words, heading in (
        ("labelled-contraindications", product.contraindications, "contraindications"),
        ("labelled-warnings", product.warnings, "warnings"),
    ):
        if words:
            text = f"{product.name}, {heading} as labelled: {'; '.join(words)}"
            yield Finding(code, Severity.INFO, product.id, text, product.sources[:1])


def _acidity(situation: Situation) -> Finding:
    told, silent = [], []
    for product in situation.products:
        for part in situation.parts(product):
            name = product.name if len(product.parts) == 1 else f"{product.name}, part {part.name}"
            if part.ph is None and part.osmolality is None:
                silent.append(name)
                continue
            ph = f"pH {part.ph}" if part.ph is not None else "pH not stated"
            told.append(f"{name}: {ph}, osmolality {part.osmolality or 'not stated'}")
    if silent:
        told.append(f"neither pH nor osmolality is stated for {listed(silent)}")
    text = "; ".join(told)
    if situation.is_mixed:
        text += "; neither is computed for the mixture, as the buffers of its parts are not known"
    return Finding("ph-and-osmolality", Severity.INFO, situation.subject, text)
