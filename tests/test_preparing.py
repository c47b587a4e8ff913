"""Until when a preparation may be used, and which rule governs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from mesoformula.app import Answer
from mesoformula.errors import OrderError, QuantityError
from mesoformula.formulary import Formulary
from mesoformula.formulas import Formula, Line
from mesoformula.preparations import LotTaken, Preparation
from mesoformula.preparing import NOT_STATED, STATED, Stability, preparation
from mesoformula.sessions import Session
from mesoformula.stock.opened.beyond_use import EXPIRY
from mesoformula.units import parse_quantity, quantity
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
        lines = tuple(Line(name, volume=quantity(Decimal(1), "mL")) for name in products)
        answer = Answer(work_out(Session(Formula("asked", "Asked", lines)), known), (), True)
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


def lot(prepare: Prepare, **given: Any) -> LotTaken:
    product = prepare("fictif/multi").quantities.lines[0].product
    return LotTaken(product, "M1", given.pop("expiry", None), 1, "main", **given)


def with_lots(
    prepare: Prepare, monkeypatch: pytest.MonkeyPatch, tmp_path: Any, *lots: LotTaken
) -> Preparation:
    from contextlib import closing

    from mesoformula.stock.database.store import open_stock

    monkeypatch.setattr("mesoformula.preparing.lots_of", lambda *_given: (lots, 0))
    with closing(open_stock(str(tmp_path / "none.sqlite"), zone=PARIS)) as store:
        return prepare("fictif/multi", prepared_at=AT, store=store, reference="S-2026-001")


def test_an_expired_lot_governs_with_a_moment_that_has_passed(
    prepare: Prepare, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    expired = lot(prepare, expiry=date(2026, 11, 23))
    made = with_lots(prepare, monkeypatch, tmp_path, expired)

    assert made.limits[0].rule == EXPIRY
    assert made.beyond_use_at == datetime(2026, 11, 23, 23, tzinfo=UTC)
    assert made.beyond_use_rule == "Multi 10: lot M1 may be used through 2026-11-23"


def test_a_container_that_was_opened_before_keeps_no_longer_than_it_did(
    prepare: Prepare, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    until = datetime(2026, 11, 30, 23, tzinfo=UTC)
    opened = lot(prepare, opened=7, nanolitres=1_000_000, beyond_use_at=until, rule="product:in-use-period")
    made = with_lots(prepare, monkeypatch, tmp_path, opened)

    assert made.beyond_use_at == until
    assert made.beyond_use_rule == "Multi 10: opened container 7 of lot M1 was opened before"


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
