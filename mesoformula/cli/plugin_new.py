"""`mesoformula plugin new`."""

from __future__ import annotations

import shlex
from datetime import date
from importlib.util import find_spec
from pathlib import Path

import click

from mesoformula.cli.catalogue_new import vendor_id
from mesoformula.cli.common import app_of, print_wrapped, safe
from mesoformula.cli.options import example
from mesoformula.plugin_starting import (
    KINDS,
    LONGEST_NAME,
    USUAL_KINDS,
    distribution_of,
    module_of,
    project,
)
from mesoformula.provenance import candidates, normalised
from mesoformula.words import nearest, shown


@click.command("new", epilog=example("mesoformula plugin new acme --with catalogue,check"))
@click.argument("name", metavar="NAME")
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where; else mesoformula-NAME, here.",
)
@click.option(
    "--with",
    "kinds",
    metavar="KIND,…",
    help=f"What it offers: {', '.join(KINDS)}; else {','.join(USUAL_KINDS)}.",
)
def new(name: str, folder: Path | None, kinds: str | None) -> int:
    """
    Write a plugin to begin with: a project that installs, with tests that pass.

    NAME is the plugin's, and the id of its vendor: lower-case words joined by '-', or a name that an id is
    made of. Nothing that is there is replaced.
    """
    id_ = _free_name(name)
    chosen = _kinds(kinds)
    folder = folder if folder is not None else Path(distribution_of(id_))
    _can_be_made(folder)
    known = next((one for one in app_of().formulary.vendors if one.id == id_), None)
    texts = project(
        id_,
        known.name if known is not None else name.strip(),
        today=date.today(),  # noqa: DTZ011
        kinds=chosen,
        synonyms=known.synonyms if known is not None else (),
    )
    for path, text in texts.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    click.echo(f"written to {safe(folder)}: {len(texts)} files")
    for path in sorted(texts):
        click.echo(f"  {path}")
    _say_what_next(folder, id_, chosen)
    return 0


def _free_name(text: str) -> str:
    """Take a name, or make one, that no plugin bears and that makes a package."""
    id_ = vendor_id(text).removeprefix("mesoformula-")
    if len(id_) > LONGEST_NAME:
        raise click.UsageError(f"{shown(id_)} has {len(id_)} characters; expected at most {LONGEST_NAME}")
    found, _problems = candidates()
    wanted = {normalised(word) for word in (id_, module_of(id_))}
    for one in found:
        taken = {normalised(word) for word in (one.plugin.name, one.plugin.distribution or "", one.module)}
        if wanted & taken:
            away = f", or take that one away: pip uninstall {one.plugin.distribution}"
            raise click.UsageError(
                f"{shown(id_)} is the name of a plugin that is installed, {one.plugin}; choose another name"
                f"{'' if one.plugin.first_party else away}"
            )
    if find_spec(module_of(id_)) is not None:
        raise click.UsageError(f"the package {module_of(id_)} is installed already; choose another name")
    return id_


def _kinds(text: str | None) -> tuple[str, ...]:
    if text is None:
        return USUAL_KINDS
    words = [word.strip() for word in text.split(",") if word.strip()]
    for word in words:
        if word not in KINDS:
            near = nearest(word, KINDS)
            hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(KINDS)}"
            raise click.UsageError(f"--with {shown(word)}: no kind is called so; {hint}")
    if not words:
        raise click.UsageError(f"--with {shown(text)}: expected one or several of {', '.join(KINDS)}")
    return tuple(dict.fromkeys(words))


def _can_be_made(folder: Path) -> None:
    if folder.is_dir():
        if any(folder.iterdir()):
            raise click.UsageError(
                f"{safe(folder)} is there already, and holds files; name a new folder with --to"
            )
    elif folder.exists():
        raise click.UsageError(f"{safe(folder)} is a file; name a new folder with --to")
    elif not folder.absolute().parent.is_dir():
        raise click.UsageError(f"{safe(folder.parent)} is no folder; make it first")


def _say_what_next(folder: Path, name: str, kinds: tuple[str, ...]) -> None:
    word = safe(shlex.quote(str(folder)))
    click.echo(f"test it:        mesoformula plugin check {word}")
    click.echo(f"install it:     pip install -e {word}")
    if "catalogue" in kinds:
        click.echo(f"see what it is: mesoformula products {name}")
    print_wrapped(
        "What stands in it is made up: put your own in its place. README.md there says how to go on."
    )
