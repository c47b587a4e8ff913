"""A plugin that wants an argument that the hook does not have."""

from mesoformula.hookspecs import hookimpl


@hookimpl
def mesoformula_check_session(session, patient):
    return []
