"""`mesoformula catalogue check` and `schema`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import attrs
import click

from mesoformula.app import App
from mesoformula.catalogue.files import CatalogueFile
from mesoformula.cli.common import app_of, counted, print_json, safe
from mesoformula.cli.options import example, json_option
from mesoformula.encoding import to_plain
from mesoformula.errors import Problem


@click.command("check", epilog=example("mesoformula catalogue check my.toml my-other-vendors/"))
@click.argument("paths", nargs=-1, required=True, metavar="PATH…")
@json_option
def check(paths: tuple[str, ...], as_json: bool) -> int:
    """Check files and folders: every problem of every file, with its line."""
    app = app_of()
    files, problems = _read(app, paths)
    known = {file.path for file in files}
    checked = app.formulary.check(files)
    problems += [problem for problem in checked if problem.path in known]
    products, said = _ask_plugins(app, files)
    problems += said
    problems = sorted(dict.fromkeys(problems), key=lambda one: (one.path or "", one.line or 0))
    count = len(
        known | {one.path for one in problems if one.path is not None and not Path(one.path).is_dir()}
    )
    if as_json:
        plain = to_plain(tuple(problems), full=True)
        print_json({"files": count, "products": products, "problems": plain})
    else:
        for problem in problems:
            click.echo(safe(problem))
        click.echo(
            f"{counted(count, 'file')}, {counted(products, 'product')}, {counted(len(problems), 'problem')}"
        )
    for problem in app.manager.problems:
        click.echo(safe(f"warning: {problem}"), err=True)
    return 3 if problems else 0


def _read(app: App, paths: Iterable[str]) -> tuple[list[CatalogueFile], list[Problem]]:
    """Add what the user named; what is loaded already is not added twice."""
    formulary = app.formulary
    files: dict[str, CatalogueFile] = {}
    before = len(formulary.problems)
    for path in dict.fromkeys(paths):
        files.update({file.path: file for file in formulary.add_catalogue(Path(path))})
    return list(files.values()), list(formulary.problems[before:])


def _ask_plugins(app: App, files: Iterable[CatalogueFile]) -> tuple[int, list[Problem]]:
    """Let plugins check the products of some files; count these."""
    wanted = {id(file) for file in files}
    count, problems = 0, []
    for entry in app.formulary.entries("product").values():
        if id(entry.file) not in wanted:
            continue
        count += 1
        if entry.record is None:
            continue
        for found in app.manager.check_product(entry.record):
            if found.path is None:
                message, plugin = found.message, str(found.plugin)
                message = message if message.startswith(entry.title) else f"{entry.title}: {message}"
                message = message if plugin in message else f"{message} (plugin {plugin})"
                placed = entry.problem(found.code, message, found.where)
                found = attrs.evolve(placed, plugin=found.plugin)
            problems.append(found)
    return count, problems


@click.command("schema", epilog=example("mesoformula catalogue schema catalogue.schema.json"))
@click.argument("out", required=False, metavar="[OUT]", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Replace the file if it is there.")
def schema(out: Path | None, replace: bool) -> int:
    """Print the format as JSON Schema, or write it to OUT, for an editor to complete and check by."""
    from mesoformula.catalogue.jsonschema import json_schema, schema_text

    text = schema_text(json_schema(app_of().formulary.classes.values()))
    if out is None:
        click.echo(text, nl=False)
        return 0
    if out.is_dir():
        raise click.UsageError(f"{safe(out)} is a folder; expected the name of a file")
    if out.exists() and not out.is_file():
        raise click.UsageError(f"{safe(out)} is no regular file; choose another name")
    if out.exists() and not replace:
        raise click.UsageError(f"{safe(out)} is there already; choose another name, or give --replace")
    out.write_text(text, encoding="utf-8")
    click.echo(f"written to {safe(out)}")
    return 0
