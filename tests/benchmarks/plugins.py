"""Measure what each installed plugin adds to starting up, as the README beside this file says."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from textwrap import dedent
from time import perf_counter

from results import Result

PLUGINS = 200
RUNS = 15

#: A plugin as vendors write them: one module that imports what it needs when it is asked.
MODULE = """
    from mesoformula import Problem, hookimpl

    mesoformula_contract = "1.2"

    @hookimpl
    def mesoformula_zones():
        from mesoformula import Zone

        return [Zone("zone-{number}", "zone {number}", ())]

    @hookimpl
    def mesoformula_check_product(product):
        if product.vendor.id == "vendor{number}":
            yield Problem("vendor{number}-gtin", f"product {{product.id}}: our products bear a GTIN")
    """

LOAD = "from mesoformula.plugins import load_plugins; load_plugins()"
COMMAND = "from mesoformula.cli import run; run(['zones'])"


def install(folder: Path, number: int) -> None:
    """Put a distribution with one plugin into a folder, as an installer would leave it."""
    name = f"mesoformula_vendor{number}"
    information = folder / f"{name}-1.{number}.dist-info"
    information.mkdir()
    summary = "Products of a vendor that does not exist.\n" * 100
    (information / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: mesoformula-vendor{number}\nVersion: 1.{number}\n\n{summary}"
    )
    (information / "entry_points.txt").write_text(f"[mesoformula]\nvendor{number} = {name}\n")
    (information / "RECORD").write_text(f"{name}.py,,\n")
    (folder / f"{name}.py").write_text(dedent(MODULE).format(number=number))


def seconds(code: str, path: Path) -> float:
    """Run a program with a folder on its path."""
    environment = {**os.environ, "PYTHONPATH": str(path)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    started = perf_counter()
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True)
    return perf_counter() - started


def measured(name: str, code: str, none: Path, many: Path) -> Result:
    """Tell the milliseconds that one plugin adds, by runs with none and with many in turn."""
    for folder in (none, many):  # once unmeasured: what is compiled is kept
        seconds(code, folder)
    without, with_them = [], []
    for _ in range(RUNS):
        without.append(seconds(code, none))
        with_them.append(seconds(code, many))
    each = (median(with_them) - median(without)) / PLUGINS * 1000
    said = f"ms per plugin: {median(without) * 1000:.0f} ms without, {median(with_them) * 1000:.0f} ms with"
    return Result(name, each, 1, f"{said} {PLUGINS}")


def main() -> int:
    """Print the table; 1 if a limit is exceeded."""
    with tempfile.TemporaryDirectory() as place:
        none, many = Path(place, "none"), Path(place, "many")
        none.mkdir()
        many.mkdir()
        for number in range(PLUGINS):
            install(many, number)
        os.environ["XDG_CACHE_HOME"] = os.environ["XDG_CONFIG_HOME"] = os.environ["XDG_DATA_HOME"] = place
        results = [
            measured("plugins, loaded", LOAD, none, many),
            measured("plugins, asked", COMMAND, none, many),
        ]
    for result in results:
        print(result)
    return 0 if all(result.holds for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
