"""A hook takes longer than anybody likes to wait."""

import time

from mesoformula import Zone, hookimpl


@hookimpl
def mesoformula_zones():
    time.sleep(2.5)
    return [Zone("bad-slow", "slow", ())]
