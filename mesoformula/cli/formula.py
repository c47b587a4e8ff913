"""`mesoformula formula`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mesoformula.app import App
from mesoformula.cli.common import (
    QuantityType,
    app_of,
    json_option,
    print_json,
    print_table,
    print_wrapped,
    report_problems,
    safe,
)
from mesoformula.encoding import to_plain
from mesoformula.errors import CatalogueError, FormulaError, MesoformulaError, Problem, QuantityError
from mesoformula.fields import IDENTIFIER
from mesoformula.formulas import Formula, Line
from mesoformula.recipes import FORMS, parse_line, to_toml, write_line
from mesoformula.sessions import Session
from mesoformula.units import show

if TYPE_CHECKING:
    from mesoformula.units import Quantity


@click.group("formula", epilog="Example: mesoformula formula show teaching-nctf-vitamin-c")
def command() -> None:
    """Write, check and show formulas: the recipes of cocktails."""


@command.command(
    "new",
    epilog="Example: mesoformula formula new my.toml --line 'phoenix-labs/ascorbic-acid-500=0.5 mL' "
    "--line 'b-braun/sodium-chloride-0-9-10ml=fill to 3 mL'",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--line", "texts", multiple=True, metavar="LINE", help=f"A product and how much: {FORMS}.")
@click.option("--id", "id_", metavar="ID", help="Unique name; the file's name if not given.")
@click.option("--name", metavar="NAME", help="Name for people.")
@click.option("--description", metavar="TEXT", help="What it is for.")
@click.option(
    "--total", type=QuantityType("volume"), metavar="VOLUME", help="Of the mixture, where parts need one."
)
def new(
    file: Path,
    texts: tuple[str, ...],
    id_: str | None,
    name: str | None,
    description: str | None,
    total: Quantity | None,
) -> int:
    """Write a formula to FILE from --line options, or by asking; it is worked out before it is written."""
    import re

    app = app_of()
    if file.exists():
        raise click.UsageError(f"{safe(file)} is there already; choose another name")
    if file.suffix != ".toml":
        raise click.UsageError(f"{safe(file)}: expected a name that ends in .toml")
    if not file.absolute().parent.is_dir():
        raise click.UsageError(f"{safe(file.parent)} is no folder")
    if not texts and not sys.stdin.isatty():
        raise click.UsageError("no --line given, and nobody to ask; expected such as --line " + FORMS)
    id_ = id_ or re.sub(r"[^a-z0-9]+", "-", file.stem.lower()).strip("-")
    if re.fullmatch(IDENTIFIER, id_) is None:
        raise click.UsageError(f"--id {id_!r}: expected lower-case words joined by '-', such as my-cocktail")
    lines: list[Line] = []
    for number, text in enumerate(texts, start=1):
        try:
            lines.append(parse_line(text))
        except QuantityError as err:
            raise click.UsageError(f"line {number}: {err}") from None
    if not texts:
        lines = _ask(app)
        name = name or click.prompt("Name", default=id_)
        description = description or click.prompt("What is it for", default="a mixture of my own")
    formula = Formula(
        id_, name or id_, tuple(lines), total=total, description=description or "a mixture of my own"
    )
    _try(app, formula)
    with file.open("x", encoding="utf-8") as stream:
        stream.write(to_toml(formula))
    click.echo(f"written to {safe(file)}; work out a session with: mesoformula session {safe(file)}")
    return 0


def _ask(app: App) -> list[Line]:
    """Ask for lines until an empty one, and again where one cannot be read."""
    lines: list[Line] = []
    click.echo(f"Each line: a product and how much, such as {FORMS}. An empty line ends.")
    while True:
        text = click.prompt(f"Line {len(lines) + 1}", default="", show_default=False)
        if not text:
            if lines:
                return lines
            click.echo("A formula needs at least one line.")
            continue
        try:
            line = parse_line(text)
            app.formulary.product(line.product)
        except MesoformulaError as err:
            click.echo(safe(err))
            continue
        lines.append(line)


def _try(app: App, formula: Formula) -> None:
    """Check a formula by reading back what would be written, and by working it out."""
    from mesoformula.catalogue.checks import check_line

    problems: list[str] = []
    for number, line in enumerate(formula.lines, start=1):
        check_line(
            line,
            lambda _code, message, _where, number=number: problems.append(f"line {number}: {message}"),  # type: ignore[misc]
            (),
        )
        for section, word in (("product", line.product), ("substance", line.substance)):
            if word is not None and word not in _names(app, section, word):
                near = app.formulary.nearest(section, word)
                hint = f"; did you mean {' or '.join(near)}?" if near else ""
                problems.append(f"line {number}: no {section} is called {word!r}{hint}")
    if problems:
        raise click.UsageError("; ".join(problems))
    _work_out(app, formula)


def _names(app: App, section: str, word: str) -> tuple[str, ...]:
    known = app.formulary.has_product(word) if section == "product" else app.formulary.has_substance(word)
    return (word,) if known else ()


def _work_out(app: App, formula: Formula) -> None:
    """Work a formula out as written; one in parts, at a size that can be measured."""
    from mesoformula.units import quantity

    all_parts = all(line.parts is not None for line in formula.lines) and formula.total is None
    volume = quantity(10 * sum(line.parts or 0 for line in formula.lines), "mL") if all_parts else None
    app.work_out(Session(formula, volume=volume))


@command.command("check", epilog="Example: mesoformula formula check my.toml")
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@json_option
def check(files: tuple[str, ...], as_json: bool) -> int:
    """Check formula files: every problem of every file, with its line."""
    app = app_of()
    problems = []
    checked: list[str] = []
    for file in files:
        try:
            names = app.add_formulas(Path(file))
            for name in names:
                try:
                    _work_out(app, app.formulary.formula(name))
                except FormulaError as err:
                    problems.extend(err.problems)
                checked.append(name)
            if not names:
                raise CatalogueError([_nothing(file)])
        except CatalogueError as err:
            problems.extend(err.problems)
    if as_json:
        print_json({"checked": checked, "problems": to_plain(tuple(problems), full=True)})
    else:
        for problem in problems:
            click.echo(safe(problem))
        click.echo(f"{len(checked)} formulas checked, {len(problems)} problems")
    return 3 if problems else 0


def _nothing(file: str) -> Problem:
    return Problem("formula", "holds no formula; expected [[formula]]", file)


@command.command("show", epilog="Example: mesoformula formula show teaching-all-lines")
@click.argument("formula", metavar="FORMULA")
@json_option
def show_formula(formula: str, as_json: bool) -> int:
    """Show a formula: a bundled id, a product's id, or a file."""
    app = app_of()
    found = app.formula(formula)
    if as_json:
        print_json(to_plain(found, full=True))
        return 0
    click.echo(safe(f"{found.name} ({found.id}, version {found.version})"))
    if found.teaching:
        click.echo("Teaching example: it describes no published mixture.")
    if found.description:
        print_wrapped(found.description)
    if found.total is not None:
        click.echo(f"Total {show(found.total)}")
    click.echo()
    print_table(
        ("#", "product", "how much"),
        (
            (number, app.formulary.product(line.product).name, write_line(line).partition("=")[2])
            for number, line in enumerate(found.lines, start=1)
        ),
    )
    for line in found.lines:
        click.echo(safe(f"  --line '{write_line(line)}'"))
    for source in found.sources:
        print_wrapped(f"{source.kind}, {source.where}, read {source.read}", first="Source: ")
    report_problems(app)
    return 0
