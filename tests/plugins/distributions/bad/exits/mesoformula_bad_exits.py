"""A hook ends the program."""

import sys

from mesoformula import hookimpl


@hookimpl
def mesoformula_zones():
    sys.exit(0)
