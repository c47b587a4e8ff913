"""
A program that receives into a stock over and over, to be run several times at once, or killed.

    python writes_receipts.py STORE NAME HOW_MANY

It prints the anchor of every receipt once it is written.
"""

from __future__ import annotations

import sys
from datetime import date

from mesoformula.products import ContainerKind, Form, Part, Product, Vendor
from mesoformula.sources import Source, SourceKind
from mesoformula.stock.arrivals.receiving import receive
from mesoformula.stock.database.store import open_stock
from mesoformula.stock.records import Delivery


def main(location: str, name: str, times: int) -> None:
    """Receive one shared lot and one of its own each time."""
    product = Product(
        vendor=Vendor("acme", "Acme"),
        sku="water",
        name="Water",
        parts=(Part(ContainerKind.AMPOULE, Form.SOLUTION),),
        sources=(Source(SourceKind.IFU, "leaflet", date(2025, 1, 31)),),
    )
    with open_stock(location) as store:
        for n in range(times):
            deliveries = [
                Delivery(product, "shared", 1, date(2027, 1, 31)),
                Delivery(product, f"{name}-{n}", 1, None, remark="x"),
            ]
            print(receive(store, deliveries, actor=name, request_id=f"{name}-{n}").anchor, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
