"""A plugin that needs something that is not there."""

import mesoformula_that_is_not_there  # noqa: F401
