"""A third party that offers a first-party name, one of the core, and one of its own."""

from mesoformula.hookspecs import hookimpl
from mesoformula.ingredients import AminoAcid, IngredientClass


@hookimpl
def mesoformula_ingredient_classes():
    names = ("contested_by_first_party", "vitamin", "usurper_class")
    return [IngredientClass(name, name, "fictional", AminoAcid) for name in names]
