"""It offers a class that the core has."""

import attrs

from mesoformula import IngredientClass, hookimpl


@attrs.frozen
class Vitamin:
    pass


@hookimpl
def mesoformula_ingredient_classes():
    return [IngredientClass("vitamin", "vitamin", "another meaning", Vitamin)]
