"""Measure what the README beside this file promises, print the ratios, and fail if one is above its limit."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal, localcontext
from importlib.resources import files
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any
from unittest.mock import patch

import attrs
import pint
from results import Result

from mesoformula import Formula, Formulary, Line, Session, parse_quantity, registry, unit, units
from mesoformula_quantities.answer import measuring, work_out
from mesoformula_quantities.figures import Figures, work_out_figures
from mesoformula_quantities.plan import Plan, plan
from mesoformula_quantities.precision import SESSION
from mesoformula_quantities.volumes import volumes

PROCESS_RUNS = 25
ROUNDS = 40
ONE = Decimal(1)
SESSION_COMMAND = (
    "session", "teaching-all-lines", "--volume", "10 mL", "--syringe", "1-ml",
    "--override", "route-not-stated", "--override", "route-off-label", "--override", "soluvit-intradermal",
    "--reason", "measured", "--by", "nobody",
)  # fmt: skip

#: Ten lines of real products: stated, disputed and undisclosed amounts, powders, a kit, a part of one.
LINES = (
    Line("fresenius-kabi/soluvit-n", containers=1),
    Line("baxter/cernevit", volume=parse_quantity("2 mL")),
    Line("fresenius-kabi/addaven", volume=parse_quantity("0.5 mL")),
    Line("kalceks/magnesium-sulfate-50-2ml", dose=parse_quantity("50 mg"), substance="magnesium"),
    Line(
        "laboratorio-ct/gluthion-600",
        part="powder",
        make_up_to=parse_quantity("5 mL"),
        volume=parse_quantity("2 mL"),
    ),
    Line("kyowa-kirin/pabrinex-im", volume=parse_quantity("2 mL")),
    Line("phoenix-labs/ascorbic-acid-500", dose=parse_quantity("250 mg"), substance="ascorbic-acid"),
    Line("fillmed/nctf-135ha", volume=parse_quantity("3 mL")),
    Line("ibsa/profhilo-2ml", containers=1),
    Line("b-braun/sodium-chloride-0-9-10ml", fill_to=parse_quantity("40 mL")),
)


# ---- processes -------------------------------------------------------------------------------------


def seconds(command: Sequence[str]) -> float:
    """Run a command once; it must succeed."""
    start = perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return perf_counter() - start


def interleaved(name: str, limit: float, ours: Sequence[str], theirs: Sequence[str]) -> Result:
    """Compare the medians of two commands, run turn by turn."""
    for command in (ours, theirs):  # compiled, and in the caches of catalogues and disk
        seconds(command)
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(PROCESS_RUNS)]
    mine, other = (median(times) for times in zip(*pairs, strict=True))
    return Result(name, mine / other, limit, f"{mine * 1000:.0f} ms : {other * 1000:.0f} ms")


def processes() -> Iterator[Result]:
    """Measure the program from outside, as its user waits for it."""
    program = str(Path(sys.executable).with_name("mesoformula"))
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        empty = Path(folder, "empty.py")
        empty.write_text(
            "import click\n\n\n@click.command()\n@click.version_option('0')\ndef main(): pass\n\n\nmain()\n",
            encoding="utf-8",
        )
        yield interleaved("version", 1.3, [program, "--version"], [sys.executable, str(empty), "--version"])
        yield interleaved("session", 2, [program, *SESSION_COMMAND], [sys.executable, "-c", "import pint"])


# ---- in this process ----------------------------------------------------------------------------------

Numbers = tuple[list[tuple[Decimal, Decimal, Decimal, int, Decimal]], list[tuple[Decimal | None, ...]]]
Given = tuple[
    list[tuple[Decimal, Decimal]],
    list[tuple[Decimal | None, Decimal | None]],
    Decimal,
    Decimal,
    Decimal,
    list[tuple[Decimal, Decimal]],
]


def by_hand(
    lines: list[tuple[Decimal, Decimal]],
    doses: list[tuple[Decimal | None, Decimal | None]],
    total: Decimal,
    prepared: Decimal,
    injected: Decimal,
    scales: list[tuple[Decimal, Decimal]],
) -> Numbers:
    """Work a session out as one would write it down, with nothing but Decimals."""
    taken = []
    for written, per_container in lines:
        volume = written * prepared / total
        graduation = scales[-1][1]
        for capacity, marks in scales:
            if volume <= capacity:
                graduation = marks
                break
        measured = (volume / graduation).quantize(ONE, ROUND_HALF_UP) * graduation
        containers = (volume / per_container).quantize(ONE, ROUND_CEILING)
        taken.append(
            (volume, measured, measured - volume, int(containers), containers * per_container - volume)
        )
    found: list[tuple[Decimal | None, ...]] = []
    for low, high in doses:
        if low is None:
            found.append((None, None, None, None))
        elif high is None:
            found.append((low * prepared / total, None, low * injected / total, None))
        elif high == low:
            made, given = low * prepared / total, low * injected / total
            found.append((made, made, given, given))
        else:
            found.append(
                (
                    low * prepared / total,
                    high * prepared / total,
                    low * injected / total,
                    high * injected / total,
                )
            )
    return taken, found


def given_by_hand(planned: Plan, prepared: Decimal, injected: Decimal, scales: Sequence[Any]) -> Given:
    """Write down what the calculation by hand starts from: the formula as written, in 28 digits."""

    def whole(rate: Decimal | None) -> Decimal | None:
        return None if rate is None else rate * planned.total

    return (
        [
            (+line.volume, +rate.unit_volume)
            for line, rate in zip(planned.lines, planned.line_rates, strict=True)
        ],
        [(whole(rate.low), whole(rate.high)) for rate in planned.dose_rates],
        +planned.total,
        +prepared,
        +injected,
        [tuple(scale) for scale in scales],
    )


def check_same(figures: Figures, numbers: Numbers) -> None:
    """Make sure that both find the same numbers, or there is nothing to compare."""
    for line, (volume, measured, error, containers, left) in zip(figures.lines, numbers[0], strict=True):
        same(line.volume, volume)
        same(line.measured, measured)
        same(line.error, error)
        same(line.left, left)
        if line.containers != containers:
            raise SystemExit(f"{line.containers} containers, {containers} by hand")
    for ours, theirs in zip(figures.doses, numbers[1], strict=True):
        for one, other in zip(ours, theirs, strict=True):
            same(one, other)


def same(one: Decimal | None, other: Decimal | None) -> None:
    """Compare two numbers to 1e-20."""
    if one is None or other is None:
        if one is not other:
            raise SystemExit(f"{one} and {other}, which should be the same")
    elif abs(one - other) > Decimal("1e-20") * max(abs(one), ONE):
        raise SystemExit(f"{one} and {other}, which should be the same")


def fastest(*functions: Callable[[], object], times: int = 20) -> list[float]:
    """Time functions turn by turn, and take the best of each: what disturbs can only slow down."""
    best = [float("inf")] * len(functions)
    for _ in range(ROUNDS):
        for number, function in enumerate(functions):
            start = perf_counter()
            for _ in range(times):
                function()
            best[number] = min(best[number], (perf_counter() - start) / times)
    return best


def quantities_in(value: Any, known: dict[int, Any]) -> dict[int, Any]:
    """Find every quantity that a record holds, each once."""
    if isinstance(value, pint.Quantity):
        known[id(value)] = value
    elif isinstance(value, tuple):
        for item in value:
            quantities_in(item, known)
    elif attrs.has(type(value)):
        for field in attrs.fields(type(value)):
            quantities_in(getattr(value, field.name), known)
    return known


def forbidden(*_args: object, **_kwargs: object) -> Any:
    """Stand in for a parser."""
    raise SystemExit("a text was parsed in a warm session")


def check_nothing_is_parsed(session: Session, formulary: Formulary) -> None:
    """Work a session out with every parser out of order."""
    parsers = ("parse_expression", "parse_units", "parse_units_as_container", "parse_unit_name")
    with ExitStack() as stack:
        for name in parsers:
            stack.enter_context(patch.object(type(registry()), name, forbidden))
        for name in ("parse_quantity", "parse_strength"):
            stack.enter_context(patch.object(units, name, forbidden))
        work_out(session, formulary)


def in_process() -> Iterator[Result | str]:
    """Measure the arithmetic, the whole answer, and a thousand of them."""
    formulary = Formulary()
    formulary.add_catalogue(files("mesoformula_catalogues"))
    formula = Formula("benchmark", "Benchmark", LINES, teaching=True)
    session = Session(formula, volume=parse_quantity("12 mL"), needle=None)
    work_out(session, formulary)  # everything is read once
    planned = plan(formula, formulary)
    with localcontext(SESSION):
        needed = volumes(session, planned)
    scales = [item.scale for item in measuring(session, planned)]
    start_values = given_by_hand(planned, needed.prepared, needed.injected, scales)

    def inner() -> Figures:
        with localcontext(SESSION):
            return work_out_figures(planned, needed.prepared, needed.injected, scales)

    check_same(inner(), by_hand(*start_values))
    answer, other = work_out(session, formulary), work_out(session, formulary)
    kept = quantities_in(other, {})
    made = [value for key, value in quantities_in(answer, {}).items() if key not in kept]
    parts = [(value.magnitude, unit("mg" if value.check("[mass]") else "mL")) for value in made]
    make = registry().Quantity

    mine, bare, whole, constructing = fastest(
        inner,
        lambda: by_hand(*start_values),
        lambda: work_out(session, formulary),
        lambda: [make(magnitude, of) for magnitude, of in parts],
    )
    micro = 1_000_000
    yield Result("arithmetic", mine / bare, 3, f"{mine * micro:.0f} µs : {bare * micro:.0f} µs by hand")
    for name, floor in (("answer", bare), ("answer, lenient", mine)):
        allowed = 2 * floor + constructing
        yield Result(
            name,
            whole / allowed,
            1,
            f"{whole * micro:.0f} µs : 2 × {floor * micro:.0f} µs + {constructing * micro:.0f} µs "
            f"for {len(parts)} quantities",
        )
    asked = [Session(formula, volume=parse_quantity(f"{number} mL")) for number in range(10, 1010)]

    def all_of_them() -> None:
        for one in asked:
            work_out(one, formulary)

    (thousand,) = fastest(all_of_them, times=1)
    yield Result(
        "thousand",
        thousand / (1000 * (mine + constructing)),
        1,
        f"{thousand * 1000:.0f} ms : 1000 × ({mine * micro:.0f} + {constructing * micro:.0f}) µs",
    )
    check_nothing_is_parsed(session, formulary)
    yield Result("parsing", 0, 0, "no text is parsed in a warm session")
    (set_up,) = fastest(lambda: plan(attrs.evolve(formula), formulary), times=1)
    yield (
        f"{len(answer.lines)} lines, {len(answer.doses)} doses. Set-up, once for a formula: "
        f"{set_up * 1000:.1f} ms, as much as {set_up / whole:.0f} warm sessions"
    )


def main() -> int:
    """
    Measure everything.

    Returns:
        1 if a limit is exceeded, else 0.
    """
    broken = 0
    for measured in (*in_process(), *processes()):
        print(measured)
        broken += isinstance(measured, Result) and not measured.holds
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
