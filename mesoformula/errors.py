"""Exceptions, and the `Problem` that names a place and says what to do there."""

from __future__ import annotations

from collections.abc import Iterable

import attrs


@attrs.frozen
class Problem:
    """
    Say what is wrong in one place, as one clickable line.

    Attributes:
        code: A stable word that tests and programs may rely on, such as `unit`.
        message: What was found, what was expected, and what to do.
        path: The file, if the problem is in one.
        line: The line in that file, counted from 1.
        plugin: The plugin it came with, as `name (distribution version)`.
        where: The place below its record, keys and indices, for whoever knows the record's file.
    """

    code: str
    message: str
    path: str | None = None
    line: int | None = None
    plugin: str | None = None
    where: tuple[str | int, ...] = attrs.field(default=(), repr=False)

    def __str__(self) -> str:
        """Write it as one clickable line."""
        place = ""
        if self.path is not None:
            place = f"{self.path}:{self.line}: " if self.line is not None else f"{self.path}: "
        elif self.plugin is not None:
            place = f"plugin {self.plugin}: "
        return f"{place}[{self.code}] {self.message}"


class MesoformulaError(Exception):
    """The base of everything that mesoformula raises on purpose."""


class QuantityError(MesoformulaError, ValueError):
    """
    A quantity that cannot be read or used: the message names the right form.

    Attributes:
        code: A stable word for the reason, such as `decimal-comma`.
    """

    def __init__(self, message: str, code: str = "quantity") -> None:
        super().__init__(message, code)
        self.code = code

    def __str__(self) -> str:
        """Write the message, without the code."""
        return str(self.args[0])


class ConversionError(QuantityError):
    """A conversion for which a fact about the substance is missing: the message says which."""


class UnknownNameError(MesoformulaError, LookupError):
    """
    A name that nothing answers to.

    Attributes:
        kind: What was looked for, such as `product`.
        name: The name as given.
        nearest: Known names that come close, best first.
    """

    def __init__(self, kind: str, name: str, nearest: Iterable[str] = ()) -> None:
        self.kind, self.name, self.nearest = kind, name, tuple(nearest)
        super().__init__(kind, name, self.nearest)

    def __str__(self) -> str:
        """Say what was looked for, and what comes close."""
        hint = f"; did you mean {' or '.join(self.nearest)}?" if self.nearest else ""
        name = self.name if len(self.name) <= 60 else f"{self.name[:60]}…"
        return f"no {self.kind} is called {name!r}{hint}"


class FormulaError(MesoformulaError, ValueError):
    """
    A formula or session that cannot be carried out, naming the line and the reason.

    Attributes:
        problems: Everything that stands against it.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        """Write one line per problem."""
        return "\n".join(str(problem) for problem in self.problems)


class OverrideError(MesoformulaError, ValueError):
    """
    An override that cannot be given: of a block, of what nothing says, or without a reason or a name.

    Attributes:
        problems: Everything that is wrong, not just the first.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        """Write one problem per line."""
        return "\n".join(problem.message for problem in self.problems)


class CatalogueError(MesoformulaError, ValueError):
    """
    Catalogue data that cannot be used.

    Attributes:
        problems: All problems of all files, not the first.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        """Write one line per problem."""
        return "\n".join(str(problem) for problem in self.problems)


class GridError(MesoformulaError, ValueError):
    """
    A table from outside, such as a CSV file or a workbook, that cannot be read or used.

    Attributes:
        problems: Everything that stands against it, with file and line, or sheet and cell.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        """Write one line per problem."""
        return "\n".join(str(problem) for problem in self.problems)


class SheetError(MesoformulaError, ValueError):
    """
    Sheets that cannot be made, or cannot be written in a format: nothing has been written.

    Attributes:
        problems: Everything that stands against it.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        """Write one line per problem."""
        return "\n".join(str(problem) for problem in self.problems)


class SettingsError(CatalogueError):
    """Settings that cannot be used: of the file, the environment or the command line."""


class PluginError(MesoformulaError):
    """
    A plugin that misbehaves.

    Attributes:
        problem: What happened, with the plugin's name, distribution and version.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        """Write the problem as one line."""
        return str(self.problem)


class PluginLoadError(PluginError):
    """A plugin that could not be imported or registered."""


class PluginConflictError(PluginError):
    """Two plugins that offer the same thing."""


class PluginResultError(PluginError):
    """A hook implementation that raised, or answered with something it must not."""


class StockError(MesoformulaError):
    """Something the stock refuses: nothing has been written."""


class OrderError(StockError, ValueError):
    """
    Something that was asked of the stock and is refused, whole: nothing of it has been written.

    Attributes:
        problems: Everything that stands against it.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        """Write one line per problem."""
        return "\n".join(str(problem) for problem in self.problems)


class ReceiptError(OrderError):
    """A delivery that the stock refuses; `line` of its problems counts the deliveries from 1."""


class ShortStockError(OrderError):
    """More was asked for than is there, or may be used: each problem says what is missing."""


class ScanError(StockError, ValueError):
    """
    A scanned code that cannot be read, or must not be: nothing of it has been used.

    Attributes:
        problems: Everything that stands against it.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        """Write one line per problem."""
        return "\n".join(str(problem) for problem in self.problems)


class ChoiceError(StockError, ValueError):
    """
    A choice of lots that is left to whoever asks: nothing has been picked.

    Attributes:
        problems: What is left open, with the lots to choose from.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        """Write one line per problem."""
        return "\n".join(str(problem) for problem in self.problems)


class LedgerError(StockError):
    """A ledger that cannot be opened, or an attempt to change its history."""
