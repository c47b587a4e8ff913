"""It prints, when it is imported and when it is called."""

from mesoformula import Zone, hookimpl

print("hello from import")


@hookimpl
def mesoformula_zones():
    print("hello from a hook")
    return [Zone("bad-prints", "prints", ())]
