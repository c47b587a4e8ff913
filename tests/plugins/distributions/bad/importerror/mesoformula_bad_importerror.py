"""It needs what is not installed."""

import mesoformula_not_there  # noqa: F401
