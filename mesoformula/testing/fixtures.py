"""What the fixtures hand out."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import attrs

from mesoformula.errors import Problem
from mesoformula.formulary import Formulary


@attrs.frozen
class Made:
    """
    A formulary made of texts, and everything that is wrong with them.

    Attributes:
        formulary: What could be read.
        problems: What could not, with file and line.
    """

    formulary: Formulary
    problems: tuple[Problem, ...]

    @property
    def found(self) -> list[tuple[int | None, str]]:
        """Line and code of every problem, in order."""
        return sorted(((problem.line, problem.code) for problem in self.problems), key=str)


def made_of(texts: tuple[str, ...], folder: Path) -> Made:
    """
    Make a formulary of the texts of catalogues, and check it.

    Args:
        texts: One file each; common indentation is taken off.
        folder: Where to write them.

    Returns:
        The formulary and its problems.
    """
    formulary = Formulary()
    for number, text in enumerate(texts, start=1):
        path = folder / f"made-{number}.toml"
        path.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
        formulary.add_catalogue(path)
    return Made(formulary, formulary.check())
