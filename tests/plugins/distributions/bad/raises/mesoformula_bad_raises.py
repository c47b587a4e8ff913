"""A hook raises."""

from mesoformula import hookimpl


@hookimpl
def mesoformula_zones():
    raise RuntimeError("out of order")
