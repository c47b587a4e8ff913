"""The name of a hook is misspelt."""

from mesoformula import hookimpl


@hookimpl
def mesoformula_zonse():
    return []
