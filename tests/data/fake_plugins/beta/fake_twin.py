"""The copy of distribution fake-beta."""

from mesoformula.hookspecs import hookimpl
from mesoformula.ingredients import AminoAcid, IngredientClass


@hookimpl
def mesoformula_ingredient_classes():
    return [IngredientClass("beta_class", "beta_class", "fictional", AminoAcid)]
