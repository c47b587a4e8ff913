"""
Keep account of plugins: what each has come to, what went wrong, and who loses where two offer one thing.

The rules are documented in `mesoformula.plugins`.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import attrs

from mesoformula.contract import Outdated
from mesoformula.errors import PluginConflictError, PluginError, PluginLoadError, Problem
from mesoformula.provenance import BLOCK_VARIABLE, Offered, PluginInfo, PluginStatus, State, normalised
from mesoformula.words import shown

T = TypeVar("T")


@attrs.define(eq=False)
class Entry:
    """What is known of one plugin, as it changes."""

    plugin: PluginInfo
    state: State = State.ACTIVE
    reason: str = ""
    contract: str | None = None
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


class Account:
    """
    What became of the plugins.

    Attributes:
        strict: Whether the first problem is raised instead of kept.
    """

    def __init__(self, *, strict: bool = False) -> None:
        self.strict = strict
        self._entries: list[Entry] = []
        self._active: dict[str, Entry] = {}
        self._problems: dict[object, Problem] = {}

    @property
    def first_party(self) -> frozenset[str]:
        """The first-party plugins, as `name (distribution version)`."""
        return frozenset(str(entry.plugin) for entry in self._entries if entry.plugin.first_party)

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
                entry.contract,
                entry.hooks,
                entry.load_seconds,
            )
            for entry in entries
        )

    def _enter(self, plugin: PluginInfo) -> Entry:
        entry = Entry(plugin)
        self._entries.append(entry)
        return entry

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

    def _warn(self, entry: Entry, outdated: Outdated) -> None:
        """Say that a plugin uses what is deprecated: it works, so that this is never fatal."""
        problem = Problem("deprecated", outdated.message, plugin=str(entry.plugin))
        self._problems.setdefault(problem, problem)
        code = getattr(inspect.unwrap(outdated.function), "__code__", None)
        warnings.warn_explicit(
            str(problem),
            DeprecationWarning,
            code.co_filename if code is not None else entry.plugin.name,
            code.co_firstlineno if code is not None else 1,
        )

    def _set_aside(self, entry: Entry, code: str, message: str, cause: BaseException | None = None) -> None:
        if cause is not None:
            message = f"{message}; mend or update it, or block it with {BLOCK_VARIABLE}={entry.plugin.name}"
        states = {"conflict": State.CONFLICT, "incompatible": State.INCOMPATIBLE}
        entry.worsen(states.get(code, State.FAILED), message)
        self._note(
            PluginConflictError if code == "conflict" else PluginLoadError,
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
                f"rename one, or {how_to_choose([one.plugin for one in parties])}",
                core=name in taken,
            )
        return tuple(one for one in offered if id(one) not in lost)


def how_to_choose(parties: Sequence[PluginInfo]) -> str:
    """
    Say what to type to choose between plugins.

    Args:
        parties: That want one thing.

    Returns:
        Words such as `block one with MESOFORMULA_BLOCK_PLUGINS=acme or MESOFORMULA_BLOCK_PLUGINS=belle`.
    """
    parties = tuple(dict.fromkeys(parties))
    names = [normalised(party.name) for party in parties]
    words = [
        (party.distribution or party.name) if names.count(normalised(party.name)) > 1 else party.name
        for party in parties
    ]
    which = "one" if len(words) > 1 else "the plugin"
    return f"block {which} with {' or '.join(f'{BLOCK_VARIABLE}={word}' for word in words)}"


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
