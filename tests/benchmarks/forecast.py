"""Measure how the time of a forecast grows with the courses that are booked, as the README here says."""

from __future__ import annotations

import gc
import os
import random
import sys
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any
from zoneinfo import ZoneInfo

from ledgers import product
from results import Result

from mesoformula import quantity
from mesoformula.courses import Interval, Plan, schedule
from mesoformula.products import ContainerKind, Doses, Form, Part, Product
from mesoformula.stock.arrivals.receiving import receive
from mesoformula.stock.database.store import open_stock
from mesoformula.stock.demand.booking import book
from mesoformula.stock.demand.bookings import BookedCourse, BookedSession
from mesoformula.stock.demand.forecasting import Forecast, forecast
from mesoformula.stock.picks.shortage import Want
from mesoformula.stock.records import Delivery, Order

SIZES = (100, 500, 2_500)
ROUNDS = 5
PRODUCTS, LOTS_EACH = 10, 4
#: How much more a course may cost among the most than among the fewest.
LIMIT = 1.5
NOW = datetime(2027, 1, 4, 6, tzinfo=UTC)


def products() -> dict[str, Product]:
    """Ampoules, and vials that are kept for 28 days."""
    found: dict[str, Product] = {}
    for number in range(PRODUCTS):
        made = product(number)
        if number % 2:
            vial = Part(ContainerKind.VIAL, Form.SOLUTION, volume=quantity("10", "mL"))
            made = Product(made.vendor, made.sku, made.name, (vial,), made.sources, doses=Doses.MULTI,
                           in_use_period=quantity("28", "d"))  # fmt: skip
        found[made.id] = found[made.pinned_id] = made
    return found


def make(store: Any, known: dict[str, Product], courses: int) -> None:
    """Fill the shelf for about half of what is booked over a year, so that things run short."""
    chosen = random.Random(1)  # noqa: S311 (the same year every time)
    deliveries = [
        Delivery(known[f"acme/product-{number}"], f"L{number}-{lot}", courses // 10 + 1,
                 NOW.date() + timedelta(days=90 + 120 * lot))
        for number in range(PRODUCTS)
        for lot in range(LOTS_EACH)
    ]  # fmt: skip
    receive(store, deliveries, actor="anna")
    for number in range(courses):
        one, other = chosen.sample(range(PRODUCTS), 2)
        wants = tuple(_want(known[f"acme/product-{which}"], chosen.randrange(1, 4)) for which in (one, other))
        start = date(2027, 1, 5) + timedelta(days=chosen.randrange(280))
        days = schedule(start, Plan(4, Interval(days=14)))
        sessions = tuple(BookedSession(day.number, day.on, wants) for day in days)
        book(store, f"S-2027-{number:05}", BookedCourse("glow", 1, sessions), order=Order("anna"))


def _want(product: Product, much: int) -> Want:
    if product.doses is Doses.MULTI:
        return Want(product.pinned_id, 1, much * 1_000_000)
    return Want(product.pinned_id, much)


def main() -> int:
    """
    Measure.

    Returns:
        1 if a limit is exceeded, else 0.
    """
    sizes = [int(word) for word in sys.argv[1:]] or list(SIZES)
    known = products()
    each: dict[int, float] = {}
    with tempfile.TemporaryDirectory(dir=os.environ.get("MESOFORMULA_BENCHMARKS")) as folder:
        stores = {}
        for size in sizes:
            stores[size] = open_stock(
                Path(folder, f"{size}.sqlite"), zone=ZoneInfo("Europe/Paris"), clock=lambda: NOW
            )
            make(stores[size], known, size)
        times: dict[int, list[float]] = {size: [] for size in sizes}
        for _round in range(ROUNDS):
            for size, store in stores.items():
                gc.collect()
                start = perf_counter()
                found: Forecast = forecast(store, rules=(), products=known.get)
                times[size].append(perf_counter() - start)
                assert len(found.outcomes) == 4 * size
                assert found.short
        for size, store in stores.items():
            store.close()
            each[size] = min(times[size]) / size
    least = min(sizes)
    broken = 0
    for size in sizes:
        said = f"{each[size] * size:.2f} s, {each[size] * 1000:.2f} ms a course : {each[least] * 1000:.2f} ms"
        result = Result(f"forecast {size:,}", each[size] / each[least], LIMIT, said)
        print(result, flush=True)
        broken += not result.holds
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
