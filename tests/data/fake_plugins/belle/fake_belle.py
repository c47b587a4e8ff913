"""The other of two third parties that offer one name."""

from mesoformula.hookspecs import hookimpl
from mesoformula.ingredients import AminoAcid, IngredientClass


@hookimpl
def mesoformula_ingredient_classes():
    return [
        IngredientClass("peptide", "peptide", "fictional", AminoAcid),
        IngredientClass("belle_class", "belle_class", "fictional", AminoAcid),
    ]
