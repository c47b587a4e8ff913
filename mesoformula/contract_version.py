"""
The version of the contract with plugins, and what of it is on its way out.

How it changes, and what a plugin may rely on:

- A hook, an argument, or a field of a record with a default may be added; the second number of the version
  rises. Plugins name only the arguments that they want, so that none of them notices.
- A hook or an argument is removed only with the first number. Before, it is listed here as deprecated for at
  least one release that differs in the second number: whoever uses it is named in `mesoformula plugin list`,
  and tests of that plugin see a `DeprecationWarning`. It works until it is removed.
- A plugin may say which contract it was written for. One that was written for a newer contract than this, or
  for one with another first number, is not registered: half of it might be missing without anybody noticing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

import attrs

from mesoformula.hookspecs import CONTRACT_VERSION
from mesoformula.words import shown

Version: TypeAlias = tuple[int, int]

#: The attribute of a plugin that says which contract it was written for, such as `"1.1"`.
CONTRACT_ATTRIBUTE = "mesoformula_contract"

_VERSION = re.compile(r"(\d{1,4})\.(\d{1,4})")


def written(version: Version) -> str:
    """
    Write a version as plugins declare it.

    Args:
        version: First and second number.

    Returns:
        Text such as `1.1`.
    """
    return f"{version[0]}.{version[1]}"


def _later_major(instance: Deprecation, attribute: attrs.Attribute[Version], value: Version) -> None:
    if value[0] <= instance.since[0]:
        raise ValueError(
            f"{attribute.name} {written(value)}: what is deprecated since {written(instance.since)} goes "
            f"with {instance.since[0] + 1}.0 at the earliest"
        )


@attrs.frozen
class Deprecation:
    """
    A hook or an argument that is on its way out, or gone.

    Attributes:
        hook: Whose, or which.
        argument: Which of its arguments; None for the whole hook.
        since: The first contract that deprecates it.
        removed_in: The contract without it, of a later first number.
        instead: What to do, as an order: `take session instead`.
    """

    hook: str
    argument: str | None
    since: Version
    removed_in: Version = attrs.field(validator=_later_major)
    instead: str

    @property
    def subject(self) -> str:
        """What it is about, in words."""
        return self.hook if self.argument is None else f"argument {self.argument!r} of {self.hook}"


#: Everything that is deprecated or was removed since, kept for good so that messages can say what to do.
DEPRECATIONS: tuple[Deprecation, ...] = ()


class DeclarationError(Exception):
    """A plugin says in the wrong form which contract it was written for."""


@attrs.frozen
class Contract:
    """
    The contract as it stands.

    Attributes:
        version: First and second number.
        deprecations: What is on its way out, or gone.
    """

    version: Version = CONTRACT_VERSION
    deprecations: tuple[Deprecation, ...] = DEPRECATIONS

    def refusal(self, declared: Version) -> str | None:
        """
        Tell whether a plugin cannot be used with this contract.

        Args:
            declared: The contract that it was written for.

        Returns:
            Why not, and what to do; None if it can.
        """
        for_it, ours = written(declared), written(self.version)
        if declared[0] > self.version[0] or (
            declared[0] == self.version[0] and declared[1] > self.version[1]
        ):
            return f"was written for contract {for_it}, and this is {ours}; update mesoformula"
        if declared[0] < self.version[0]:
            return f"was written for contract {for_it}, and this is {ours}; update the plugin"
        return None

    def outdated(self, hook: str, arguments: Iterable[str]) -> Iterator[str]:
        """
        Name what of a hook's use is deprecated.

        Args:
            hook: That a plugin implements.
            arguments: That it names.

        Yields:
            A sentence each: what, since when, until when, and what to do.
        """
        wanted = {None, *arguments}
        for one in self.deprecations:
            if one.hook == hook and one.argument in wanted and one.since <= self.version < one.removed_in:
                yield (
                    f"{one.subject} is deprecated since contract {written(one.since)} and goes with "
                    f"{written(one.removed_in)}; {one.instead}"
                )

    def removed(self, hook: str, argument: str | None = None) -> str | None:
        """
        Tell what became of something that is no longer there.

        Args:
            hook: As a plugin names it.
            argument: As a plugin names it; None for the hook itself.

        Returns:
            Since when it is gone, and what to do; None if it never was there.
        """
        for one in self.deprecations:
            if (one.hook, one.argument) == (hook, argument) and one.removed_in <= self.version:
                return f"was removed in contract {written(one.removed_in)}; {one.instead}"
        return None


def declared_contract(plugin: object) -> Version | None:
    """
    Read which contract a plugin says it was written for.

    Args:
        plugin: A module, a class or an instance.

    Returns:
        The version; None if it does not say.

    Raises:
        DeclarationError: If it says so in another form than `"1.1"`.
    """
    declared: Any = getattr(plugin, CONTRACT_ATTRIBUTE, None)
    if declared is None:
        return None
    found = _VERSION.fullmatch(declared) if isinstance(declared, str) else None
    if found is None:
        text = declared if isinstance(declared, str) else repr(declared)
        raise DeclarationError(
            f"{CONTRACT_ATTRIBUTE} is {shown(text)}; expected text such as {written(CONTRACT_VERSION)!r}"
        )
    return int(found[1]), int(found[2])
