"""`mesoformula products`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from mesoformula.cli.common import (
    amount_text,
    app_of,
    counted,
    named,
    nothing_offered,
    print_json,
    print_table,
    print_wrapped,
    report_problems,
)
from mesoformula.cli.options import example, json_option
from mesoformula.encoding import to_plain
from mesoformula.formulary import Formulary
from mesoformula.holdings import Holding, holdings
from mesoformula.presentation import class_names, container_text, held_classes
from mesoformula.products import Product, Route, Vendor
from mesoformula.words import folded, nearest, shown

if TYPE_CHECKING:
    from mesoformula.search import Match

NOT_STATED = "not-stated"


@click.command(
    "products",
    epilog=example("mesoformula products --substance ascorbic-acid --route intramuscular"),
)
@click.argument("text", required=False)
@click.option("--class", "class_id", metavar="CLASS", help="Only with an ingredient of this class.")
@click.option("--vendor", metavar="VENDOR", help="Only of this vendor.")
@click.option(
    "--substance",
    "substance_id",
    metavar="ID",
    help="Only what holds this substance or yields it, and how much.",
)
@click.option(
    "--route",
    type=click.Choice([*map(str, Route), NOT_STATED]),
    metavar="ROUTE",
    help="Only labelled for this route, such as intradermal; or not-stated.",
)
@click.option("--region", metavar="XX", help="Only with a legal status stated for this region, such as EU.")
@click.option("--undisclosed", is_flag=True, help="Only with an ingredient whose amount is not disclosed.")
@click.option("--disputed", is_flag=True, help="Only with an amount on which sources disagree.")
@json_option
def command(
    text: str | None,
    class_id: str | None,
    vendor: str | None,
    substance_id: str | None,
    route: str | None,
    region: str | None,
    undisclosed: bool,
    disputed: bool,
    as_json: bool,
) -> None:
    """
    List products, or find some: best first.

    TEXT finds names, nicknames, vendors, ids, trade item numbers and ingredients, and forgives a slip.
    """
    app = app_of()
    formulary = app.formulary
    _check(formulary, class_id, vendor)
    held = _held(formulary, substance_id)
    found = [
        (product, match)
        for product, match in _searched(formulary, text)
        if (vendor is None or _is_vendor(product.vendor, vendor))
        and (class_id is None or class_id in held_classes(product, formulary))
        and (held is None or product.pinned_id in held)
        and _has_route(product, route)
        and (region is None or region.upper() in {status.region for status in product.status})
        and (not undisclosed or _amounts(product)["undisclosed"])
        and (not disputed or _amounts(product)["disputed"])
    ]
    if as_json:
        print_json([_plain(product, match, held, formulary) for product, match in found])
    elif found and held is not None:
        _print_held([one for product, _match in found for one in held[product.pinned_id]], formulary)
    elif found:
        _print_found(found)
    elif not formulary.names("product"):
        print_wrapped(nothing_offered(app, "product"))
    else:
        near = formulary.nearest("product", text or "")
        more = "list them all with: mesoformula products; a file of your own is read with --catalogue FILE"
        hint = f"did you mean {' or '.join(near)}?" if near else more
        print_wrapped(f"no product found; {hint}")
    report_problems(app)


def _check(formulary: Formulary, class_id: str | None, vendor: str | None) -> None:
    if class_id is not None and class_id not in formulary.classes:
        raise click.UsageError(
            f"no ingredient class is called {class_id!r}; known: {', '.join(formulary.classes)}"
        )
    vendors = formulary.vendors
    if vendor is not None and vendors and not any(_is_vendor(item, vendor) for item in vendors):
        near = nearest(vendor, [name for item in vendors for name in (item.id, item.name)])
        known = ", ".join(item.id for item in vendors)
        hint = f"did you mean {' or '.join(near)}?" if near else f"known: {known}"
        raise click.UsageError(f"no vendor is called {shown(vendor)}; {hint}")


def _held(formulary: Formulary, substance: str | None) -> dict[str, list[Holding]] | None:
    """Find what holds a substance, by product; None where nobody asks."""
    if substance is None:
        return None
    formulary.substance(substance)
    held: dict[str, list[Holding]] = {}
    for one in holdings(formulary, substance):
        held.setdefault(one.product.pinned_id, []).append(one)
    return held


def _searched(formulary: Formulary, text: str | None) -> Iterable[tuple[Product, Match | None]]:
    if text is None:
        products = sorted(formulary.products(), key=lambda product: (product.id, product.revision))
        return [(product, None) for product in products]
    return [(one.record, one.match) for one in formulary.find_products(text)]


def _has_route(product: Product, route: str | None) -> bool:
    if route is None:
        return True
    return not product.routes if route == NOT_STATED else Route(route) in product.routes


def _print_found(found: Sequence[tuple[Product, Match | None]]) -> None:
    latest: dict[str, int] = {}
    for product, _match in found:
        latest[product.id] = max(latest.get(product.id, 0), product.revision)
    print_table(
        ("product", "container", "amounts"),
        (
            (
                named(
                    product.name,
                    product.id if product.revision == latest[product.id] else product.pinned_id,
                )
                + matched(match),
                container_text(product),
                amounts_known(product),
            )
            for product, match in found
        ),
    )
    click.echo(f"{counted(len(found), 'product')}; everything known of one: mesoformula product ID")


def _print_held(held: Sequence[Holding], formulary: Formulary) -> None:
    print_table(
        ("product", "form", "per container", "per mL"),
        (
            (
                named(one.product.name + (f", part {one.part}" if one.part else ""), one.product.id),
                formulary.substance(one.substance).name
                + (f"\n  {one.content.as_published}" if one.content.as_published else ""),
                amount_text(one.per_container) if one.per_container.low is not None else _unknown(one),
                amount_text(one.per_ml) if one.per_ml.low is not None else _unknown(one),
            )
            for one in held
        ),
    )
    click.echo(counted(len({one.product.pinned_id for one in held}), "product"))


def _unknown(one: Holding) -> str:
    """Say why there is no figure: the label is silent, or a size or density is missing."""
    return "not disclosed" if one.content.undisclosed else "not known"


def matched(match: Match | None) -> str:
    """
    Say on a line of its own what a search met, where that is not the name itself.

    Args:
        match: How the text met a name.

    Returns:
        Text for the end of a cell; empty where the name speaks for itself.
    """
    if match is None or match.name.kind in ("name", "id"):
        return ""
    near = " comes near" if match.how == "close" else ""
    return f"\n  {match.name.kind}{near}: {match.name.text}"


def amounts_known(product: Product) -> str:
    """
    Say in a few words how much of a composition is known.

    Args:
        product: Any product.

    Returns:
        Such as `all stated`, `none disclosed` or `1 of 5 stated, 1 disputed`.
    """
    known = _amounts(product)
    total = sum(known.values())
    if not total:
        return "no ingredients listed"
    if known["undisclosed"] == total:
        return "none disclosed"
    said = [
        f"all {word}" if known[word] == total else f"{known[word]} of {total} {word}"
        for word in ("stated", "disputed")
        if known[word]
    ]
    return ", ".join(said)


def _amounts(product: Product) -> dict[str, int]:
    contents = [content for _part, content in product.contents()]
    stated = sum(1 for content in contents if content.strength is not None)
    disputed = sum(1 for content in contents if content.disputed)
    return {"stated": stated, "disputed": disputed, "undisclosed": len(contents) - stated - disputed}


def _is_vendor(vendor: Vendor, name: str) -> bool:
    return folded(name) in map(folded, (vendor.id, vendor.name, *vendor.synonyms))


def _plain(
    product: Product, match: Match | None, held: dict[str, list[Holding]] | None, formulary: Formulary
) -> dict[str, Any]:
    plain = {
        "id": product.id,
        "revision": product.revision,
        "name": product.name,
        "vendor": product.vendor.name,
        "kind": product.kind.value,
        "container": container_text(product),
        "classes": list(class_names(product, formulary)),
        "routes": [route.value for route in product.routes],
        "regions": [status.region for status in product.status],
        "amounts": _amounts(product),
        "nicknames": list(product.nicknames),
        "gtin": product.gtin,
        "matched": None if match is None else matched_plain(match),
    }
    if held is not None:
        plain["holds"] = [
            {
                "substance": one.substance,
                "part": one.part,
                "per_container": to_plain(one.per_container),
                "per_mL": to_plain(one.per_ml),
                "as_published": one.content.as_published,
            }
            for one in held[product.pinned_id]
        ]
    return plain


def matched_plain(match: Match) -> dict[str, str]:
    """
    Bring a match to plain data.

    Args:
        match: How a text met a name.

    Returns:
        The name, its kind, and how it was met.
    """
    return {"name": match.name.text, "kind": match.name.kind, "how": match.how}
