"""
Check what speaks against a session: rules from catalogues, labelled routes, permission to mix, allergies.

A condition of a rule holds, does not hold, or cannot be told for want of a fact. The last is never taken for
either of the others: it is a finding `unchecked` that names the fact.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mesoformula import hookimpl

if TYPE_CHECKING:
    from mesoformula import Finding, Formulary, Session, SessionQuantities


@hookimpl
def mesoformula_check_session(
    session: Session, quantities: SessionQuantities, formulary: Formulary
) -> Iterable[Finding]:
    """Check any session; where it names no day, as of today."""
    from datetime import date

    from mesoformula_safety.checking import check

    today = date.today()  # noqa: DTZ011 (the site's own day)
    return check(session, quantities, formulary, session.on or today)
