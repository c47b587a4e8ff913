"""Random receipts against a dictionary."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import attrs
import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from mesoformula.errors import ReceiptError
from mesoformula.products import ContainerKind, Form, Part, Product, Vendor
from mesoformula.sources import Source, SourceKind
from mesoformula.stock.reading import stock_view
from mesoformula.stock.receiving import receive
from mesoformula.stock.records import Anchor, Delivery, Receipt
from mesoformula.stock.store import open_stock
from mesoformula.stock.verifying import verify

PRODUCTS = tuple(
    Product(
        vendor=Vendor("acme", "Acme"),
        sku=sku,
        name=sku,
        parts=(Part(ContainerKind.VIAL, Form.POWDER),),
        sources=(Source(SourceKind.IFU, "leaflet", date(2025, 1, 31)),),
    )
    for sku in ("a", "b")
)
DELIVERIES = st.builds(
    Delivery,
    product=st.sampled_from(PRODUCTS),
    lot=st.sampled_from(["L1", "L2", "l1"]),
    containers=st.integers(-1, 5),
    expiry=st.sampled_from([date(2027, 1, 31), date(2027, 1, 31), None]),
    location=st.sampled_from(["main", "fridge"]),
    remark=st.sampled_from([None, "x"]),
)


class Receipts(RuleBasedStateMachine):
    """A stock beside what a careful person would have written down."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.store = open_stock(Path(self.folder.name) / "stock.sqlite")
        self.containers: dict[tuple[str, str, str], int] = {}
        self.expiries: dict[tuple[str, str], date | None] = {}
        self.requests: dict[str, tuple[list[Delivery], Receipt]] = {}
        self.anchors: list[Anchor] = []

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            self.folder.cleanup()

    @rule(
        deliveries=st.lists(DELIVERIES, min_size=1, max_size=3), request=st.sampled_from([None, "r1", "r2"])
    )
    def deliver(self, deliveries: list[Delivery], request: str | None) -> None:
        known = self.requests.get(request or "")
        if known is not None and known[0] == deliveries:
            again = receive(self.store, deliveries, actor="anna", request_id=request)
            assert again == attrs.evolve(known[1], repeated=True)
            return
        expiries: dict[Any, date | None] = dict(self.expiries)
        right = known is None
        for one in deliveries:
            right &= one.containers > 0
            right &= expiries.setdefault((one.product.id, one.lot), one.expiry) == one.expiry
        if not right:
            with pytest.raises(ReceiptError):
                receive(self.store, deliveries, actor="anna", request_id=request)
            return
        receipt = receive(self.store, deliveries, actor="anna", request_id=request)
        assert receipt.movement == len(self.anchors) + 1
        self.expiries = expiries
        self.anchors.append(receipt.anchor)
        if request is not None:
            self.requests[request] = deliveries, receipt
        for one in deliveries:
            key = one.product.id, one.lot, one.location
            self.containers[key] = self.containers.get(key, 0) + one.containers

    @rule()
    def open_again(self) -> None:
        self.store.close()
        self.store = open_stock(self.store.path)

    @rule(choose=st.randoms(use_true_random=False))
    def look_for_an_anchor(self, choose: Any) -> None:
        if self.anchors:
            assert not verify(self.store, against=choose.choice(self.anchors)).problems

    @invariant()
    def the_stock_says_what_was_written_down(self) -> None:
        if not hasattr(self, "store"):
            return
        view = stock_view(self.store, as_of=date(2026, 5, 4))
        assert {
            (entry.product.id, entry.lot, entry.location): entry.containers for entry in view.on_hand
        } == self.containers
        assert all(entry.expiry == self.expiries[entry.product.id, entry.lot] for entry in view.on_hand)
        assert view.anchor == (self.anchors[-1] if self.anchors else None)
        found = verify(self.store)
        assert (found.movements, found.problems) == (len(self.anchors), ())


Receipts.TestCase.settings = settings(max_examples=40, stateful_step_count=15, deadline=None)
TestReceipts = Receipts.TestCase
