from importlib.resources import files

from mesoformula import hookimpl


@hookimpl
def mesoformula_catalogues():
    return [files(__name__) / "products"]
