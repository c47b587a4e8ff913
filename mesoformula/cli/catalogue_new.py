"""`mesoformula catalogue new`."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import click

from mesoformula.catalogue.places import own_folder
from mesoformula.catalogue.starting import starter
from mesoformula.catalogue.toml_text import slug
from mesoformula.cli.common import app_of, print_wrapped, safe
from mesoformula.cli.options import example
from mesoformula.fields import IDENTIFIER
from mesoformula.words import shown


@click.command("new", epilog=example("mesoformula catalogue new acme --name 'Acme Aesthetics'"))
@click.argument("vendor", metavar="VENDOR")
@click.option("--name", metavar="NAME", help="Name for people; else VENDOR as you type it.")
@click.option(
    "--to", "path", type=click.Path(path_type=Path), metavar="FILE", help="Where; else ID.toml, here."
)
@click.option("--replace", is_flag=True, help="Replace the file if it is there.")
def new(vendor: str, name: str | None, path: Path | None, replace: bool) -> int:
    """
    Write a catalogue to begin with, for VENDOR: every field that matters stands in it and is explained.

    VENDOR is the id, lower-case words joined by '-', or a name that an id is made of.
    """
    id_ = vendor_id(vendor)
    if name is not None and not (name.strip() and name.isprintable()):
        raise click.UsageError(f"--name {shown(name)}: expected one line of text that prints")
    path = file_to_write(path, id_, replace=replace)
    formulary = app_of().formulary
    formulary.forget(path)  # what is about to be replaced tells nothing of its vendor
    known = next((one for one in formulary.vendors if one.id == id_), None)
    if known is not None and name is not None and name != known.name:
        raise click.UsageError(
            f"vendor {id_!r} is known already, as {shown(known.name)}: leave --name out to add to its "
            "products, or choose another id"
        )
    called = known.name if known is not None else name or vendor.strip()
    synonyms = known.synonyms if known is not None else ()
    path.write_text(
        starter(id_, called, today=date.today(), synonyms=synonyms, file=str(path)),  # noqa: DTZ011
        encoding="utf-8",
    )
    click.echo(f"written to {safe(path)}")
    if known is not None:
        print_wrapped(f"{known.name} is a known vendor: your products stand beside its others")
    say_what_next(path, id_)
    return 0


def vendor_id(text: str) -> str:
    """
    Take an id, or make one of a name.

    Args:
        text: What was typed.

    Returns:
        Lower-case words joined by '-'.

    Raises:
        click.UsageError: If it holds no letter or digit that an id may hold.
    """
    id_ = text if re.fullmatch(IDENTIFIER, text) is not None else slug(text)
    if not id_ or len(id_) > 60 or not text.isprintable():
        raise click.UsageError(
            f"{shown(text)} makes no id; expected lower-case words joined by '-', such as acme-aesthetics"
        )
    return id_


def file_to_write(path: Path | None, id_: str, *, replace: bool) -> Path:
    """
    Choose the file that a catalogue is written to.

    Args:
        path: As the user says; None for a file here that is named after the vendor.
        id_: Of the vendor.
        replace: Whether it may be there already.

    Returns:
        The file, which can be written.

    Raises:
        click.UsageError: If it cannot, or is there already.
    """
    path = path if path is not None else Path(f"{id_}.toml")
    if path.suffix != ".toml":
        raise click.UsageError(f"{safe(path)}: expected a name that ends in .toml")
    if path.is_dir():
        raise click.UsageError(f"{safe(path)} is a folder; expected the name of a file")
    if not path.absolute().parent.is_dir():
        raise click.UsageError(f"{safe(path.parent)} is no folder; make it first")
    if path.exists() and not path.is_file():
        raise click.UsageError(f"{safe(path)} is no regular file; choose another name with --to")
    if path.exists() and not replace:
        raise click.UsageError(
            f"{safe(path)} is there already; choose another name with --to, or give --replace"
        )
    return path


def say_what_next(path: Path, id_: str) -> None:
    """
    Say what to type next.

    Args:
        path: The catalogue.
        id_: Of its vendor.
    """
    import shlex

    word = safe(shlex.quote(str(path)))
    click.echo(f"check it:       mesoformula catalogue check {word}")
    click.echo(f"see what it is: mesoformula --catalogue {word} products {id_}")
    print_wrapped(f"In {own_folder()} it is read without --catalogue.")
