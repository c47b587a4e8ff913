"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


@contextmanager
def placed(path: Path, encoding: str) -> Iterator[TextIO]:
    """
    Write a text file beside its place, and put it there once it is finished.

    Args:
        path: Where it goes; what stands there is replaced.
        encoding: Of the text.

    Yields:
        What to write to. Line ends stay as they are written.

    Raises:
        OSError: If it cannot be written there; what stood there still does.
    """
    beside = path.with_name(f".{secrets.token_hex(8)}{path.suffix}.part")
    try:
        with beside.open("x", encoding=encoding, newline="") as target:
            yield target
            target.flush()
            os.fsync(target.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
