"""`mesoformula product`."""

from __future__ import annotations

import click

from mesoformula.cli.common import (
    app_of,
    counted,
    print_json,
    print_table,
    print_wrapped,
    report_problems,
    safe,
)
from mesoformula.cli.options import example, json_option
from mesoformula.cli.treatments import schedule
from mesoformula.contents import Content
from mesoformula.encoding import to_plain
from mesoformula.formulary import Formulary
from mesoformula.presentation import container_text, storage_text
from mesoformula.products import Doses, Part, Product, Status
from mesoformula.units import show

NOT_STATED = "not stated"


@click.command("product", epilog=example("mesoformula product fresenius-kabi/soluvit-n"))
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
    print_wrapped(f"{product.name} — {product.vendor.name}")
    click.echo(safe(f"{product.id}, revision {product.revision}\n"))
    pack = product.containers_per_pack
    unit = "kit" if product.is_kit else "container"
    stable, in_use = product.stability_after_preparation, product.in_use_period
    facts = [
        ("container", container_text(product)),
        ("pack", counted(pack, unit) if pack else ""),
        ("kind", product.kind.value),
        ("routes", ", ".join(product.routes)),
        ("legal status", "; ".join(map(_status, product.status))),
        ("storage", storage_text(product.storage)),
        ("doses", f"{product.doses.value}-dose" if product.doses is not Doses.NOT_STATED else ""),
        ("in-use period", show(in_use) if in_use is not None else ""),
        ("once prepared", f"stable for {show(stable)}" if stable is not None else ""),
        ("mixing permitted", product.mixing.value),
        ("GTIN", product.gtin or ""),
    ]
    _print_facts([(word, text) for word, text in facts if text not in ("", NOT_STATED)])
    unknown = [word for word, text in facts if text in ("", NOT_STATED)]
    _print_facts(
        [
            (NOT_STATED, ", ".join(unknown)),
            ("also called", ", ".join(product.nicknames)),
            ("protocol", product.protocol or ""),
            ("note", product.notes or ""),
            ("corrected", product.corrected or ""),
        ]
    )
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
    protocols = [one for one in formulary.protocols() if product.id in one.products]
    if protocols:
        click.echo("\nPublished protocols")
        for protocol in protocols:
            where = f"{protocol.source.kind}, {protocol.source.where}"
            print_wrapped(f"{protocol.name} ({protocol.id}): {schedule(protocol)} ({where})", first="- ")
    uses = [one for one in formulary.formulas() if product.id in {line.product for line in one.lines}]
    if uses:
        print_wrapped(", ".join(one.id for one in uses), first="\nFormulas with it: ", rest="  ")
    click.echo("\nSources")
    for source in product.sources:
        key = f"{source.key}: " if source.key else ""
        note = f" ({source.note})" if source.note else ""
        print_wrapped(f"{key}{source.kind}, {source.where}, read {source.read}{note}", first="- ")


def _status(status: Status) -> str:
    device_class = f" class {status.device_class}" if status.device_class else ""
    return f"{status.region}: {status.kind}{device_class}"


def _print_facts(facts: list[tuple[str, str]]) -> None:
    for word, text in facts:
        if text:
            print_wrapped(text, first=f"{word:<18}")


def _print_part(part: Part, product: Product, formulary: Formulary) -> None:
    count = f"{part.per_kit} × " if part.per_kit > 1 else ""
    title = f"Part {part.name}: {count}{part.container.word}, {part.form}" if part.name else "Composition"
    click.echo(f"\n{title}")
    made = part.reconstitution
    dissolve = displacement = counts = ""
    if made is not None:
        diluents = " or ".join(_substance(name, formulary) for name in made.diluents) or "diluent"
        dissolve = f"{made.method} {show(made.volume)} of {diluents}"
        displacement = show(made.displacement) if made.displacement is not None else NOT_STATED
        counts = show(made.labelled_volume) if made.labelled_volume is not None else ""
    _print_facts(
        [
            ("fill", show(part.volume) if part.volume is not None else ""),
            ("mass", show(part.mass) if part.mass is not None else ""),
            ("density", show(part.density) if part.density is not None else ""),
            ("pH", part.ph or ""),
            ("osmolality", part.osmolality or ""),
            ("dissolve", dissolve),
            ("displacement", displacement),
            ("label counts", counts),
        ]
    )
    if part.composition:
        _print_composition(part.composition, product, formulary)
    auxiliaries = [
        _substance(auxiliary.substance, formulary)
        + (f" {auxiliary.strength}" if auxiliary.strength is not None else "")
        for auxiliary in part.auxiliaries
    ]
    _print_facts([("auxiliaries", ", ".join(auxiliaries))])


def _print_composition(contents: tuple[Content, ...], product: Product, formulary: Formulary) -> None:
    print_table(
        ("ingredient", "amount", "source", "as published"),
        (
            (_name(content, formulary), *_amount(content, product), content.as_published or "")
            for content in contents
        ),
    )


def _name(content: Content, formulary: Formulary) -> str:
    if content.substance is None:
        known = formulary.classes.get(content.ingredient_class or "")
        return f"{known.name if known else content.ingredient_class} (not named)"
    return _substance(content.substance, formulary)


def _substance(name: str, formulary: Formulary) -> str:
    """Name a substance for people; by its id where nobody offers it."""
    return formulary.substance(name).name if formulary.has_substance(name) else name


def _amount(content: Content, product: Product) -> tuple[str, str]:
    """Write an amount, and the kind of its source; one of each per line where sources disagree."""
    if content.strength is not None:
        return content.strength.written or str(content.strength), product.source(content.source).kind
    if content.disputed:
        strengths = [stated.strength.written or str(stated.strength) for stated in content.disputed]
        kinds = [product.source(stated.source).kind for stated in content.disputed]
        return "\n".join(("disputed:", *strengths)), "\n".join(("", *kinds))
    return f"not disclosed ({content.reason})" if content.reason else "not disclosed", ""
