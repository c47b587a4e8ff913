"""What a benchmark has found, as one line of its table."""

from __future__ import annotations

import attrs


@attrs.frozen
class Result:
    """One line of the table."""

    name: str
    ratio: float
    limit: float
    said: str

    @property
    def holds(self) -> bool:
        """Whether the limit is kept."""
        return self.ratio <= self.limit

    def __str__(self) -> str:
        verdict = "ok" if self.holds else "ABOVE THE LIMIT"
        return f"{self.name:16} {self.ratio:6.2f}  limit {self.limit:<4g} {verdict:16} {self.said}"
