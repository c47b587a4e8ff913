"""
Check fuzzed catalogue files, each within a second and all within the memory: a program of its own.

`python tests/catalogue/fuzzing.py COUNT SEED FOLDER` makes and checks COUNT files, and prints what went wrong
as JSON. Files are made from the bundled ones: bytes changed anywhere, and tables changed as a careless or
hostile author would.
"""

from __future__ import annotations

import json
import random
import resource
import signal
import sys
import time
import tomllib
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from datetime import date
from pathlib import Path
from types import FrameType
from typing import Any

BUNDLED = Path(__file__).parents[2] / "catalogues" / "mesoformula_catalogues"

#: Values that do not belong where they are put.
HOSTILE: tuple[Any, ...] = (
    "",
    " ",
    "x" * 3000,
    "5,5 mg",
    "-3 mL",
    "nan mg",
    "9" * 400 + " mg",
    "1e999999 mg",
    "0." + "0" * 300 + "1 mg",
    "1:" + "9" * 30,
    "1:1000 w/v",
    "200 % w/v",
    "5 mg" * 30,
    "((((((((((((((((((((((((((((((",
    "C" + "(C" * 400 + ")" * 400,
    "H9999999999O99999999",
    "a" * 300 + "!",
    "-".join(["a"] * 400),
    "\u202e evil",
    "\x1b]8;;http://x\x07",
    "a\nb",
    "\ufeff",
    "=HYPERLINK()",
    "../../etc/passwd",
    "moiety:" * 100,
    "a/b@0",
    "0 mL",
    "1000000000000 mL",
    0,
    -1,
    2**63 - 1,
    -(2**63),
    1.5,
    float("inf"),
    float("nan"),
    True,
    date(1, 1, 1),
    date(9999, 12, 31),
    [],
    [[]],
    [[[[[[[[[[]]]]]]]]]],
    ["x"] * 1000,
    {},
    {"": {"": {}}},
    [{}] * 300,
    {"low": "9 mL", "high": "1 mL"},
    {"value": "1"},
)


def tables_of(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text("utf-8"))


def holders(value: Any, found: list[Any]) -> list[Any]:
    """List every table and list below a value."""
    if isinstance(value, dict | list):
        found.append(value)
        for item in value.values() if isinstance(value, dict) else value:
            holders(item, found)
    return found


def changed(random_: random.Random, tables: dict[str, Any], others: list[dict[str, Any]]) -> dict[str, Any]:
    """Change a few places of a file as nobody should."""
    for _ in range(random_.choice((1, 1, 1, 2, 3, 8))):
        all_of_it = holders(tables, [])
        holder = random_.choice(all_of_it)
        if not holder:
            continue
        key = random_.choice(list(holder)) if isinstance(holder, dict) else random_.randrange(len(holder))
        what = random_.randrange(7)
        if what == 0:
            del holder[key]
        elif what == 1:
            holder[key] = random_.choice(HOSTILE)
        elif what == 2:  # what stands somewhere else, in this file or in another
            donor = random_.choice(holders(random_.choice([tables, *others]), []))
            if donor:
                grafted = random_.choice(list(donor.values()) if isinstance(donor, dict) else donor)
                holder[key] = deepcopy(grafted)
        elif what == 3 and isinstance(holder, list):
            holder[key:key] = [deepcopy(holder[key]) for _copy in range(random_.choice((1, 2, 5)))]
        elif what == 3 and isinstance(holder, dict):
            holder[random_.choice(("", "x" * 500, "sku", "id", "Volume", "\u202e"))] = holder.pop(key)
        elif what == 4 and isinstance(holder[key], str) and holder[key]:
            text = holder[key]
            place = random_.randrange(len(text))
            holder[key] = text[:place] + random_.choice("0.,/% -µx\t\"'\\") + text[place + 1 :]
        elif what == 5:
            many = 2 if isinstance(holder[key], dict | list) else random_.choice((1, 2, 300))
            holder[key] = [deepcopy(holder[key]) for _copy in range(many)]
        else:
            nested: Any = holder[key]
            for _level in range(random_.choice((1, 5, 60))):
                nested = random_.choice(({"a": nested}, [nested]))
            holder[key] = nested
    return tables


def written(value: Any) -> str:
    """Write a value as TOML, in one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=True).replace("\x7f", "\\u007f")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return str(value)
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{written(key)} = {written(one)}" for key, one in value.items()) + "}"
    return str(value)


def file_of(tables: dict[str, Any]) -> bytes:
    """Write tables as a file, its sections as people write them."""
    lines = []
    for key, value in tables.items():
        if not isinstance(value, dict | list):
            lines.append(f"{written(key)} = {written(value)}")
    for key, value in tables.items():
        if isinstance(value, dict):
            lines += [f"[{written(key)}]", *(f"{written(k)} = {written(one)}" for k, one in value.items())]
        elif isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
            for one in value:
                lines += [f"[[{written(key)}]]", *(f"{written(k)} = {written(v)}" for k, v in one.items())]
        elif isinstance(value, list):
            lines.insert(0, f"{written(key)} = {written(value)}")
    return "\n".join(lines).encode()


def bytes_of(random_: random.Random, contents: list[bytes]) -> bytes:
    """Change the bytes of a file, or make some that never were one."""
    if random_.random() < 0.1:
        return random_.randbytes(random_.randrange(2000))
    content = bytearray(random_.choice(contents))
    for _ in range(random_.choice((1, 2, 5, 30))):
        if not content:
            break
        place = random_.randrange(len(content))
        match random_.randrange(5):
            case 0:
                content[place] = random_.randrange(256)
            case 1:
                del content[place : place + random_.choice((1, 10, 500))]
            case 2:
                other = random_.choice(contents)
                start = random_.randrange(len(other) + 1)
                content[place:place] = other[start : start + random_.choice((3, 50, 3000))]
            case 3:
                content[place:place] = random_.choice(
                    (b"[", b"]", b'"', b"'''", b"\x00", b"\xff", b"\r", b"=", b"[[", b"9" * 300, b"#", b"{")
                ) * random_.choice((1, 1, 30))
            case _:
                content[place:place] = content[max(0, place - 100) : place]
    return bytes(content)


def files(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Make files, half of them by their bytes and half by their tables."""
    random_ = random.Random(seed)  # noqa: S311
    paths = sorted(BUNDLED.rglob("*.toml"))
    small = [path for path in paths if path.stat().st_size < 40_000]
    contents = [path.read_bytes() for path in small]
    parsed = {path: tables_of(path) for path in small}
    for number in range(count):
        if number % 2:
            yield f"bytes-{number}", bytes_of(random_, contents)
            continue
        tables = deepcopy(parsed[random_.choice(small)])
        for section, records in tables.items():
            if isinstance(records, list) and len(records) > 3:  # the rest says nothing new
                tables[section] = random_.sample(records, 3)
        yield f"tables-{number}", file_of(changed(random_, tables, [parsed[random_.choice(small)]]))


class TooLongError(Exception):
    """A file that took more than a second."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise TooLongError

    before = signal.signal(signal.SIGPROF, stop)
    # Time of the processor: on a busy machine a file does not take longer.
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def checker() -> Callable[[bytes], tuple[Any, ...]]:
    """Make what `catalogue check` does with a file, without starting anew for each."""
    from mesoformula.catalogue.files import CatalogueFile, parse
    from mesoformula.errors import Problem
    from mesoformula.formulary import Formulary

    base = []
    for path in sorted((BUNDLED / "substances").glob("*.toml")):
        parsed = parse(path.read_bytes(), str(path))
        assert isinstance(parsed, CatalogueFile)
        base.append(parsed)

    def check(content: bytes) -> tuple[Any, ...]:
        parsed = parse(content, "fuzzed.toml")
        if isinstance(parsed, Problem):
            return (parsed,)
        formulary = Formulary()
        formulary.add_file(parsed)  # first, so that its records are no doubles of the bundled
        for file in base:
            formulary.add_file(file)
        problems = formulary.check([parsed])
        return tuple(one for one in problems if one.path == "fuzzed.toml")

    return check


def main(count: int, seed: int, folder: Path) -> dict[str, Any]:
    check = checker()
    wrong: list[dict[str, str]] = []
    slowest, clean, problems = (0.0, ""), 0, 0
    for name, content in files(count, seed):
        started = time.process_time()
        try:
            with within(1):
                found = check(content)
                text = "\n".join(str(one) for one in found)
        except (Exception, RecursionError) as err:
            (folder / f"{name}.toml").write_bytes(content)
            wrong.append({"file": name, "error": "".join(traceback.format_exception(err))[-1500:]})
            continue
        slowest = max(slowest, (time.process_time() - started, name))
        clean += not found
        problems += len(found)
        if not all(char.isprintable() or char == "\n" for char in text):
            (folder / f"{name}.toml").write_bytes(content)
            wrong.append({"file": name, "error": "a message holds characters that do not print"})
    peak = _peak()
    return {
        "wrong": wrong,
        "slowest": slowest,
        "clean": clean,
        "problems": problems,
        "megabytes": peak // 1_000_000,
    }


def _peak() -> int:
    """Bytes of memory at the most; on Linux without what the parent had when it started this program."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])), indent=1))
