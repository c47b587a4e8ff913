"""A plugin of the distribution mesoformula itself."""

from mesoformula.hookspecs import hookimpl
from mesoformula.ingredients import AminoAcid, IngredientClass


@hookimpl
def mesoformula_ingredient_classes():
    return [IngredientClass("contested_by_first_party", "contested_by_first_party", "fictional", AminoAcid)]
