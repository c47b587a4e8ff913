"""Where a user's own catalogues are: named in an environment variable, or dropped into the data folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

#: Names files and folders, separated as in PATH.
VARIABLE = "MESOFORMULA_CATALOGUES"


def named_in(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """
    List the catalogues that the environment names.

    Args:
        environ: Environment variables.

    Returns:
        Files and folders in their order; none if the variable is not set.
    """
    named = (word.strip() for word in environ.get(VARIABLE, "").split(os.pathsep))
    return tuple(_at_home(word) for word in named if word)


def _at_home(word: str) -> Path:
    try:
        return Path(word).expanduser()
    except RuntimeError:  # nobody of that name: reading it says so
        return Path(word)


def own_folder() -> Path:
    """
    Name the folder whose catalogues are read without being named.

    Returns:
        It lies beside the stock in the user's data folder, and need not be there.
    """
    from platformdirs import user_data_path

    return user_data_path("mesoformula", appauthor=False) / "catalogues"
