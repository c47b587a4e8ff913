"""A plugin that also serves a newer contract."""

from mesoformula.hookspecs import hookimpl
from mesoformula.ingredients import AminoAcid, IngredientClass


@hookimpl(optionalhook=True)
def mesoformula_hook_of_tomorrow(anything):
    return anything


@hookimpl
def mesoformula_ingredient_classes():
    return [IngredientClass("newer_class", "newer_class", "fictional", AminoAcid)]
