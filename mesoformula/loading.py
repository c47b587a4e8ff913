"""
Find plugins and register them.

Who wins where two offer one thing is decided here, and documented in `mesoformula.plugins`.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import EntryPoint
from typing import TypeVar

import attrs
import pluggy

from mesoformula.account import Account, Entry, how_to_choose, winner_of
from mesoformula.contract import Outdated, examined
from mesoformula.contract_version import Contract, DeclarationError, declared_contract, written
from mesoformula.errors import PluginLoadError, Problem
from mesoformula.hookspecs import PROJECT, Specs
from mesoformula.provenance import (
    BLOCK_VARIABLE,
    Candidate,
    PluginInfo,
    State,
    candidates,
    groups,
    normalised,
    owners,
    said,
    stranger,
)
from mesoformula.watching import Watch
from mesoformula.words import nearest, shown

T = TypeVar("T")


class Registry(Account):
    """
    The plugins that were found or registered.

    Attributes:
        strict: Whether the first problem is raised instead of kept.
        contract: That holds with plugins.
    """

    def __init__(
        self,
        *,
        strict: bool = False,
        discovers: bool = True,
        contract: Contract | None = None,
        watch: Watch | None = None,
    ) -> None:
        super().__init__(strict=strict)
        self.contract = contract or Contract()
        self._discovers = discovers
        self._watch = watch or Watch()
        self._pluggy = pluggy.PluginManager(PROJECT)
        self._pluggy.add_hookspecs(Specs)
        self._plugins: dict[int, Entry] = {}

    # ---- loading ------------------------------------------------------------------------------------------

    def discover(
        self, *, blocked: Iterable[str] | None = None, entry_points: Iterable[EntryPoint] | None = None
    ) -> None:
        """
        Load the plugins that are installed.

        Args:
            blocked: Names of plugins or distributions that are not imported; None for those that
                MESOFORMULA_BLOCK_PLUGINS names.
            entry_points: Where to look; None for everything that is installed.

        Raises:
            PluginLoadError: If this manager refuses discovery; if strict, also if a plugin cannot be loaded.
            PluginConflictError: If strict, and two distributions offer one thing.
        """
        if not self._discovers:
            raise PluginLoadError(
                Problem("discovery", "this manager holds only what is registered by hand; use load_plugins()")
            )
        found, unreadable = candidates(entry_points)
        for problem in unreadable:
            self._note(PluginLoadError, problem)
        wanted = self._unblocked(found, blocked)
        for candidate in self._unrivalled(self._unshadowed(wanted)):
            self._load(candidate)

    def _unblocked(self, found: Sequence[Candidate], blocked: Iterable[str] | None) -> list[Candidate]:
        if blocked is None:
            blocked = os.environ.get(BLOCK_VARIABLE, "")
        if isinstance(blocked, str):
            blocked = blocked.split(",")
        words = {normalised(word): word.strip() for word in blocked if word.strip()}
        names = {one.plugin.name for one in found} | {
            one.plugin.distribution for one in found if one.plugin.distribution is not None
        }
        known = {normalised(name) for name in names}
        for key in sorted(words.keys() - known):
            close = nearest(words[key], sorted(names))
            hint = f"did you mean {' or '.join(close)}? " if close else ""
            self._note(
                PluginLoadError,
                Problem(
                    "unknown-plugin",
                    f"{shown(words[key])} is to be blocked, but no plugin or distribution is called so; "
                    f"{hint}Correct {BLOCK_VARIABLE}: what it misspells is not blocked",
                ),
            )
        wanted = []
        for one in found:
            if {
                normalised(one.plugin.name),
                normalised(one.plugin.distribution or one.plugin.name),
            } & words.keys():
                self._enter(one.plugin).worsen(
                    State.BLOCKED, f"blocked; take it out of {BLOCK_VARIABLE} to use it"
                )
            else:
                wanted.append(one)
        return wanted

    def _unshadowed(self, wanted: Iterable[Candidate]) -> Iterator[Candidate]:
        """Where several distributions offer one module, keep the one whose copy Python imports."""
        for group in groups(wanted, by_module=True):
            if len({one.plugin.distribution for one in group}) == 1:
                yield from group
                continue
            owning, origin = owners(group)
            kept = owning if len({one.plugin.distribution for one in owning}) == 1 else ()
            yield from kept
            reason = f"Python imports {origin}" if kept else "whose copy Python imports cannot be told"
            self._refuse(
                [one.plugin for one in group],
                [one.plugin for one in kept],
                f"module {group[0].module!r}",
                f"{reason}; uninstall one",
            )

    def _unrivalled(self, wanted: Iterable[Candidate]) -> Iterator[Candidate]:
        """Where several distributions offer one plugin name, keep the first-party one or none."""
        for group in groups(wanted, by_module=False):
            kept = winner_of(group, lambda one: one.plugin)
            if kept is not None:
                yield kept
            if len(group) > 1:
                self._refuse(
                    [one.plugin for one in group],
                    [kept.plugin] if kept is not None else [],
                    f"the plugin name {shown(group[0].plugin.name)}",
                    f"uninstall one, or {how_to_choose([one.plugin for one in group])}",
                )

    def _load(self, candidate: Candidate) -> None:
        entry = self._enter(candidate.plugin)
        started = time.perf_counter()
        try:
            try:
                with self._watch.over(entry.plugin, f"import of {shown(candidate.entry_point.value)}"):
                    plugin = candidate.entry_point.load()
            except KeyboardInterrupt:
                raise
            except BaseException as err:
                self._set_aside(
                    entry,
                    "import",
                    f"{shown(candidate.entry_point.value)} cannot be imported ({said(err)})"
                    f"{self._written_for_another(err)}",
                    err,
                )
                return
            origin = stranger(candidate, getattr(sys.modules.get(candidate.module), "__spec__", None))
            if origin is not None:
                entry.plugin = attrs.evolve(entry.plugin, first_party=False)
                self._note(
                    PluginLoadError,
                    Problem(
                        "shadowed",
                        f"the code imported for it, {origin}, is not that of its distribution; "
                        "remove that copy, or install the distribution again",
                        plugin=str(entry.plugin),
                    ),
                )
            self._admit(entry, plugin)
        finally:
            entry.load_seconds = time.perf_counter() - started

    def register(
        self,
        plugin: object,
        name: str | None = None,
        *,
        distribution: str | None = None,
        version: str | None = None,
        first_party: bool = False,
    ) -> PluginInfo:
        """
        Register a plugin by hand, as tests do.

        Args:
            plugin: A module, an instance, or a class, which is called without arguments.
            name: What to call it; that of the module or class if None.
            distribution: It is said to come from.
            version: Of that distribution.
            first_party: Whether it counts as first-party.

        Returns:
            Who it is known as. Whether it is active, `report` says.

        Raises:
            PluginLoadError: If strict, and it cannot be registered.
            PluginConflictError: If strict, and its name is taken.
        """
        chosen = name or str(getattr(plugin, "__name__", None) or type(plugin).__name__)
        info = PluginInfo(chosen, distribution, version, first_party)
        entry = self._enter(info)
        self._admit(entry, plugin)
        return info

    def _admit(self, entry: Entry, plugin: object) -> None:
        """Register a plugin with pluggy, unless something speaks against it."""
        name = entry.plugin.name
        outdated: tuple[Outdated, ...] = ()
        try:
            faults = self._incompatible(entry, plugin)
            if not faults:
                if isinstance(plugin, type):
                    plugin = plugin()
                faults = self._taken(name, plugin)
            if not faults:
                found = examined(self._pluggy, plugin, self.contract)
                faults, entry.hooks = found.faults, () if found.faults else found.hooks
                outdated = found.outdated
            if not faults:
                self._pluggy.register(plugin, name=name)
        except KeyboardInterrupt:
            raise
        except BaseException as err:
            entry.hooks = ()
            self._set_aside(entry, "register", f"cannot be registered ({said(err)})", err)
            return
        if faults:
            for code, message in faults:
                self._set_aside(entry, code, message)
            return
        self._active[name] = entry
        self._plugins[id(plugin)] = entry
        for one in outdated:
            self._warn(entry, one)

    def _incompatible(self, entry: Entry, plugin: object) -> tuple[tuple[str, str], ...]:
        """Tell whether a plugin was written for a contract that is not this one."""
        try:
            declared = declared_contract(plugin)
        except DeclarationError as err:
            return (("contract", str(err)),)
        if declared is None:
            return ()
        entry.contract = written(declared)
        refusal = self.contract.refusal(declared)
        return () if refusal is None else (("incompatible", refusal),)

    def _written_for_another(self, err: BaseException) -> str:
        """Give the reason that is likely where it is a name of ours that cannot be imported."""
        name = (err.name if isinstance(err, ImportError) else None) or ""
        if name.partition(".")[0] != PROJECT:
            return ""
        from mesoformula import __version__

        return (
            f": mesoformula {__version__} with contract {written(self.contract.version)} does not have it; "
            "was it written for another?"
        )

    def _taken(self, name: str, plugin: object) -> tuple[tuple[str, str], ...]:
        if name in self._active:
            other = self._active[name].plugin
            return (("conflict", f"the plugin name {shown(name)} is taken by {other}; rename one"),)
        if id(plugin) in self._plugins:
            other = self._plugins[id(plugin)].plugin
            return (("conflict", f"is the same object as plugin {other}; register it once"),)
        return ()
