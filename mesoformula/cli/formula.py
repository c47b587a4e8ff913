"""`mesoformula formula`."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mesoformula.app import App
from mesoformula.catalogue.files import parse
from mesoformula.cli.common import (
    app_of,
    counted,
    named,
    print_json,
    print_table,
    print_wrapped,
    report_problems,
    safe,
)
from mesoformula.cli.options import NounGroup, QuantityType, example, json_option
from mesoformula.encoding import to_plain
from mesoformula.errors import (
    CatalogueError,
    FormulaError,
    MesoformulaError,
    Problem,
    QuantityError,
    UnknownNameError,
)
from mesoformula.fields import IDENTIFIER
from mesoformula.formulary import Formulary
from mesoformula.formulas import Formula, Line
from mesoformula.recipes import FORMS, how_much, parse_line, to_toml, write_line
from mesoformula.sessions import Session
from mesoformula.units import show
from mesoformula.words import shown

if TYPE_CHECKING:
    from mesoformula.units import Quantity

#: What a formula is for, if its author does not say.
PURPOSE = "a mixture of my own"


@click.group("formula", cls=NounGroup, epilog=example("mesoformula formula show teaching-nctf-vitamin-c"))
def command() -> None:
    """Write, check and show formulas: the recipes of cocktails."""


@command.command(
    "new",
    short_help="Write a formula to a file, from options or by asking.",
    epilog=example(
        "mesoformula formula new my.toml",
        "--line 'phoenix-labs/ascorbic-acid-500=0.5 mL'",
        "--line 'b-braun/sodium-chloride-0-9-10ml=fill to 3 mL'",
    ),
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
    """
    Write a formula to FILE from --line options, or by asking.

    It is worked out before it is written: what cannot be prepared is refused, with the reason.
    """
    app = app_of()
    if file.exists():
        raise click.UsageError(f"{safe(file)} is there already; choose another name")
    if file.suffix != ".toml":
        raise click.UsageError(f"{safe(file)}: expected a name that ends in .toml")
    if not file.absolute().parent.is_dir():
        raise click.UsageError(f"{safe(file.parent)} is no folder; make it first")
    if not texts and not sys.stdin.isatty():
        raise click.UsageError("no --line given, and nobody to ask; expected such as --line " + FORMS)
    id_ = _id(app, id_, file)
    for option, value in (("--name", name), ("--description", description)):
        if value is not None and not (value.strip() and value.isprintable()):
            raise click.UsageError(f"{option} {shown(value)}: expected one line of text that prints")
    lines: list[Line] = []
    for number, text in enumerate(texts, start=1):
        try:
            lines.append(parse_line(text))
        except QuantityError as err:
            raise click.UsageError(f"line {number}: {err}") from None
    if not texts:
        lines = _ask(app)
        name = name or click.prompt("Name", default=id_)
        description = description or click.prompt("What is it for", default=PURPOSE)
    formula = Formula(id_, name or id_, tuple(lines), total=total, description=description or PURPOSE)
    text = to_toml(formula)
    _try(app, formula, text)
    with file.open("x", encoding="utf-8") as stream:
        stream.write(text)
    click.echo(f"written to {safe(file)}")
    click.echo(f"work out a session with: mesoformula session {safe(file)}")
    return 0


def _id(app: App, given: str | None, file: Path) -> str:
    """Choose the id: as given, else from the file's name; never one that is taken."""
    name = given if given is not None else re.sub(r"[^a-z0-9]+", "-", file.stem.lower()).strip("-")
    if re.fullmatch(IDENTIFIER, name) is None:
        found = f"--id {shown(name)}" if given is not None else f"{safe(file.name)} makes no id; give --id"
        raise click.UsageError(f"{found}: expected lower-case words joined by '-', such as my-cocktail")
    if app.formulary.has_formula(name):
        raise click.UsageError(f"a formula is called {name!r} already; choose another name, or give --id")
    return name


def _ask(app: App) -> list[Line]:
    """Ask for lines until an empty one, and again where one cannot be read."""
    lines: list[Line] = []
    print_wrapped(f"Each line: a product and how much, such as {FORMS}. An empty line ends.")
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
            if line.substance is not None:
                app.formulary.substance(line.substance)
        except MesoformulaError as err:
            print_wrapped(str(err))
            continue
        lines.append(line)


def _try(app: App, formula: Formula, text: str) -> None:
    """Check a formula by reading back what would be written, and by working it out."""
    problems = [
        f"line {number}: {_unknown(app, section, word)}"
        for number, line in enumerate(formula.lines, start=1)
        for section, word in (("product", line.product), ("substance", line.substance))
        if word is not None and not _is_known(app, section, word)
    ]
    why = f" ({'; '.join(app.missing_plugins())})" if problems and app.missing_plugins() else ""
    if not problems:
        problems = [problem.message for problem in _read_back(app, formula, text)]
    if problems:
        raise click.UsageError("; ".join(problems) + why)
    _work_out(app, formula)


def _read_back(app: App, formula: Formula, text: str) -> tuple[Problem, ...]:
    """Read what would be written, in a formulary of its own."""
    alone = Formulary(app.formulary.classes.values())
    # What UTF-8 cannot hold is no text that a file could give back.
    file = parse(text.encode("utf-8", "backslashreplace"), "")
    if isinstance(file, Problem):
        return (file,)
    alone.add_file(file)
    try:
        read = alone.formula(formula.id)
    except CatalogueError as err:
        return err.problems
    if read != formula:
        raise MesoformulaError(
            f"formula {formula.id} would not read back as it was given; nothing was written"
        )
    return ()


def _is_known(app: App, section: str, word: str) -> bool:
    return app.formulary.has_product(word) if section == "product" else app.formulary.has_substance(word)


def _unknown(app: App, section: str, word: str) -> UnknownNameError:
    return UnknownNameError(section, word, app.formulary.nearest(section, word))


def _work_out(app: App, formula: Formula) -> None:
    """Work a formula out as written; one in parts, at a size that can be measured."""
    from mesoformula.units import quantity

    all_parts = all(line.parts is not None for line in formula.lines) and formula.total is None
    volume = quantity(10 * sum(line.parts or 0 for line in formula.lines), "mL") if all_parts else None
    app.work_out(Session(formula, volume=volume))


@command.command("check", epilog=example("mesoformula formula check my.toml"))
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@json_option
def check(files: tuple[str, ...], as_json: bool) -> int:
    """Check formula files: every problem of every file, with its line."""
    app = app_of()
    problems: list[Problem] = []
    checked: list[str] = []
    for file in dict.fromkeys(files):
        try:
            names = app.add_formulas(Path(file))
            if not names:
                raise CatalogueError([_nothing(file)])
        except CatalogueError as err:
            problems.extend(err.problems)
            continue
        for name in names:
            try:
                _work_out(app, app.formulary.formula(name))
            except FormulaError as err:
                problems.extend(err.problems)
            checked.append(name)
    if as_json:
        print_json({"checked": checked, "problems": to_plain(tuple(problems), full=True)})
    else:
        for problem in problems:
            click.echo(safe(problem))
        click.echo(f"{counted(len(checked), 'formula')} checked, {counted(len(problems), 'problem')}")
    return 3 if problems else 0


def _nothing(file: str) -> Problem:
    return Problem("formula", "holds no formula; expected [[formula]]", file)


@command.command("show", epilog=example("mesoformula formula show teaching-all-lines"))
@click.argument("formula", metavar="FORMULA")
@json_option
def show_formula(formula: str, as_json: bool) -> int:
    """Show a formula: a bundled id, a product's id, or a file."""
    app = app_of()
    found = app.formula(formula)
    if as_json:
        print_json(to_plain(found, full=True))
        return 0
    print_wrapped(found.name)
    click.echo(safe(found.id if "/" in found.id else f"{found.id}, version {found.version}"))
    if found.teaching:
        click.echo("A teaching example: it describes no published mixture.")
    if found.description:
        print_wrapped(found.description)
    if found.total is not None:
        click.echo(f"Total {show(found.total)}")
    click.echo()
    print_table(
        ("#", "how much", "product"),
        (
            (number, how_much(line), named(_product_name(app, line), line.product))
            for number, line in enumerate(found.lines, start=1)
        ),
        right=(0,),
    )
    click.echo("\nThe same as options of 'mesoformula formula new':")
    for line in found.lines:
        click.echo(safe(f"  --line '{write_line(line)}'"))
    for source in found.sources:
        print_wrapped(f"{source.kind}, {source.where}, read {source.read}", first="Source: ")
    report_problems(app)
    return 0


def _product_name(app: App, line: Line) -> str:
    """Name a line's product; its id where nobody offers it."""
    name = app.formulary.product(line.product).name if app.formulary.has_product(line.product) else "?"
    return name + (f", part {line.part}" if line.part is not None else "")
