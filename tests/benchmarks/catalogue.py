"""Measure how catalogues of ten thousand generated products load, as the README beside this file says."""

from __future__ import annotations

import gc
import os
import random
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from statistics import median
from time import perf_counter

from results import Result

from mesoformula import Formulary
from mesoformula.catalogue.cache import cache_folder

PRODUCTS, VENDORS, FEW = 10_000, 40, 75
ROUNDS = 3
PROCESS_RUNS = 15

FIRST = ("Derma", "Meso", "Hyal", "Revi", "Cyto", "Bio", "Lumi", "Nova", "Aqua", "Viva", "Prime", "Filo")
SECOND = ("glow", "lift", "derm", "skin", "fill", "plus", "cell", "face", "hair", "tone", "line", "care")


# ---- made up --------------------------------------------------------------------------------------------


def substances() -> list[str]:
    """Real ones, of which any amount from 1 to 9 mg/mL is believable."""
    formulary = Formulary()
    formulary.add_catalogue(files("mesoformula_catalogues"))
    return [one.id for one in formulary.substances() if one.ingredient_class and one.role is None]


def product(chosen: random.Random, known: list[str], number: int) -> str:
    """One product as vendors write them: two sources, one part, three to eight ingredients."""
    name = f"{chosen.choice(FIRST)}{chosen.choice(SECOND)} {number}"
    volume = chosen.choice(("2 mL", "3 mL", "5 mL", "10 mL"))
    form = chosen.choice(("solution", "solution", "gel"))
    entries = []
    for substance in chosen.sample(known, chosen.randint(3, 8)):
        amount = f'amount = "{chosen.randint(1000, 9999) / 1000} mg/mL"'
        if chosen.random() < 0.2:
            amount = "undisclosed = true"
        elif chosen.random() < 0.1:
            amount += ', as_published = "as printed on the ampoule, in small letters"'
        entries.append(f'  {{ substance = "{substance}", {amount} }},\n')
    if chosen.random() < 0.25:
        entries.append(
            '  { substance = "sodium-ascorbate", amount = "113 mg/5 mL", '
            'equivalents = [{ of = "ascorbic-acid", amount = "100 mg" }] },\n'
        )
    return f"""
[[product]]
sku = "product-{number}"
name = "{name}"
kind = "{chosen.choice(("device", "cosmetic", "medicine"))}"
containers_per_pack = {chosen.randint(1, 20)}
routes = ["{chosen.choice(("intradermal", "subcutaneous"))}"]
doses = "single"
mixing = "not stated"
nicknames = ["the {number} {name.split()[0].lower()}"]
contraindications = ["hypersensitivity to any ingredient", "pregnancy and breast-feeding"]
status = [{{ region = "EU", kind = "device", device_class = "III" }}]

[product.storage]
low = "2 °C"
high = "25 °C"
protect_from_light = true
as_published = "Store between 2 and 25 °C, away from light."

[[product.part]]
container = "{chosen.choice(("vial", "ampoule", "syringe"))}"
form = "{form}"
volume = "{volume}"
ph = "6.8 to 7.4"
composition = [
{"".join(entries)}]
auxiliaries = [
  {{ substance = "sodium-chloride", amount = "0.9 % w/v" }},
  {{ substance = "water-for-injections" }},
]

[[product.source]]
key = "leaflet"
kind = "IFU"
where = "an invented leaflet, number {number}"
read = 2026-11-23

[[product.source]]
key = "shop"
kind = "DIST"
where = "https://example.org/invented/{number}"
read = 2026-11-23
note = "price list: the same composition"
"""


def write(folder: Path, count: int) -> int:
    """Write generated vendors' files, and return how many bytes they take."""
    folder.mkdir()
    chosen = random.Random(1)  # noqa: S311 (the same catalogue every time)
    known = substances()
    size = 0
    for vendor in range(VENDORS):
        head = f'schema = 1\n\n[vendor]\nid = "vendor-{vendor}"\nname = "Vendor {vendor}"\n'
        text = head + "".join(product(chosen, known, number) for number in range(vendor, count, VENDORS))
        size += Path(folder, f"vendor-{vendor}.toml").write_bytes(text.encode())
    return size


# ---- in this process ----------------------------------------------------------------------------------


def seconds(work: Callable[[], object]) -> float:
    """Time one call, from a clean heap."""
    gc.collect()
    start = perf_counter()
    work()
    return perf_counter() - start


def parse(folder: Path) -> None:
    """What anybody would have to do: the standard library's parser, and nothing else."""
    for path in sorted(folder.iterdir()):
        tomllib.loads(path.read_text(encoding="utf-8"))


def load_and_check(folder: Path) -> None:
    """Read, check and cross-check everything, with an empty cache."""
    cache = cache_folder()
    for path in cache.iterdir() if cache is not None and cache.is_dir() else ():
        path.unlink()
    formulary = Formulary()
    formulary.add_catalogue(files("mesoformula_catalogues"))
    added = formulary.add_catalogue(folder)
    problems = formulary.check(added)
    assert len(formulary.names("product")) >= PRODUCTS
    assert not problems, problems[:5]


def in_process(folder: Path, size: int) -> Iterator[Result]:
    """Compare turn by turn."""
    pairs = [(seconds(lambda: load_and_check(folder)), seconds(lambda: parse(folder))) for _ in range(ROUNDS)]
    ours, theirs = (median(times) for times in zip(*pairs, strict=True))
    yield Result(
        "load and check",
        ours / theirs,
        3,
        f"{ours:.2f} s : {theirs:.2f} s for {PRODUCTS:,} products, {size / 1e6:.1f} MB",
    )


# ---- processes -------------------------------------------------------------------------------------------


def run(*words: str) -> None:
    """Run the command; it must succeed."""
    program = str(Path(sys.executable).with_name("mesoformula"))
    subprocess.run([program, *words], check=True, stdout=subprocess.DEVNULL)


def processes(many: Path, few: Path) -> Iterator[Result]:
    """Search as a user does, warm."""
    words = ("products", "product-42")
    for folder in (many, few):  # compiled and remembered
        run("--catalogue", str(folder), *words)
    pairs = [
        (
            seconds(lambda: run("--catalogue", str(many), *words)),
            seconds(lambda: run("--catalogue", str(few), *words)),
        )
        for _ in range(PROCESS_RUNS)
    ]
    ours, theirs = (median(times) for times in zip(*pairs, strict=True))
    yield Result("products TEXT", ours / theirs, 2, f"{ours * 1000:.0f} ms : {theirs * 1000:.0f} ms on {FEW}")


def main() -> int:
    """
    Measure everything.

    Returns:
        1 if a limit is exceeded, else 0.
    """
    broken = 0
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        cache_folder.cache_clear()
        many, few = Path(folder, "many"), Path(folder, "few")
        size = write(many, PRODUCTS)
        write(few, FEW)
        for result in (*in_process(many, size), *processes(many, few)):
            print(result)
            broken += not result.holds
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
