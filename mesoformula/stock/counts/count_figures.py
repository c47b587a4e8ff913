"""What somebody counted, cleaned and checked before the ledger is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import attrs

from mesoformula.errors import OrderError, Problem
from mesoformula.stock.ledger.orders import check_name, check_order, containers_objections, text_objections
from mesoformula.stock.records import Order


@attrs.frozen
class Found:
    """
    Containers on the shelf where the count expects none of their lot.

    Attributes:
        product: `vendor/sku`, or with its revision.
        lot: The maker's lot number, which the ledger holds.
        containers: How many.
        location: Where; None if the count is of one place.
        remark: Free text, kept erasable and apart from the chain.
    """

    product: str
    lot: str
    containers: int
    location: str | None = None
    remark: str | None = None


@attrs.frozen
class Asked:
    """
    What was counted, cleaned.

    Attributes:
        counted: Containers by line of the count, blanks left out.
        remarks: Free text by line of the count.
        found: What was found beside it.
    """

    counted: Mapping[int, int]
    remarks: Mapping[int, str]
    found: tuple[Found, ...]

    @property
    def lines(self) -> list[int]:
        """Lines of the count that something is said of, in order."""
        return sorted({*self.counted, *self.remarks})

    @property
    def texts(self) -> dict[int, str]:
        """Free text by line of the movement that posts it: the lines above, then what was found."""
        texts = [*(self.remarks.get(line) for line in self.lines), *(one.remark for one in self.found)]
        return {number: text for number, text in enumerate(texts, start=1) if text is not None}


def check_figures(
    counted: Mapping[int, int | None],
    found: Sequence[Found],
    remarks: Mapping[int, str],
    order: Order,
    moment: datetime,
    *,
    needs_reason: bool = True,
) -> tuple[Order, Asked]:
    """
    Clean what was counted, and refuse it with everything that can be said without the ledger.

    Args:
        counted: By line of the count; None is a blank.
        found: What was on the shelf beside it.
        remarks: Free text by line of the count.
        order: Who posts it, why and when it was counted.
        moment: Now.
        needs_reason: Whether it is refused without a reason.

    Returns:
        The order and what was counted, cleaned.

    Raises:
        OrderError: If anything stands against it.
    """
    problems: list[Problem] = []
    order = check_order(problems, order, moment, needs_reason=needs_reason)
    given = {line: containers for line, containers in counted.items() if containers is not None}
    for line, containers in given.items():
        problems.extend(_of_line(line, containers_objections(containers, least=0)))
    for line, text in remarks.items():
        problems.extend(_of_line(line, text_objections("remark", text)))
    cleaned = []
    for index, one in enumerate(found, start=1):
        mine: list[Problem] = []
        lot = check_name(mine, "lot", one.lot)
        location = check_name(mine, "location", one.location) if one.location is not None else None
        objections = (*containers_objections(one.containers), *text_objections("remark", one.remark))
        mine += [Problem(code, message) for code, message in objections]
        problems += [of_found(index, problem) for problem in mine]
        cleaned.append(attrs.evolve(one, product=one.product.strip(" "), lot=lot, location=location))
    if not given and not found:
        message = "nothing was counted: a blank leaves the stock alone; give at least one figure"
        problems.append(Problem("empty", message))
    if problems:
        raise OrderError(problems)
    return order, Asked(given, dict(remarks), tuple(cleaned))


def _of_line(line: int, objections: Iterable[tuple[str, str]]) -> Iterable[Problem]:
    return [Problem(code, f"line {line}: {message}", line=line) for code, message in objections]


def of_found(index: int, problem: Problem) -> Problem:
    """
    Say that a problem is about what was found beside a count.

    Args:
        index: Which of them, from 1.
        problem: The problem.

    Returns:
        The problem, with `where` naming it.
    """
    return attrs.evolve(problem, message=f"found {index}: {problem.message}", where=("found", index))
