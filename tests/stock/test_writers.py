"""Several programs at once, and programs that die in the middle."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

from mesoformula.stock.database.store import Store
from mesoformula.stock.ledger.verifying import verify
from mesoformula.stock.records import Anchor
from mesoformula.stock.views.reading import stock_view

PROGRAM = Path(__file__).with_name("writes_receipts.py")
TODAY = date(2026, 5, 4)


def start(path: Path, name: str, times: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", str(PROGRAM), str(path), name, str(times)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def anchors(output: str) -> list[Anchor]:
    """The whole lines that a program printed; a killed one may leave half of one."""
    whole = output[: output.rfind("\n") + 1].splitlines()
    return [Anchor(int(seq), digest) for seq, _, digest in (line.partition(":") for line in whole)]


def test_four_programs_receive_at_once_into_a_stock_that_none_of_them_finds(store: Store, path: Path) -> None:
    programs = [start(path, f"writer-{n}", 10) for n in range(4)]
    ended = [program.communicate(timeout=60) for program in programs]
    assert [(program.returncode, errors) for program, (_, errors) in zip(programs, ended, strict=True)] == [
        (0, "")
    ] * 4
    written = [anchor for output, _ in ended for anchor in anchors(output)]
    assert sorted(anchor.seq for anchor in written) == list(range(1, 41))
    found = verify(store)
    assert (found.movements, found.problems) == (40, ())
    assert found.anchor == max(written, key=lambda anchor: anchor.seq)
    on_hand = {entry.lot: entry.containers for entry in stock_view(store, as_of=TODAY).on_hand}
    assert on_hand.pop("shared") == 40
    assert on_hand == {f"writer-{n}-{time}": 1 for n in range(4) for time in range(10)}


def test_a_killed_program_leaves_every_receipt_that_it_had_answered_and_no_half_one(
    store: Store, path: Path
) -> None:
    answered: list[Anchor] = []
    for n, wait in enumerate((0.0, 0.013, 0.034)):
        program = start(path, f"killed-{n}", 100_000)
        assert program.stdout is not None
        first = program.stdout.readline()
        time.sleep(wait)
        program.send_signal(signal.SIGKILL)
        rest, _ = program.communicate(timeout=60)
        answered += anchors(first + rest)
        found = verify(store)
        assert found.problems == ()
        assert found.movements >= len(answered)
        assert all(not verify(store, against=anchor).problems for anchor in (answered[0], answered[-1]))
    on_hand = {entry.lot: entry.containers for entry in stock_view(store, as_of=TODAY).on_hand}
    assert on_hand.pop("shared") == len(on_hand) == verify(store).movements
    assert len({anchor.seq for anchor in answered}) == len(answered)
