"""A plugin that does everything right."""

from mesoformula.hookspecs import hookimpl
from mesoformula.ingredients import AminoAcid, IngredientClass


@hookimpl
def mesoformula_ingredient_classes():
    return [IngredientClass("good_class", "good_class", "fictional", AminoAcid)]
