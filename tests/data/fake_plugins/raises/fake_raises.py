"""A plugin of whose hooks one raises, one fails late, and one works."""

from mesoformula.hookspecs import hookimpl
from mesoformula.ingredients import AminoAcid, IngredientClass


@hookimpl
def mesoformula_products():
    raise ValueError("boom")


@hookimpl
def mesoformula_zones():
    yield from ()
    raise LookupError("late")


@hookimpl
def mesoformula_exporters():
    raise SystemExit(3)


@hookimpl
def mesoformula_ingredient_classes():
    return [IngredientClass("raises_class", "raises_class", "fictional", AminoAcid)]
