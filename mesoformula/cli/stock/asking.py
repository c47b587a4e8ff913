"""Lines from whoever sits at the terminal, or from a pipe in which nobody can be asked."""

from __future__ import annotations

import io
import sys
import textwrap

import click

from mesoformula.cli.common import safe, width

#: What one line may hold; a scanned code is shorter.
LONGEST_LINE = 5_000


class Dialogue:
    """
    Standard input, line by line.

    What is said to a person goes to the error stream, so that the output can be piped.

    Attributes:
        is_terminal: Whether somebody is there to be asked.
    """

    def __init__(self) -> None:
        # A program that was started without any standard input has none.
        self._stream = sys.stdin if sys.stdin is not None else io.StringIO()
        self.is_terminal = self._stream.isatty()
        if isinstance(self._stream, io.TextIOWrapper):
            # Bytes that are no text are refused with the line they stand in, not with a traceback.
            self._stream.reconfigure(errors="backslashreplace")

    def line(self, prompt: str) -> str | None:
        """
        Read a line.

        Args:
            prompt: Shown on a terminal only.

        Returns:
            The line without its end, cut off where it is longer than any should be; None at the end.
        """
        if self.is_terminal:
            click.echo(safe(prompt), nl=False, err=True)
        text = self._stream.readline(LONGEST_LINE)
        if not text:
            return None
        rest = text
        while rest and not rest.endswith("\n"):
            rest = self._stream.readline(LONGEST_LINE)
        return text.rstrip("\r\n")

    def ask(self, question: str) -> str:
        """
        Ask a person.

        Args:
            question: What to answer.

        Returns:
            The answer without blanks around it; empty for none.
        """
        return (self.line(f"{question}: ") or "").strip()

    def say(self, text: str) -> None:
        """
        Tell a person.

        Args:
            text: A paragraph.
        """
        if self.is_terminal:
            click.echo(textwrap.fill(safe(text), width(), break_on_hyphens=False), err=True)
