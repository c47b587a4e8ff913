"""A plugin that bears the name of another distribution's."""

from mesoformula.hookspecs import hookimpl
from mesoformula.ingredients import AminoAcid, IngredientClass


@hookimpl
def mesoformula_ingredient_classes():
    return [IngredientClass("namesake_class", "namesake_class", "fictional", AminoAcid)]
