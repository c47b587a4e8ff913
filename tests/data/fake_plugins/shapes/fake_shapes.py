"""Plugins that are no modules: a class, an instance, and an instance that cannot be hashed."""

import attrs

from mesoformula.hookspecs import hookimpl
from mesoformula.ingredients import AminoAcid, IngredientClass


class Plugin:
    def __init__(self, name="class_made"):
        self.name = name

    @hookimpl
    def mesoformula_ingredient_classes(self):
        return [IngredientClass(self.name, self.name, "fictional", AminoAcid)]


@attrs.define
class Unhashable:
    name: str

    @hookimpl
    def mesoformula_ingredient_classes(self):
        return [IngredientClass(self.name, self.name, "fictional", AminoAcid)]


instance = Plugin("instance_made")
unhashable = Unhashable("unhashable_made")
