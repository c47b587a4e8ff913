"""Try all rules on a plugin, and say what came of it."""

from __future__ import annotations

import platform
import sys
import tempfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import attrs

from mesoformula import __version__
from mesoformula.contract_version import written
from mesoformula.errors import Problem
from mesoformula.hookspecs import CONTRACT_VERSION
from mesoformula.provenance import PluginInfo
from mesoformula.testing.effects import silenced
from mesoformula.testing.locating import located
from mesoformula.testing.rules import RULES, Kind, Rule, State, Verdict, judged
from mesoformula.testing.subject import Subject

#: The modules that hold rules, in the order of a report.
_MODULES = (
    "plugin_rules",
    "catalogue_rules",
    "quantities_rules",
    "check_rules",
    "sheet_rules",
    "format_rules",
    "class_rules",
    "lot_policy_rules",
)


@attrs.frozen
class Report:
    """
    What a vendor sends: one plugin, tried by every rule.

    Attributes:
        plugin: Who it is.
        hooks: That it implements.
        mesoformula: Version of mesoformula.
        contract: Version of the contract with plugins.
        python: Version of Python.
        platform: System that it was tried on.
        verdicts: One per rule, in their order.
    """

    plugin: PluginInfo
    hooks: tuple[str, ...]
    mesoformula: str
    contract: str
    python: str
    platform: str
    verdicts: tuple[Verdict, ...]

    @property
    def is_right(self) -> bool:
        """Whether no rule failed."""
        return not any(one.state is State.FAILED for one in self.verdicts)

    def count(self, state: State) -> int:
        """
        Count rules.

        Args:
            state: What has become of them.

        Returns:
            How many.
        """
        return sum(1 for one in self.verdicts if one.state is state)


def rules_of(kind: Kind | None = None) -> tuple[Rule, ...]:
    """
    List rules.

    Args:
        kind: Of plugin; None for all.

    Returns:
        Rules in the order of a report.
    """
    for module in _MODULES:
        import_module(f"mesoformula.testing.{module}")
    return tuple(one for one in RULES.values() if kind in (None, one.kind))


def reference_of(plugin: object) -> str | None:
    """
    Tell how another process can import a plugin.

    Args:
        plugin: A module or a class; of an instance nobody knows how it was made.

    Returns:
        `module` or `module:attribute`; None if nobody can tell.
    """
    if isinstance(plugin, ModuleType):
        return plugin.__name__ if sys.modules.get(plugin.__name__) is plugin and plugin.__spec__ else None
    if isinstance(plugin, type) and "<locals>" not in plugin.__qualname__:
        home = sys.modules.get(plugin.__module__)
        is_there = home is not None and home.__spec__ is not None
        return f"{plugin.__module__}:{plugin.__qualname__}" if is_there else None
    return None


def check_plugin(plugin: object, info: PluginInfo | None = None, *, reference: str | None = None) -> Report:
    """
    Try every rule on a plugin.

    Args:
        plugin: A module, a class or an instance.
        info: Who it is; None to name it after the module or class.
        reference: How another process can import it; None to find out.

    Returns:
        The report.
    """
    if info is None:
        info = PluginInfo(str(getattr(plugin, "__name__", None) or type(plugin).__name__))
    reference = reference if reference is not None else reference_of(plugin)
    with tempfile.TemporaryDirectory(prefix="mesoformula-kit-") as folder:
        subject = Subject(plugin, info, Path(folder).resolve(), reference)
        # A plugin that prints must not write into the report.
        with silenced():
            verdicts = tuple(judged(one, subject) for one in rules_of())
            hooks = subject.hooks
        return report_of(info, verdicts, hooks)


def report_of(info: PluginInfo, verdicts: tuple[Verdict, ...], hooks: tuple[str, ...] = ()) -> Report:
    """
    Make a report.

    Args:
        info: Who the plugin is.
        verdicts: What came of the rules.
        hooks: That it implements.

    Returns:
        The report, with what it was tried with.
    """
    return Report(
        info,
        hooks,
        __version__,
        written(CONTRACT_VERSION),
        platform.python_version(),
        f"{platform.system()} {platform.machine()}".strip(),
        verdicts,
    )


def reports_of(target: str) -> Iterator[Report]:
    """
    Find plugins, and try every rule on each.

    Args:
        target: As for `mesoformula.testing.locating.located`.

    Yields:
        A report per plugin; of one that cannot be imported the rule `hooks` says so.

    Raises:
        UnknownNameError: If no installed plugin is called so; with those that come near.
        PluginLoadError: If the path holds no plugin.
    """
    with located(target) as found:
        for one in found:
            if one.failure:
                yield report_of(one.info, _failed(one.failure, one.info))
            else:
                yield check_plugin(one.plugin, one.info, reference=one.reference)


def _failed(failure: str, info: PluginInfo) -> tuple[Verdict, ...]:
    """Say of a plugin that cannot be imported that nothing else can be said."""
    first, *others = rules_of()
    problem = Problem(first.code, failure, plugin=str(info))
    reason = "the plugin cannot be imported"
    return (
        Verdict(first, State.FAILED, (problem,)),
        *(Verdict(one, State.NOT_APPLICABLE, reason=reason) for one in others),
    )
