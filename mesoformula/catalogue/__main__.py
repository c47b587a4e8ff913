"""Print every problem of the catalogues that are named: `python -m mesoformula.catalogue PATH…`."""

from __future__ import annotations

import sys
from pathlib import Path

from mesoformula.formulary import Formulary


def main() -> int:
    """
    Check the catalogues named on the command line.

    Returns:
        3 if there is any problem, else 0.
    """
    formulary = Formulary()
    for path in sys.argv[1:]:
        formulary.add_catalogue(Path(path))
    problems = formulary.check()
    for problem in problems:
        print(problem)  # noqa: T201
    return 3 if problems else 0


sys.exit(main())
