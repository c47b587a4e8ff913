"""An example of every call that a plugin can get."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs

from mesoformula.errors import ChoiceError, GridError, MesoformulaError
from mesoformula.testing.example_lots import candidates_of, needs_of
from mesoformula.testing.example_sheets import requests_of
from mesoformula.testing.examples import MOST, patients_of, products_of
from mesoformula.testing.subject import Call

if TYPE_CHECKING:
    from mesoformula.sheets import Exporter
    from mesoformula.stock.picks.policies import LotPolicy
    from mesoformula.testing.subject import Subject


def example_calls(subject: Subject) -> Iterator[Call]:
    """
    Make an example of every call that a plugin can get.

    Args:
        subject: The plugin.

    Yields:
        Calls of its hooks, and of what these offer to be called.
    """
    for hook in subject.hooks:
        match hook:
            case "mesoformula_check_product":
                for product in products_of(subject):
                    yield subject.call(hook, f"product {product.id}", product=product)
            case "mesoformula_check_session":
                yield from _checks(subject, hook)
            case "mesoformula_work_out_session":
                for number, session in enumerate(subject.sessions, 1):
                    about = f"session {number} of formula {session.formula.id}"
                    yield subject.call(hook, about, session=session, formulary=subject.formulary)
            case "mesoformula_sheets":
                for request in requests_of(subject):
                    yield subject.call(hook, f"topic {request.topic}", request=request)
            case _:
                yield subject.call(hook)
    for policy in subject.offered("mesoformula_lot_policies"):
        yield from policy_calls(policy)
    for exporter in subject.offered("mesoformula_exporters"):
        yield export_call(subject, exporter)
        yield export_call(subject, exporter, most=1)
    yield from _imports(subject)


def _checks(subject: Subject, hook: str) -> Iterator[Call]:
    for number, answer in enumerate(subject.answers[: 2 * MOST], 1):
        for changes in patients_of(subject) if number % 4 == 1 else ({},):
            session = attrs.evolve(answer.session, **changes)
            yield subject.call(
                hook,
                f"session {number} of formula {session.formula.id}",
                session=session,
                quantities=attrs.evolve(answer, session=session),
                formulary=subject.formulary,
            )


def policy_calls(policy: LotPolicy) -> Iterator[Call]:
    """
    Let a policy choose.

    Args:
        policy: That a plugin offers.

    Yields:
        Calls of it with few and many lots; it is handed a list, which it must leave as it is.
    """
    for number in (1, 2, 9):
        candidates = candidates_of(number)
        for about, need in needs_of(candidates):
            yield Call(
                "mesoformula_lot_policies",
                f"lot policy {policy.id}, {about}",
                policy.choose,
                (need, list(candidates)),
                raises=(ChoiceError,),
            )


def export_call(subject: Subject, exporter: Exporter, most: int | None = None) -> Call:
    """
    Let an exporter write the example sheets.

    Args:
        subject: The plugin.
        exporter: That it offers.
        most: How many sheets at most; None for all. A format may hold only one.

    Returns:
        The call; it may write where it is told to, and nowhere else.
    """
    path = subject.new_folder() / f"written{exporter.suffix}"
    return Call(
        "mesoformula_exporters",
        f"exporter for {exporter.suffix}, {'all sheets' if most is None else 'one sheet'}",
        exporter.write,
        (list(subject.base_sheets[:most]), path),
        takes_all=False,
        writes_to=path.parent,
        raises=(MesoformulaError, OSError),
    )


def _imports(subject: Subject) -> Iterator[Call]:
    """Let importers read what exporters of the same plugin write, and what is no such file."""
    writers = {one.suffix.lower(): one for one in subject.offered("mesoformula_exporters")}
    for importer in subject.offered("mesoformula_importers"):
        suffix = importer.suffix.lower()
        path = subject.new_folder() / f"read{suffix}"
        if suffix in writers:
            call = export_call(subject, writers[suffix], most=1)
            call.made()
            path = call.arguments[1]
        if not path.exists():
            path.write_bytes(b"no such file")
        yield Call(
            "mesoformula_importers",
            f"importer of {importer.suffix}",
            importer.read,
            (path,),
            raises=(GridError,),
        )
