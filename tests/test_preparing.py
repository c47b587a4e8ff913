"""Until when a preparation may be used, and which rule governs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from mesoformula.app import Answer
from mesoformula.clock import day_end
from mesoformula.errors import OrderError, QuantityError
from mesoformula.formulary import Formulary
from mesoformula.formulas import Formula, Line
from mesoformula.preparations import FEWER_LOTS, Preparation
from mesoformula.preparing import NOT_STATED, STATED, Stability, preparation
from mesoformula.sessions import Session
from mesoformula.stock.arrivals.receiving import receive
from mesoformula.stock.database.store import Store, open_stock
from mesoformula.stock.lots.holding import recall_lot
from mesoformula.stock.moves.reversing import reverse
from mesoformula.stock.opened.beyond_use import EXPIRY, end_of_period
from mesoformula.stock.opened.openings import open_container
from mesoformula.stock.opened.using import use, use_opened
from mesoformula.stock.picks.picking import pick
from mesoformula.stock.picks.shortage import Want
from mesoformula.stock.records import Delivery, Deviation, Order
from mesoformula.units import parse_quantity
from mesoformula_quantities.answer import work_out

PARIS = ZoneInfo("Europe/Paris")
AT = datetime(2026, 11, 24, 10, 30, tzinfo=PARIS)

CATALOGUE = """
schema = 1

[vendor]
id = "fictif"
name = "Laboratoires Fictifs"

[[product]]
sku = "multi"
name = "Multi 10"
doses = "multi"
in_use_period = "28 d"
source = [{ kind = "IFU", where = "made up", read = 2026-11-23 }]

[[product.part]]
container = "vial"
form = "solution"
volume = "10 mL"

[[product]]
sku = "short"
name = "Short 10"
doses = "multi"
in_use_period = "28 d"
stability_after_preparation = "6 h"
source = [{ kind = "IFU", where = "made up", read = 2026-11-23 }]

[[product.part]]
container = "vial"
form = "solution"
volume = "10 mL"
"""

Prepare = Callable[..., Preparation]


@pytest.fixture
def prepare(formulary: Formulary, make_catalogue: Any) -> Prepare:
    made: Formulary = make_catalogue(CATALOGUE).formulary

    def call(*products: str, **given: Any) -> Preparation:
        known = made if all(name.startswith("fictif/") for name in products) else formulary
        each = parse_quantity(given.pop("each", "1 mL"))
        lines = tuple(Line(name, volume=each) for name in products)
        session = Session(Formula("asked", "Asked", lines), on=given.pop("on", None))
        answer = Answer(work_out(session, known), (), True)
        return preparation(answer, formulary.beyond_use_rules(), zone=PARIS, **given)

    return call


def said(period: str, says: str = "Ph. Example 2026") -> Stability:
    return Stability(parse_quantity(period), says)


def test_a_mixture_of_which_nobody_says_how_long_it_keeps_serves_this_session(prepare: Prepare) -> None:
    made = prepare("fictif/multi", "fictif/short", prepared_at=AT)

    assert made.is_session_only
    assert made.beyond_use_at is None
    assert made.limits[0].rule == NOT_STATED
    assert made.beyond_use_rule == "how long the mixture keeps is not stated: this session only"


def test_the_lesser_of_what_is_stated_and_what_a_rule_allows_governs(prepare: Prepare) -> None:
    long = prepare("fictif/multi", "fictif/short", prepared_at=AT, keeps=said("24 h"))
    short = prepare("fictif/multi", "fictif/short", prepared_at=AT, keeps=said("2 h"))

    assert long.beyond_use_at == datetime(2026, 11, 24, 15, 30, tzinfo=UTC)
    assert long.beyond_use_rule == "Short 10: 6 h after preparation, as the maker states"
    assert short.beyond_use_at == datetime(2026, 11, 24, 11, 30, tzinfo=UTC)
    assert short.limits[0].rule == STATED
    assert short.beyond_use_rule == "2 h after preparation, as Ph. Example 2026 says"
    assert not short.is_session_only


def test_no_stability_lengthens_a_container_that_serves_one_session(prepare: Prepare) -> None:
    made = prepare("phoenix-labs/ascorbic-acid-500", "fillmed/nctf-135ha", prepared_at=AT, keeps=said("24 h"))

    assert made.is_session_only
    assert made.limits[0].rule == "ampoule-never-kept"
    assert made.limits[0].source is not None
    assert made.limits[0].source.startswith("REG: ")
    assert made.limits[-1].rule == STATED


def test_one_product_alone_keeps_as_its_maker_says(prepare: Prepare) -> None:
    made = prepare("fictif/multi", prepared_at=AT)

    # 28 days end with the 28th day at the site.
    assert made.beyond_use_at == datetime(2026, 12, 21, 23, tzinfo=UTC)
    assert made.beyond_use_rule == "Multi 10: 28 d after first opening, as the maker states"


def test_without_a_moment_of_preparation_there_is_none_of_beyond_use(prepare: Prepare) -> None:
    made = prepare("fictif/multi", "fictif/short", keeps=said("2 h"))

    assert made.beyond_use_at is None
    assert not made.is_session_only
    assert made.beyond_use_rule == "2 h after preparation, as Ph. Example 2026 says"


# ---- lots of a real ledger ---------------------------------------------------------------------------------

MULTI = "fictif/multi"
REF = "S-2026-001"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_stock(str(tmp_path / "stock.sqlite"), zone=PARIS)) as opened:
        yield opened


@pytest.fixture
def deliver(prepare: Prepare, store: Store) -> Callable[..., None]:
    product = prepare(MULTI).quantities.lines[0].product

    def call(lot: str, expiry: date | None, supplier: str | None = None) -> None:
        receive(store, [Delivery(product, lot, 5, expiry, supplier=supplier)], actor="anna")

    return call


def now() -> datetime:
    return datetime.now(UTC)


def day(days: int) -> date:
    return (now() + timedelta(days=days)).astimezone(PARIS).date()


def test_lots_that_were_used_stand_with_their_supplier_and_deviation(
    prepare: Prepare, store: Store, deliver: Callable[..., None]
) -> None:
    deliver("OLD", day(-3), "Medi")
    use(store, MULTI, "OLD", containers=1, reference=REF, order=Order("anna"), deviation="nothing else there")
    made = prepare(MULTI, prepared_at=now(), store=store, reference=REF)
    (lot,) = made.lots

    assert (lot.lot, lot.containers, lot.suppliers) == ("OLD", 1, ("Medi",))
    assert lot.deviations == (Deviation.EXPIRED,)
    assert lot.used_at is not None
    assert made.anchor is not None
    assert made.anchor.seq == 2
    # What had passed before governs, with a moment that is over.
    assert made.limits[0].rule == EXPIRY
    assert made.beyond_use_at == day_end(day(-3), PARIS)
    assert made.beyond_use_rule == f"Multi 10: lot OLD may be used through {day(-3)}"


def test_a_container_that_was_opened_before_keeps_no_longer_than_it_did(
    prepare: Prepare, store: Store, deliver: Callable[..., None], formulary: Formulary
) -> None:
    deliver("M1", day(400))
    opened_at = now() - timedelta(hours=1)
    rules = formulary.beyond_use_rules()
    open_container(store, MULTI, "M1", rules=rules, order=Order("anna", at=opened_at))
    use_opened(store, 1, reference=REF, order=Order("anna"), volume=parse_quantity("0.5 mL"))
    made = prepare(MULTI, prepared_at=now(), store=store, reference=REF)
    (lot,) = made.lots

    assert (lot.opened, lot.nanolitres, lot.containers) == (1, 500_000, 0)
    assert lot.beyond_use_at == end_of_period(parse_quantity("28 d"), opened_at, PARIS)
    assert made.beyond_use_at == lot.beyond_use_at
    assert made.beyond_use_rule == "Multi 10: opened container 1 of lot M1 was opened before"


def test_what_was_used_on_another_day_or_taken_back_is_not_of_this_session(
    prepare: Prepare, store: Store, deliver: Callable[..., None]
) -> None:
    deliver("M1", None)
    before = now() + timedelta(seconds=1)
    one = use(store, MULTI, "M1", containers=1, reference=REF, order=Order("anna"))
    use(store, MULTI, "M1", containers=2, reference=REF, order=Order("anna"))
    reverse(store, one.movement, order=Order("anna", "mistaken"))
    today = prepare(MULTI, prepared_at=before, store=store, reference=REF)
    tomorrow = prepare(MULTI, prepared_at=before + timedelta(days=1), store=store, reference=REF)

    assert [(lot.lot, lot.containers) for lot in today.lots] == [("M1", 2)]
    assert (tomorrow.lots, tomorrow.left_out) == ((), 1)


def test_a_reference_that_nothing_was_recorded_for_has_no_lots(prepare: Prepare, store: Store) -> None:
    made = prepare(MULTI, store=store, reference="S-2026-099")

    assert (made.lots, made.anchor, made.store) == ((), None, str(store))


def test_a_name_is_no_reference(prepare: Prepare, store: Store) -> None:
    with pytest.raises(OrderError, match="never a name"):
        prepare(MULTI, store=store, reference="Anna Roux")


# ---- what cannot be ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"prepared_at": datetime.fromisoformat("2026-11-24T10:30")}, "has no time zone"),
        ({"keeps": Stability(parse_quantity("30 s"), "somebody")}, "expected at least 1 min"),
        ({"keeps": Stability(parse_quantity("2 h"), " ")}, "who says that it keeps 2 h?"),
    ],
)
def test_what_cannot_be_is_refused(prepare: Prepare, given: dict[str, Any], message: str) -> None:
    with pytest.raises(OrderError, match=message.replace("?", r"\?")):
        prepare("fictif/multi", **given)


def test_a_period_that_is_no_time_is_refused(prepare: Prepare) -> None:
    with pytest.raises(QuantityError):
        prepare("fictif/multi", keeps=Stability(parse_quantity("2 mL"), "somebody"))


# ---- what lots say against it ------------------------------------------------------------------------------


def kept(store: Store, containers: int = 1) -> None:
    pick(store, [Want(MULTI, containers)], reference=REF, order=Order("anna"))


def codes(made: Preparation) -> list[str]:
    return [one.code for one in made.lot_findings]


def test_a_lot_that_was_recalled_after_it_was_picked_leaves_nothing_ready(
    prepare: Prepare, store: Store, deliver: Callable[..., None]
) -> None:
    deliver("M1", day(400))
    kept(store)
    assert prepare(MULTI, store=store, reference=REF).ready
    recall_lot(store, MULTI, "M1", order=Order("anna"))
    made = prepare(MULTI, store=store, reference=REF)

    assert not made.ready
    assert codes(made) == ["lot-recalled"]
    assert [one.code for one in made.standing] == ["lot-recalled"]
    assert made.findings[0].message == "Multi 10: lot M1 is recalled"


def test_a_lot_that_expires_before_the_day_of_the_session_leaves_nothing_ready(
    prepare: Prepare, store: Store, deliver: Callable[..., None]
) -> None:
    deliver("M1", day(5))
    kept(store)
    assert prepare(MULTI, store=store, reference=REF, on=day(5)).ready
    made = prepare(MULTI, store=store, reference=REF, on=day(6))

    assert (made.ready, codes(made), made.day) == (False, ["lot-expired"], day(6))
    assert made.findings[0].message.endswith(f"may be used through {day(5)}, which is before {day(6)}")


def test_what_was_used_against_the_rules_is_not_ready_either(
    prepare: Prepare, store: Store, deliver: Callable[..., None]
) -> None:
    deliver("OLD", day(-3))
    use(store, MULTI, "OLD", containers=1, reference=REF, order=Order("anna"), deviation="nothing else there")
    made = prepare(MULTI, store=store, reference=REF)

    assert (made.ready, codes(made)) == (False, ["lot-expired"])
    assert made.findings[0].message == "Multi 10: lot OLD was expired when it was used"


def test_an_opened_container_that_is_beyond_its_use_leaves_nothing_ready(
    prepare: Prepare, store: Store, deliver: Callable[..., None], formulary: Formulary
) -> None:
    deliver("M1", day(400))
    open_container(store, MULTI, "M1", rules=formulary.beyond_use_rules(), order=Order("anna"))
    pick(store, [Want(MULTI, nanolitres=1_000_000)], reference=REF, order=Order("anna"))
    assert prepare(MULTI, store=store, reference=REF, on=day(27)).ready
    made = prepare(MULTI, store=store, reference=REF, on=day(29))

    assert (made.ready, codes(made)) == (False, ["lot-beyond-use"])


def test_fewer_than_it_takes_are_told(prepare: Prepare, store: Store, deliver: Callable[..., None]) -> None:
    deliver("M1", day(400))
    kept(store)
    made = prepare(MULTI, store=store, reference=REF, each="25 mL")

    assert made.ready
    assert codes(made) == [FEWER_LOTS]
    assert made.lot_findings[0].message == (
        "Multi 10: the ledger names 10 mL for it, and it takes 25 mL: pick the rest"
    )


def test_a_session_without_a_day_is_todays(
    prepare: Prepare, store: Store, deliver: Callable[..., None]
) -> None:
    deliver("M1", day(400))
    use(store, MULTI, "M1", containers=1, reference=REF, order=Order("anna"))
    assert [lot.lot for lot in prepare(MULTI, store=store, reference=REF).lots] == ["M1"]
    made = prepare(MULTI, store=store, reference=REF, on=day(7))

    assert (made.lots, made.left_out, made.day) == ((), 1, day(7))
    assert prepare(MULTI).day == day(0)


def test_nothing_is_prepared_after_the_day_of_its_session(prepare: Prepare) -> None:
    late = datetime(2026, 11, 25, 0, 10, tzinfo=PARIS)
    assert prepare(MULTI, on=date(2026, 11, 25), prepared_at=late).ready
    with pytest.raises(OrderError) as caught:
        prepare(MULTI, on=date(2026, 11, 24), prepared_at=late)
    assert "prepared 2026-11-25 00:10 for a session on 2026-11-24" in str(caught.value)
