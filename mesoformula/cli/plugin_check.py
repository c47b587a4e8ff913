"""`mesoformula plugin check`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mesoformula.cli.common import counted, print_json, print_wrapped, safe
from mesoformula.cli.options import example, json_option

if TYPE_CHECKING:
    from mesoformula.testing.reports import Report

_MARKS = {"passed": "ok  ", "failed": "FAIL", "not applicable": "-   "}


@click.command("check", epilog=example("mesoformula plugin check my_plugin.py"))
@click.argument("target", metavar="NAME|PATH")
@json_option
def check(target: str, as_json: bool) -> int:
    """
    Test a plugin by the rules that ours obey, and print a report.

    NAME is an installed plugin, distribution or module; PATH a .py file, the folder of a package, or of a
    project with pyproject.toml, which need not be installed. The plugin's code is run. The same rules are in
    the classes of mesoformula.testing, for pytest.
    """
    from mesoformula.testing.reports import reports_of

    reports = list(reports_of(target))
    if as_json:
        print_json({"reports": [_plain(report) for report in reports]})
    else:
        for number, report in enumerate(reports):
            if number:
                click.echo()
            _print(report)
    return 0 if all(report.is_right for report in reports) else 3


def _print(report: Report) -> None:
    from mesoformula.testing.rules import State

    click.echo(safe(f"Plugin {report.plugin}"))
    print_wrapped(", ".join(report.hooks) or "none", first="Hooks: ")
    click.echo(
        safe(
            f"Tried with mesoformula {report.mesoformula}, contract {report.contract}, "
            f"Python {report.python}, {report.platform}"
        )
    )
    kind = None
    for verdict in report.verdicts:
        is_left_out = verdict.rule.kind not in _tried(report) or not report.hooks
        if verdict.state is State.NOT_APPLICABLE and is_left_out:
            continue
        if verdict.rule.kind != kind:
            kind = verdict.rule.kind
            click.echo(f"\n{kind.capitalize()}")
        mark = _MARKS[verdict.state]
        print_wrapped(f"{verdict.rule.code}: {verdict.rule.sentence}", first=f"  {mark} ", rest=" " * 7)
        for problem in verdict.problems:
            print_wrapped(problem.message, first="       - ")
        if verdict.reason:
            print_wrapped(f"not applicable: {verdict.reason}", first="       - ")
    others = sorted({one.rule.kind for one in report.verdicts} - _tried(report))
    if others and report.hooks:
        click.echo()
        print_wrapped(f"Not applicable, as it implements no such hook: {', '.join(others)}")
    click.echo(
        f"\n{counted(report.count(State.PASSED), 'rule')} passed, {report.count(State.FAILED)} failed, "
        f"{report.count(State.NOT_APPLICABLE)} not applicable"
    )


def _tried(report: Report) -> set[Any]:
    """List the kinds of which any rule could be tried, and that of every plugin."""
    from mesoformula.testing.rules import HOOKS_OF, Kind, State

    return {Kind.PLUGIN} | {
        one.rule.kind
        for one in report.verdicts
        if one.state is not State.NOT_APPLICABLE or set(HOOKS_OF[one.rule.kind]) & set(report.hooks)
    }


def _plain(report: Report) -> dict[str, Any]:
    return {
        "plugin": report.plugin.name,
        "distribution": report.plugin.distribution,
        "version": report.plugin.version,
        "hooks": list(report.hooks),
        "mesoformula": report.mesoformula,
        "contract": report.contract,
        "python": report.python,
        "platform": report.platform,
        "right": report.is_right,
        "rules": [
            {
                "rule": one.rule.code,
                "kind": one.rule.kind.value,
                "says": one.rule.sentence,
                "state": one.state.value,
                "reason": one.reason or None,
                "problems": [problem.message for problem in one.problems],
            }
            for one in report.verdicts
        ],
    }
