"""
Find plugins, register them, and keep account of what goes wrong.

Who wins where two offer one thing is decided here, and documented in `mesoformula.plugins`.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.metadata import EntryPoint
from typing import TypeVar

import attrs
import pluggy

from mesoformula.contract import examined
from mesoformula.errors import PluginConflictError, PluginError, PluginLoadError, Problem
from mesoformula.hookspecs import PROJECT, Specs
from mesoformula.provenance import (
    BLOCK_VARIABLE,
    Candidate,
    Offered,
    PluginInfo,
    PluginStatus,
    State,
    candidates,
    groups,
    normalised,
    owners,
    said,
    stranger,
)
from mesoformula.words import nearest, shown

T = TypeVar("T")


@attrs.define(eq=False)
class Entry:
    """What is known of one plugin, as it changes."""

    plugin: PluginInfo
    state: State = State.ACTIVE
    reason: str = ""
    hooks: tuple[str, ...] = ()
    load_seconds: float = 0.0

    def worsen(self, state: State, reason: str) -> None:
        """
        Keep the worst that happened, and its first reason.

        Args:
            state: What it has come to.
            reason: Why.
        """
        order = list(State)
        if order.index(state) > order.index(self.state):
            self.state, self.reason = state, reason


class Registry:
    """
    The plugins that were found or registered, and what went wrong with them.

    Attributes:
        strict: Whether the first problem is raised instead of kept.
    """

    def __init__(self, *, strict: bool = False, discovers: bool = True) -> None:
        self.strict = strict
        self._discovers = discovers
        self._pluggy = pluggy.PluginManager(PROJECT)
        self._pluggy.add_hookspecs(Specs)
        self._entries: list[Entry] = []
        self._active: dict[str, Entry] = {}
        self._problems: dict[object, Problem] = {}

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Everything that has gone wrong so far, once each."""
        return tuple(self._problems.values())

    def report(self) -> tuple[PluginStatus, ...]:
        """
        Tell what has become of every plugin.

        Returns:
            One status per plugin that was found or registered, sorted by name and distribution.
        """
        entries = sorted(self._entries, key=lambda entry: (entry.plugin.name, str(entry.plugin)))
        return tuple(
            PluginStatus(
                entry.plugin.name,
                entry.plugin.distribution,
                entry.plugin.version,
                entry.plugin.first_party,
                entry.state,
                entry.reason,
                entry.hooks,
                entry.load_seconds,
            )
            for entry in entries
        )

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
                    f"uninstall one, or block one distribution with {BLOCK_VARIABLE}",
                )

    def _load(self, candidate: Candidate) -> None:
        entry = self._enter(candidate.plugin)
        started = time.perf_counter()
        try:
            try:
                plugin = candidate.entry_point.load()
            except KeyboardInterrupt:
                raise
            except BaseException as err:
                self._set_aside(
                    entry,
                    "import",
                    f"{shown(candidate.entry_point.value)} cannot be imported ({said(err)})",
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

    def _enter(self, plugin: PluginInfo) -> Entry:
        entry = Entry(plugin)
        self._entries.append(entry)
        return entry

    def _admit(self, entry: Entry, plugin: object) -> None:
        """Register a plugin with pluggy, unless something speaks against it."""
        name = entry.plugin.name
        try:
            if isinstance(plugin, type):
                plugin = plugin()
            faults: tuple[tuple[str, str], ...] = self._taken(name, plugin)
            if not faults:
                found = examined(self._pluggy, plugin)
                faults, entry.hooks = found.faults, () if found.faults else found.hooks
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

    def _taken(self, name: str, plugin: object) -> tuple[tuple[str, str], ...]:
        if name in self._active:
            other = self._active[name].plugin
            return (("conflict", f"the plugin name {shown(name)} is taken by {other}; rename one"),)
        for entry in self._active.values():
            if self._pluggy.get_plugin(entry.plugin.name) is plugin:
                return (("conflict", f"is the same object as plugin {entry.plugin}; register it once"),)
        return ()

    # ---- account of what went wrong ------------------------------------------------------------------------

    def _note(
        self,
        kind: type[PluginError],
        problem: Problem,
        cause: BaseException | None = None,
        key: object = None,
    ) -> None:
        self._problems.setdefault(problem if key is None else key, problem)
        if self.strict:
            raise kind(problem) from cause

    def _set_aside(self, entry: Entry, code: str, message: str, cause: BaseException | None = None) -> None:
        if cause is not None:
            message = f"{message}; mend or update it, or block it with {BLOCK_VARIABLE}={entry.plugin.name}"
        conflict = code == "conflict"
        entry.worsen(State.CONFLICT if conflict else State.FAILED, message)
        self._note(
            PluginConflictError if conflict else PluginLoadError,
            Problem(code, message, plugin=str(entry.plugin)),
            cause,
        )

    def _refuse(
        self,
        parties: Sequence[PluginInfo],
        kept: Sequence[PluginInfo],
        what: str,
        advice: str,
        *,
        core: bool = False,
    ) -> None:
        """Note a conflict: one problem that names all parties, of whom all but the kept lose."""
        losers = [party for party in parties if not any(party is winner for winner in kept)]
        if not losers:
            return
        first = losers[0]
        others = list(dict.fromkeys(str(party) for party in parties if party != first))
        if core:
            others.insert(0, "the core")
        by = f"also offered by {' and '.join(others)}" if others else "offered twice by it"
        if core or kept:
            used = f"that of {'the core' if core else kept[0]} is used"
        else:
            used = "none of them is used"
        problem = Problem(
            "conflict",
            f"{what} is {by}; {used}; {advice}",
            plugin=str(first),
        )
        for loser in losers:
            entry = next((one for one in self._entries if one.plugin == loser), None)
            (entry or self._enter(loser)).worsen(State.CONFLICT, f"{problem.plugin}: {problem.message}")
        self._note(PluginConflictError, problem)

    def settle(
        self,
        what: str,
        offered: Iterable[Offered[T]],
        names: Callable[[T], tuple[str, ...]],
        *,
        core: Iterable[str] = (),
    ) -> tuple[Offered[T], ...]:
        """
        Set aside what is offered under a taken name.

        The core wins over first-party plugins, and those over third parties; between equals nobody wins.

        Args:
            what: What is offered, in words, such as `product`.
            offered: By anybody, by whatever hook or catalogue.
            names: The names of one of them.
            core: Names that the core has itself.

        Returns:
            What stands, in the order given.

        Raises:
            PluginConflictError: If strict, and a name is taken.
        """
        offered, taken = tuple(offered), frozenset(core)
        claims: dict[str, list[Offered[T]]] = {}
        for one in offered:
            for name in dict.fromkeys(names(one.value)):
                claims.setdefault(name, []).append(one)
        lost: set[int] = set()
        for name, parties in sorted(claims.items()):
            if len(parties) == 1 and name not in taken:
                continue
            parties.sort(key=lambda one: (one.plugin.name, str(one.plugin)))
            kept = None if name in taken else winner_of(parties, lambda one: one.plugin)
            lost.update(id(one) for one in parties if one is not kept)
            self._refuse(
                [one.plugin for one in parties],
                [kept.plugin] if kept is not None else [],
                f"{what} {shown(name)}",
                f"rename one or block one with {BLOCK_VARIABLE}",
                core=name in taken,
            )
        return tuple(one for one in offered if id(one) not in lost)


def winner_of(parties: Sequence[T], who: Callable[[T], PluginInfo]) -> T | None:
    """
    Choose the only party, or the only first-party one; nobody else.

    Args:
        parties: That want one thing.
        who: They are.

    Returns:
        The winner; None if there is none.
    """
    if len(parties) == 1:
        return parties[0]
    first = [party for party in parties if who(party).first_party]
    return first[0] if len(first) == 1 else None
