"""
A lot policy: as few lots broken into as possible, and of these what expires first.

The number of containers is the user's; whose lots they come from is what a policy decides.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mesoformula import hookimpl

if TYPE_CHECKING:
    from mesoformula import LotPolicy

mesoformula_contract = "1.1"


@hookimpl
def mesoformula_lot_policies() -> Iterable[LotPolicy]:
    from mesoformula import LotPolicy
    from mesoformula_fewest_opened.choosing import fewest_first

    about = "takes from as few lots as possible; of these what expires first"
    return [LotPolicy("fewest-opened", "fewest lots opened", about, fewest_first)]
