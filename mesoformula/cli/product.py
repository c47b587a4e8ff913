"""`mesoformula product`."""

from __future__ import annotations

import click

from mesoformula.cli.common import (
    app_of,
    json_option,
    print_json,
    print_table,
    print_wrapped,
    report_problems,
)
from mesoformula.encoding import to_plain
from mesoformula.errors import UnknownNameError
from mesoformula.formulary import Formulary
from mesoformula.presentation import container_text, storage_text
from mesoformula.products import Content, Part, Product
from mesoformula.units import show

NOT_STATED = "not stated"


@click.command("product", epilog="Example: mesoformula product fresenius-kabi/soluvit-n")
@click.argument("name", metavar="ID")
@json_option
def command(name: str, as_json: bool) -> None:
    """Show everything known, disputed and unknown of one product, its sources last."""
    app = app_of()
    product = app.formulary.product(name)
    if as_json:
        classes = {known.id: known.attributes for known in app.formulary.classes.values()}
        plain = to_plain(product, full=True, classes=classes)
        if isinstance(plain, dict):
            plain = {"id": product.id, **plain}
        print_json(plain)
    else:
        _print(product, app.formulary)
    report_problems(app)


def _print(product: Product, formulary: Formulary) -> None:
    click.echo(f"{product.name} — {product.vendor.name}")
    click.echo(f"{product.id}, revision {product.revision}\n")
    pack = product.containers_per_pack
    unit = "kits" if product.is_kit else "containers"
    facts = [
        ("container", container_text(product)),
        ("pack", f"{pack} {unit if pack != 1 else unit[:-1]}" if pack else NOT_STATED),
        ("kind", product.kind.value),
        ("routes", ", ".join(product.routes) or NOT_STATED),
        (
            "status",
            "; ".join(
                f"{status.region}: {status.kind}"
                + (f" class {status.device_class}" if status.device_class else "")
                for status in product.status
            )
            or NOT_STATED,
        ),
        ("storage", storage_text(product.storage)),
        ("doses", product.doses.value),
        ("in use", show(product.in_use_period) if product.in_use_period is not None else NOT_STATED),
        (
            "once prepared",
            show(product.stability_after_preparation)
            if product.stability_after_preparation is not None
            else NOT_STATED,
        ),
        ("mixing permitted", product.mixing.value),
        ("GTIN", product.gtin or NOT_STATED),
        ("also called", ", ".join(product.nicknames)),
        ("protocol", product.protocol or ""),
        ("note", product.notes or ""),
        ("corrected", product.corrected or ""),
    ]
    for word, text in facts:
        if text:
            print_wrapped(text, first=f"{word:<17}")
    for title, sentences in (
        ("Contraindications", product.contraindications),
        ("Warnings", product.warnings),
    ):
        if sentences:
            click.echo(f"\n{title}")
            for sentence in sentences:
                print_wrapped(sentence, first="- ")
    for part in product.parts:
        _print_part(part, product, formulary)
    if product.composition:
        click.echo("\nIn the kit, in a part that no source names")
        _print_composition(product.composition, product, formulary)
    click.echo("\nSources")
    for source in product.sources:
        key = f"{source.key}: " if source.key else ""
        note = f" ({source.note})" if source.note else ""
        print_wrapped(f"{key}{source.kind}, {source.where}, read {source.read}{note}", first="- ")


def _print_part(part: Part, product: Product, formulary: Formulary) -> None:
    count = f"{part.per_kit} × " if part.per_kit > 1 else ""
    title = f"Part {part.name}: {count}{part.container.word}, {part.form}" if part.name else "Composition"
    click.echo(f"\n{title}")
    facts = [
        ("fill", show(part.volume) if part.volume is not None else ""),
        ("mass", show(part.mass) if part.mass is not None else ""),
        ("density", show(part.density) if part.density is not None else ""),
        ("pH", part.ph or ""),
        ("osmolality", part.osmolality or ""),
    ]
    if part.reconstitution is not None:
        made = part.reconstitution
        diluents = " or ".join(made.diluents) or "diluent"
        facts.append(("dissolve", f"{made.method} {show(made.volume)} of {diluents}"))
        facts.append(
            ("displacement", show(made.displacement) if made.displacement is not None else NOT_STATED)
        )
        if made.labelled_volume is not None:
            facts.append(("label counts", show(made.labelled_volume)))
    for word, text in facts:
        if text:
            print_wrapped(text, first=f"{word:<17}")
    if part.composition:
        _print_composition(part.composition, product, formulary)
    if part.auxiliaries:
        print_wrapped(
            ", ".join(
                auxiliary.substance + (f" {auxiliary.strength}" if auxiliary.strength is not None else "")
                for auxiliary in part.auxiliaries
            ),
            first="auxiliaries      ",
        )


def _print_composition(contents: tuple[Content, ...], product: Product, formulary: Formulary) -> None:
    print_table(
        ("ingredient", "amount", "as published"),
        (
            (_name(content, formulary), _amount(content, product), content.as_published or "")
            for content in contents
        ),
    )


def _name(content: Content, formulary: Formulary) -> str:
    if content.substance is None:
        known = formulary.classes.get(content.ingredient_class or "")
        return f"{known.name if known else content.ingredient_class} (not named)"
    try:
        return formulary.substance(content.substance).name
    except UnknownNameError:
        return content.substance


def _amount(content: Content, product: Product) -> str:
    if content.strength is not None:
        source = product.source(content.source)
        return f"{content.strength.written or content.strength} ({source.kind})"
    if content.disputed:
        return "DISPUTED: " + "; ".join(
            f"{stated.strength.written or stated.strength} ({product.source(stated.source).kind})"
            for stated in content.disputed
        )
    return f"not disclosed ({content.reason})" if content.reason else "not disclosed"
