"""
Work out what a session takes.

Everything in a formula scales together, so its lines are solved once, into a plan; a session of it is then a
few multiplications. Inside a plan, numbers are plain Decimals in fixed units (mL, mg, IU).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mesoformula import hookimpl

if TYPE_CHECKING:
    from mesoformula import Formulary, Session, SessionQuantities


@hookimpl(trylast=True)
def mesoformula_work_out_session(session: Session, formulary: Formulary) -> SessionQuantities:
    """Work out any session."""
    from mesoformula_quantities.answer import work_out

    return work_out(session, formulary)
