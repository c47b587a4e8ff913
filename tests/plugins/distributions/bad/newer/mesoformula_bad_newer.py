"""It was written for a contract of the future."""

from mesoformula import hookimpl

mesoformula_contract = "9.0"


@hookimpl
def mesoformula_zones():
    raise RuntimeError("never called")
