"""`mesoformula products`."""

from __future__ import annotations

import click

from mesoformula.cli.common import app_of, json_option, print_json, print_table, report_problems
from mesoformula.formulary import Formulary
from mesoformula.presentation import class_names, container_text
from mesoformula.products import Product
from mesoformula.words import folded


@click.command("products", epilog="Example: mesoformula products hyaluron --vendor ibsa")
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
    found = [
        product
        for product in formulary.products()
        if (vendor is None or folded(vendor) in (folded(product.vendor.id), folded(product.vendor.name)))
        and (class_id is None or formulary.classes[class_id].name in class_names(product, formulary))
        and _matches(product, text, formulary)
    ]
    if as_json:
        print_json([_plain(product, formulary) for product in found])
    elif found:
        print_table(
            ("product", "name", "container", "amounts"),
            (
                (product.id, product.name, container_text(product), amounts_known(product))
                for product in found
            ),
            whole=(0,),
        )
        click.echo(f"{len(found)} products" if len(found) != 1 else "1 product")
    else:
        near = formulary.nearest("product", text or "")
        click.echo("no product found" + (f"; did you mean {' or '.join(near)}?" if near else ""))
    report_problems(app)


def amounts_known(product: Product) -> str:
    """
    Say in a word how much of a composition is known.

    Args:
        product: Any product.

    Returns:
        `all stated`, `none stated`, or how many of how many, and whether any is disputed.
    """
    contents = [content for _part, content in product.contents()]
    stated = sum(1 for content in contents if content.strength is not None)
    disputed = sum(1 for content in contents if content.disputed)
    if not contents:
        return "no ingredients"
    said = (
        "all stated"
        if stated == len(contents)
        else "none stated"
        if not stated
        else f"{stated} of {len(contents)} stated"
    )
    return f"{said}, {disputed} disputed" if disputed else said


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
        "amounts": amounts_known(product),
        "nicknames": list(product.nicknames),
        "gtin": product.gtin,
    }
