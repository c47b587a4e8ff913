"""Measure how a long table is written as a workbook, as the README beside this file says."""

from __future__ import annotations

import gc
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

from results import Result

ROWS, MANY = 100_000, 1_000_000
ROUNDS = 3
#: Of openpyxl alone, as rows a second: five times as many is a fifth of the time.
TIME_LIMIT = 0.2
MEMORY_LIMIT = 300
#: Rows of the most varied mix that repeat; their numbers do not.
MIX = 1_000

KINDS = ("receipt", "pick", "release", "use", "waste")
HEADINGS = (
    "Number", "Kind", "Happened at (UTC)", "Recorded at (UTC)", "Product", "Name", "Lot", "Place",
    "Containers", "Expiry", "Value (EUR)", "Session",
)  # fmt: skip


def rows(count: int) -> Iterator[tuple[Any, ...]]:
    """Make rows of twelve cells as those of movements: numbers, texts, moments, days, decimals, gaps."""
    start = datetime(2026, 1, 1, 8, 0)  # noqa: DTZ001 (cells know no zone)
    mix = [
        (
            KINDS[number % 5],
            start + timedelta(minutes=number * 7),
            start + timedelta(minutes=number * 7 + 3, seconds=11),
            f"vendor-{number % 12}/product-{number % 90}",
            f"Revitalising Solution {number % 90}",
            f"{number:04d}E{number % 10}",
            "fridge 1" if number % 3 else "treatment room",
            number % 9 - 4,
            date(2027, 1, 1) + timedelta(days=number % 500),
            Decimal(number * 37) / 100 if number % 4 else None,
            f"S-2026-{number:05d}" if number % 2 else None,
        )
        for number in range(MIX)
    ]
    for number in range(count):
        yield (number + 1, *mix[number % MIX])


def ours(count: int, path: Path) -> None:
    """Write the rows as the program does."""
    from mesoformula.sheets import Column, Holds, Row, Rows, Sheet
    from mesoformula_excel.writer import write_workbook

    holds = {
        2: Holds.MOMENT,
        3: Holds.MOMENT,
        0: Holds.WHOLE,
        8: Holds.WHOLE,
        9: Holds.DAY,
        10: Holds.DECIMAL,
    }
    columns = tuple(
        Column(f"c{place}", heading, holds.get(place, Holds.TEXT)) for place, heading in enumerate(HEADINGS)
    )
    given = Rows(count, lambda: (Row(values) for values in rows(count)))
    write_workbook([Sheet("movements", "Movements", columns, given)], path)


def floor(count: int, path: Path) -> None:
    """Write the same rows with openpyxl alone, in its fastest mode, without any style."""
    from openpyxl import Workbook

    workbook = Workbook(write_only=True)
    worksheet = workbook.create_sheet("Movements")
    worksheet.append(HEADINGS)
    for values in rows(count):
        worksheet.append(values)
    workbook.save(path)


# ---- time ------------------------------------------------------------------------------------------------


def seconds(write: Callable[[int, Path], None], count: int, path: Path) -> float:
    """Time one writing by the processor's clock, which other programs do not slow."""
    gc.collect()
    start = process_time()
    write(count, path)
    return process_time() - start


def check_complete(path: Path, count: int) -> None:
    """Make sure that every row was written, or there is nothing to compare."""
    found = 0
    with zipfile.ZipFile(path) as file:
        for name in file.namelist():
            if name.startswith("xl/worksheets/sheet"):
                with file.open(name) as sheet:
                    left = b""
                    while piece := sheet.read(1 << 20):
                        found += (left + piece).count(b"<row ")
                        left = piece[-4:]
    if found < count:
        raise SystemExit(f"{found} rows were written, {count} expected")


def in_process(folder: Path, count: int) -> Iterator[Result]:
    """Compare turn by turn."""
    path = folder / "movements.xlsx"
    for write in (ours, floor):  # imported and compiled
        write(2_000, path)
    pairs = []
    for _ in range(ROUNDS):
        mine = seconds(ours, count, path)
        check_complete(path, count)
        pairs.append((mine, seconds(floor, count, path)))
    mine, other = (median(times) for times in zip(*pairs, strict=True))
    yield Result(
        f"sheet {count}",
        mine / other,
        TIME_LIMIT,
        f"{count / mine:,.0f} : {count / other:,.0f} rows a second with openpyxl alone, × {other / mine:.1f}",
    )


# ---- memory ----------------------------------------------------------------------------------------------


def peak(code: str) -> float:
    """Run code in a fresh interpreter, and return its most memory in MB."""
    # A child inherits the most that its parent had; a shell in between has next to nothing.
    measured = "import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    command = ["/bin/sh", "-c", '"$0" -c "$1"; exit $?', sys.executable, f"{code}\n{measured}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    # Linux counts in kB, macOS in bytes.
    return int(done.stdout) / (1_000 if sys.platform != "darwin" else 1_000_000)


def memory(folder: Path, count: int) -> Iterator[Result]:
    """Compare the most memory with that of an interpreter that does nothing."""
    path = folder / "many.xlsx"
    here = str(Path(__file__).parent)
    code = f"import sys; sys.path.insert(0, {here!r})\nfrom pathlib import Path\nimport sheets\n"
    used = peak(f"{code}sheets.ours({count}, Path({str(path)!r}))")
    check_complete(path, count)
    over = used - peak("")
    yield Result(
        "sheet, memory",
        over / MEMORY_LIMIT,
        1,
        f"{over:.0f} MB over nothing for {count:,} rows, {path.stat().st_size / 1e6:.0f} MB on disk; "
        f"limit {MEMORY_LIMIT}",
    )


def main() -> int:
    """
    Measure with the numbers of rows given, else with those above.

    Returns:
        1 if a limit is exceeded, else 0.
    """
    counts = [int(word.replace(",", "")) for word in sys.argv[1:]]
    broken = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for count in counts or [ROWS]:
            for result in in_process(folder, count):
                print(result, flush=True)
                broken += not result.holds
        for result in memory(folder, max(counts, default=MANY)):
            print(result, flush=True)
            broken += not result.holds
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
