"""`mesoformula products`."""

from __future__ import annotations

import click

from mesoformula.cli.common import (
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
from mesoformula.formulary import Formulary
from mesoformula.presentation import class_names, container_text
from mesoformula.products import Product, Vendor
from mesoformula.words import folded, nearest, shown


@click.command("products", epilog=example("mesoformula products hyaluron --vendor ibsa"))
@click.argument("text", required=False)
@click.option("--class", "class_id", metavar="CLASS", help="Only with an ingredient of this class.")
@click.option("--vendor", metavar="VENDOR", help="Only of this vendor.")
@json_option
def command(text: str | None, class_id: str | None, vendor: str | None, as_json: bool) -> None:
    """List products; TEXT finds names, nicknames, vendors, ids and substances."""
    app = app_of()
    formulary = app.formulary
    if class_id is not None and class_id not in formulary.classes:
        raise click.UsageError(
            f"no ingredient class is called {class_id!r}; known: {', '.join(formulary.classes)}"
        )
    vendors = {item.id: item for product in formulary.products() for item in [product.vendor]}
    if vendor is not None and not any(_is_vendor(item, vendor) for item in vendors.values()):
        near = nearest(vendor, [*vendors, *(item.name for item in vendors.values())])
        hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(vendors)}"
        raise click.UsageError(f"no vendor is called {shown(vendor)}; {hint}")
    found = [
        product
        for product in formulary.products()
        if (vendor is None or _is_vendor(product.vendor, vendor))
        and (class_id is None or formulary.classes[class_id].name in class_names(product, formulary))
        and _matches(product, text, formulary)
    ]
    found.sort(key=lambda product: (product.id, product.revision))
    if as_json:
        print_json([_plain(product, formulary) for product in found])
    elif found:
        latest = {product.id: product.revision for product in found}
        print_table(
            ("product", "container", "amounts"),
            (
                (
                    named(
                        product.name,
                        product.id if product.revision == latest[product.id] else product.pinned_id,
                    ),
                    container_text(product),
                    amounts_known(product),
                )
                for product in found
            ),
        )
        click.echo(f"{counted(len(found), 'product')}; everything known of one: mesoformula product ID")
    elif not formulary.names("product"):
        print_wrapped(nothing_offered(app, "product"))
    else:
        near = formulary.nearest("product", text or "")
        hint = f"did you mean {' or '.join(near)}?" if near else "list them all with: mesoformula products"
        print_wrapped(f"no product found; {hint}")
    report_problems(app)


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


def _matches(product: Product, text: str | None, formulary: Formulary) -> bool:
    if text is None:
        return True
    wanted = folded(text)
    words = [product.id, product.name, product.vendor.name, product.gtin or "", *product.nicknames]
    words += product.vendor.synonyms
    for _part, content in product.contents():
        if content.substance is not None:
            words.append(content.substance)
            if formulary.has_substance(content.substance):
                substance = formulary.substance(content.substance)
                words += [substance.name, *substance.synonyms]
    return any(wanted in folded(word) for word in words)


def _plain(product: Product, formulary: Formulary) -> object:
    return {
        "id": product.id,
        "revision": product.revision,
        "name": product.name,
        "vendor": product.vendor.name,
        "kind": product.kind.value,
        "container": container_text(product),
        "classes": list(class_names(product, formulary)),
        "routes": [route.value for route in product.routes],
        "amounts": _amounts(product),
        "nicknames": list(product.nicknames),
        "gtin": product.gtin,
    }
