"""
Disks that are full or closed to writing: a clear sentence, nothing changed, and the next try works.

What fails is a process of its own, which has lost room or rights; the stock is looked at from outside.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from mesoformula import quantity
from mesoformula.errors import StockError
from mesoformula.products import ContainerKind, Doses, Form, Part, Product, Vendor
from mesoformula.sources import Source, SourceKind
from mesoformula.stock.arrivals.receiving import receive
from mesoformula.stock.counts.counting import open_count, post_count
from mesoformula.stock.database.store import Store, open_stock
from mesoformula.stock.ledger.verifying import verify
from mesoformula.stock.lots.holding import recall_lot
from mesoformula.stock.moves.moving import move, waste
from mesoformula.stock.moves.reversing import reverse
from mesoformula.stock.opened.openings import open_container
from mesoformula.stock.opened.using import use, use_opened, use_pick
from mesoformula.stock.picks.picking import pick
from mesoformula.stock.picks.shortage import Want
from mesoformula.stock.records import Delivery, Order, Receipt
from mesoformula.stock.views.reading import stock_view

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX limits and rights")

PRODUCT = Product(
    vendor=Vendor("acme", "Acme"),
    sku="vial",
    name="Vial",
    parts=(Part(ContainerKind.VIAL, Form.SOLUTION, volume=quantity("10", "mL")),),
    doses=Doses.MULTI,
    in_use_period=quantity("28", "d"),
    sources=(Source(SourceKind.IFU, "leaflet", date(2025, 1, 31)),),
)
ID = PRODUCT.id
WANT = [Want(ID, 2)]

#: Every kind of write, upon what `fill` leaves: a pick 2, an opened container 1, a use 4, a count 5.
WRITES: dict[str, Callable[[Store, Order], Receipt]] = {
    "receive": lambda store, order: receive(
        store,
        [Delivery(PRODUCT, "L2", 1, None, remark="x" * 2000)],
        actor=order.actor,
        request_id=order.request_id,
    ),
    "pick": lambda store, order: pick(store, WANT, order=order, reference="S-2000").receipt,
    "use": lambda store, order: use(store, ID, "L1", containers=1, reference="S-2000", order=order),
    "use the pick": lambda store, order: use_pick(store, 2, rules=(), order=order),
    "use what is open": lambda store, order: use_opened(
        store, 1, volume=quantity("1", "mL"), reference="S-2000", order=order
    ),
    "open": lambda store, order: open_container(store, ID, "L1", rules=(), order=order),
    "waste": lambda store, order: waste(store, ID, "L1", 1, order=order),
    "move": lambda store, order: move(store, ID, "L1", 1, to="away", order=order),
    "recall": lambda store, order: recall_lot(store, ID, "L1", order=order),
    "count": lambda store, order: post_count(store, 5, {1: 3}, order=order),
    "reverse": lambda store, order: reverse(store, 4, order=order),
}
ORDER = Order("anna", "the disk is to blame", request_id="again")


def fill(path: Path) -> None:
    with open_stock(path) as store:
        receive(store, [Delivery(PRODUCT, "L1", 10, date(2090, 1, 31))], actor="anna")
        order = Order("anna")
        pick(store, WANT, order=order, reference="S-1000", lapses_after=timedelta(7))
        open_container(store, ID, "L1", rules=(), order=order)
        use(store, ID, "L1", containers=1, reference="S-1000", order=order)
        open_count(store, order=order)


def try_it(path: Path, write: Callable[[Store, Order], Receipt], lose: Callable[[], None]) -> str:
    """What a write says in a process that has lost something."""
    reader, pipe = os.pipe()
    child = os.fork()
    if not child:
        said = "nothing"
        try:
            with Store(path) as store:
                lose()
                try:
                    said = f"done {write(store, ORDER).anchor}"
                except StockError as err:
                    said = f"refused {err}"
        except BaseException as err:
            said = f"traceback {err!r}"
        os.write(pipe, said.encode())
        os._exit(0)
    os.close(pipe)
    with os.fdopen(reader) as file:
        said = file.read()
    os.waitpid(child, 0)
    return said


def room_for(number: int) -> Callable[[], None]:
    """Leave a process so many bytes for each file, as a disk does that is full."""

    def lose() -> None:
        import resource

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (number, resource.RLIM_INFINITY))

    return lose


def no_rights() -> None:
    if os.geteuid() == 0:
        os.setuid(65534)


def works_again(path: Path, write: Callable[[Store, Order], Receipt]) -> None:
    """The same request is carried out at once, and only now."""
    with open_stock(path) as store:
        before = stock_view(store).anchor
        assert before is not None
        assert before.seq == 5
        assert verify(store).problems == ()
        receipt = write(store, ORDER)
        assert not receipt.repeated
        assert receipt.movements[0] == 6
        assert verify(store, against=before).problems == ()


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_full_disk_is_said_and_nothing_is_changed_by_any_write(
    path: Path, write: Callable[[Store, Order], Receipt]
) -> None:
    fill(path)
    said = try_it(path, write, room_for(8192))
    assert said.startswith("refused")
    assert "disk" in said
    works_again(path, write)


def test_wherever_a_disk_gets_full_a_pick_is_made_or_refused_and_never_half(path: Path) -> None:
    write = WRITES["pick"]
    refused = done = 0
    for room in range(0, 160 * 1024, 16 * 1024):
        path.unlink(missing_ok=True)
        fill(path)
        said = try_it(path, write, room_for(room))
        if said.startswith("refused"):
            refused += 1
            assert "disk" in said
            works_again(path, write)
            continue
        done += 1
        assert said.startswith("done 6:")
        with open_stock(path) as store:
            assert f"done {stock_view(store).anchor}" == said
            assert write(store, ORDER).repeated
            assert verify(store).problems == ()
    assert refused
    assert done


@pytest.fixture
def closed() -> Iterator[Path]:
    """A stock that may be read by anybody and written to by its owner only."""
    # Not below pytest's folder, which is closed to the user that root turns into.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stock.sqlite"
        fill(path)
        path.chmod(0o444)
        Path(folder).chmod(0o777)
        yield path


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_file_that_may_not_be_written_to_is_said_and_nothing_is_changed_by_any_write(
    closed: Path, write: Callable[[Store, Order], Receipt]
) -> None:
    before = closed.read_bytes()
    said = try_it(closed, write, no_rights)
    assert said.startswith("refused")
    assert "may not be written to" in said
    assert closed.read_bytes() == before
    closed.chmod(0o644)
    works_again(closed, write)
