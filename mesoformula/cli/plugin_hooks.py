"""`mesoformula plugin hooks`."""

from __future__ import annotations

import click

from mesoformula.cli.common import print_json, print_table, print_wrapped
from mesoformula.cli.options import example, json_option
from mesoformula.contract_version import written
from mesoformula.hook_reference import HookDoc, hook_docs, reference
from mesoformula.hookspecs import CONTRACT_VERSION, PROJECT

_PREFIX = f"{PROJECT}_"


@click.command("hooks", epilog=example("mesoformula plugin hooks check_session"))
@click.argument("name", required=False, metavar="[HOOK]")
@click.option("--markdown", is_flag=True, help="Print the whole reference as Markdown.")
@json_option
def hooks(name: str | None, markdown: bool, as_json: bool) -> None:
    """List the hooks that a plugin may implement, or show one with an example."""
    if markdown:
        if as_json or name is not None:
            raise click.UsageError("--markdown stands alone: it prints the whole reference as text")
        click.echo(reference(), nl=False)
        return
    docs = hook_docs() if name is None else (_found(name),)
    if as_json:
        print_json({"contract": written(CONTRACT_VERSION), "hooks": [_plain(one) for one in docs]})
    elif name is None:
        print_table(
            ("hook", "what it is for"), [(one.name.removeprefix(_PREFIX), one.summary) for one in docs]
        )
        click.echo(
            f"Contract {written(CONTRACT_VERSION)}; every name begins with {_PREFIX}; "
            "more: mesoformula plugin hooks HOOK"
        )
    else:
        _print(docs[0])


def _found(name: str) -> HookDoc:
    docs = {one.name: one for one in hook_docs()}
    wanted = name if name.startswith(_PREFIX) else f"{_PREFIX}{name}"
    if wanted not in docs:
        from mesoformula.words import nearest, shown

        close = nearest(wanted, docs, most=2)
        hint = f"did you mean {' or '.join(close)}?" if close else "see 'mesoformula plugin hooks'"
        raise click.UsageError(f"no hook is called {shown(name)}; {hint}")
    return docs[wanted]


def _plain(one: HookDoc) -> dict[str, object]:
    return {
        "name": one.name,
        "signature": one.signature,
        "summary": one.summary,
        "called": list(one.called),
        "arguments": dict(one.arguments),
        "returns": one.returns,
        "raises": dict(one.raises),
        "example": one.example,
    }


def _print(one: HookDoc) -> None:
    print_wrapped(one.signature, rest="    ")
    for paragraph in (one.summary, *one.called):
        click.echo()
        print_wrapped(paragraph)
    click.echo()
    items = {**one.arguments, "returns": one.returns}
    items.update({f"raises {kind}": text for kind, text in one.raises.items()})
    for word, text in items.items():
        print_wrapped(text, first=f"{word}: ", rest="  ")
    click.echo()
    click.echo("\n".join(f"    {line}" if line else "" for line in one.example.splitlines()))
