"""A plugin that forgot a decorator."""


def mesoformula_products():
    return []
