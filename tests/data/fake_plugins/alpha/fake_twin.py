"""The copy of distribution fake-alpha."""

from mesoformula.hookspecs import hookimpl
from mesoformula.ingredients import AminoAcid, IngredientClass


@hookimpl
def mesoformula_ingredient_classes():
    return [IngredientClass("alpha_class", "alpha_class", "fictional", AminoAcid)]
