"""A plugin with a misspelt hook beside a right one."""

from mesoformula.hookspecs import hookimpl
from mesoformula.ingredients import AminoAcid, IngredientClass


@hookimpl
def mesoformula_prodcuts():
    return []


@hookimpl
def mesoformula_ingredient_classes():
    return [IngredientClass("misspelt_class", "misspelt_class", "fictional", AminoAcid)]
