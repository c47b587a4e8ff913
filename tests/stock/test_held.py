"""Lots that are kept apart, and what comes of the same lot later."""

from __future__ import annotations

from datetime import date

import pytest

from mesoformula.encoding import to_plain
from mesoformula.stock.arrivals.receiving import receive
from mesoformula.stock.ledger.appending import Entry, add_lots, keep_products
from mesoformula.stock.ledger.chain import canonical, content_hash
from mesoformula.stock.ledger.posting import carry_out
from mesoformula.stock.ledger.verifying import verify
from mesoformula.stock.lots.finding import find_lot
from mesoformula.stock.lots.held import held_lots, hold_new
from mesoformula.stock.lots.holding import quarantine, recall_lot, release_lot
from mesoformula.stock.records import Delivery, MovementKind, Order
from mesoformula.stock.views.history import movements_of
from mesoformula.stock.views.reading import stock_view

ID = "acme/c-500"
WHY = Order("anna", "letter of the maker")
EXPIRY = date(2099, 5, 31)


@pytest.fixture
def stock(any_store, make_product):
    receive(any_store, [Delivery(make_product(), "L1", 3, EXPIRY)], actor="anna")
    yield any_store
    assert not verify(any_store).problems


def deliver(store, product, lot="L1", place="main"):
    receive(store, [Delivery(product, lot, 2, EXPIRY, location=place)], actor="anna")


class TestHeldLots:
    def test_says_what_is_recalled_or_quarantined(self, stock):
        assert held_lots(stock, {(ID, "L1", "main")}) == ()
        recall_lot(stock, ID, "L1", order=WHY)
        quarantine(stock, ID, "L1", order=WHY)
        assert held_lots(stock, {(ID, "L1", "main")}) == (
            "lot 'L1' of acme/c-500@1 is QUARANTINED AND RECALLED: it cannot be picked, reserved or issued",
        )
        assert held_lots(stock, {(ID, "L2", "main")}) == ()

    def test_one_place_counts_for_that_place_only(self, stock):
        quarantine(stock, ID, "L1", location="main", order=WHY)
        (said,) = held_lots(stock, {(ID, "L1", "main")})
        assert "is QUARANTINED at 'main'" in said
        assert held_lots(stock, {(ID, "L1", "fridge")}) == ()

    def test_another_revision_is_the_same_lot(self, stock, make_product):
        deliver(stock, make_product(revision=2))
        recall_lot(stock, f"{ID}@1", "L1", order=WHY)
        (said,) = held_lots(stock, {(ID, "L1", "main")})
        assert "acme/c-500@1 is RECALLED" in said

    def test_an_empty_stock_holds_nothing(self, any_store):
        assert held_lots(any_store, {(ID, "L1", "main")}) == ()


def new_revision(posting, product):
    """Receive a lot of a product that the ledger does not hold yet, as deliveries do."""
    record = canonical(to_plain(product))
    keep_products(posting.connection, {content_hash(record): record.decode()})
    key = product.id, product.revision, "L1"
    lot = add_lots(posting.connection, [(content_hash(record), *key, EXPIRY.isoformat())])[key]
    posting.post(MovementKind.RECEIPT, [Entry(lot, "main", 2)])
    return lot


def kinds(store, receipt):
    return [one.kind for one in movements_of(store, receipt.movements)]


class TestHoldNew:
    @pytest.mark.parametrize(("hold", "fact"), [(recall_lot, "recalled"), (quarantine, "quarantined")])
    def test_what_is_kept_apart_stays_so_under_a_new_revision(self, stock, make_product, hold, fact):
        hold(stock, ID, "L1", order=WHY)
        receipt = carry_out(
            stock,
            Order("anna"),
            {},
            lambda posting: hold_new(posting, [new_revision(posting, make_product(revision=2))]),
        )
        assert kinds(stock, receipt)[0] is MovementKind.RECEIPT
        assert kinds(stock, receipt)[1] in (MovementKind.RECALL, MovementKind.QUARANTINE)
        assert receipt.notes == (f"lot 'L1' of acme/c-500 is {fact}: it is under revision 1 of its product",)
        assert all(getattr(one, fact) for one in read_stock(stock))

    def test_what_was_released_on_its_own_stays_free(self, stock, make_product):
        deliver(stock, make_product(revision=2))
        recall_lot(stock, ID, "L1", order=WHY)
        release_lot(stock, f"{ID}@2", "L1", order=WHY)

        def work(posting):
            lot = find_lot(posting.connection, f"{ID}@2", "L1")
            posting.post(MovementKind.RECEIPT, [Entry(lot, "main", 1)])
            hold_new(posting, [lot])

        assert kinds(stock, carry_out(stock, Order("anna"), {}, work)) == [MovementKind.RECEIPT]
        assert [one.recalled for one in read_stock(stock)] == [True, False]

    def test_other_lots_are_left_alone(self, stock, make_product):
        receipt = carry_out(
            stock,
            Order("anna"),
            {},
            lambda posting: hold_new(posting, [new_revision(posting, make_product(revision=2))]),
        )
        assert kinds(stock, receipt) == [MovementKind.RECEIPT]


def read_stock(store):
    return stock_view(store).on_hand
