"""
Which plugins are installed, who offers them, and whose copy of the code Python imports.

Nothing here imports a plugin. Metadata that cannot be read is reported, and the rest is read all the same.
"""

from __future__ import annotations

import enum
import importlib.metadata
import importlib.util
import os
import re
from collections.abc import Iterable, Iterator
from importlib.machinery import ModuleSpec
from importlib.metadata import Distribution, EntryPoint
from pathlib import Path
from typing import Generic, TypeVar

import attrs

from mesoformula.errors import Problem
from mesoformula.hookspecs import PROJECT
from mesoformula.words import shown

T = TypeVar("T")

#: Names of plugins or distributions, separated by commas, that are not to be loaded.
BLOCK_VARIABLE = "MESOFORMULA_BLOCK_PLUGINS"


class State(enum.StrEnum):
    """What has become of a plugin, best first."""

    ACTIVE = "active"
    CONFLICT = "conflict"
    FAILED = "failed"
    INCOMPATIBLE = "incompatible"
    BLOCKED = "blocked"


@attrs.frozen
class PluginInfo:
    """
    Who a plugin is.

    Attributes:
        name: Of its entry point.
        distribution: That installed it; None for an object registered by hand.
        version: Of the distribution.
        first_party: Whether its code is that of the distribution `mesoformula` itself.
    """

    name: str
    distribution: str | None = None
    version: str | None = None
    first_party: bool = False

    def __str__(self) -> str:
        """Write it as `name (distribution version)`, the form that problems carry."""
        origin = " ".join(word for word in (self.distribution, self.version) if word)
        return f"{self.name} ({origin})" if origin else self.name


@attrs.frozen
class PluginStatus:
    """
    What has become of one plugin.

    Attributes:
        name: Of its entry point.
        distribution: That installed it; None for an object registered by hand.
        version: Of the distribution.
        first_party: Whether its code is that of the distribution `mesoformula` itself.
        state: `failed` also if only some of its hooks did, `conflict` also if only some of its offers are
            refused: the others stand.
        reason: Why it is not simply active, and what to do; empty if it is.
        contract: That it was written for, such as `1.1`; None if it does not say.
        hooks: That it implements, sorted; empty if it was set aside.
        load_seconds: That importing and registering it took.
    """

    name: str
    distribution: str | None
    version: str | None
    first_party: bool
    state: State
    reason: str
    contract: str | None
    hooks: tuple[str, ...]
    load_seconds: float

    @property
    def title(self) -> str:
        """The plugin as problems name it: `name (distribution version)`."""
        return str(PluginInfo(self.name, self.distribution, self.version))


@attrs.frozen
class Offered(Generic[T]):
    """
    Something that a plugin offers, found or answered.

    Attributes:
        value: What it is.
        plugin: Who it comes from.
    """

    value: T
    plugin: PluginInfo


@attrs.frozen(eq=False)
class Candidate:
    """
    An installed plugin that has not been imported.

    Attributes:
        entry_point: Where to find it.
        plugin: Who it is.
    """

    entry_point: EntryPoint
    plugin: PluginInfo

    @property
    def module(self) -> str:
        """The module that the entry point names."""
        return self.entry_point.value.partition(":")[0].strip()


def normalised(name: str) -> str:
    """
    Bring the name of a distribution or plugin to the form in which names are compared.

    Args:
        name: As written.

    Returns:
        Lower case, with single hyphens.
    """
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def candidates(
    entry_points: Iterable[EntryPoint] | None = None,
) -> tuple[tuple[Candidate, ...], tuple[Problem, ...]]:
    """
    List the plugins that are installed.

    Args:
        entry_points: Where to look; None for everything that is installed.

    Returns:
        The plugins, sorted by name and distribution, and what could not be read.
    """
    problems: tuple[Problem, ...] = ()
    if entry_points is None:
        entry_points, problems = _installed()
    found = [Candidate(point, _info(point)) for point in entry_points]
    return (
        tuple(sorted(found, key=lambda one: (one.plugin.name, str(one.plugin), one.entry_point.value))),
        problems,
    )


def _installed() -> tuple[list[EntryPoint], tuple[Problem, ...]]:
    try:
        return list(importlib.metadata.entry_points(group=PROJECT)), ()
    except Exception:
        return _one_by_one()


def _one_by_one() -> tuple[list[EntryPoint], tuple[Problem, ...]]:
    """Read each distribution on its own, where one with broken metadata hides all the others."""
    found: dict[str, list[EntryPoint]] = {}
    problems: list[Problem] = []
    for distribution in importlib.metadata.distributions():
        name, version = _name_and_version(distribution)
        if name is not None and normalised(name) in found:
            continue
        try:
            points = [point for point in distribution.entry_points if point.group == PROJECT]
        except Exception as err:
            points = []
            label = " ".join(word for word in (name, version) if word) or "a distribution without a name"
            problems.append(
                Problem(
                    "metadata",
                    f"the entry points of {label} cannot be read ({said(err)}), so its plugins stay out; "
                    "reinstall or uninstall it",
                )
            )
        found[normalised(name) if name is not None else f"?{len(found)}"] = points
    return [point for points in found.values() for point in points], tuple(problems)


def _info(point: EntryPoint) -> PluginInfo:
    name, version = _name_and_version(point.dist) if point.dist is not None else (None, None)
    first_party = name is not None and normalised(name) == PROJECT
    return PluginInfo(_printable(point.name), name, version, first_party)


def _name_and_version(distribution: Distribution) -> tuple[str | None, str | None]:
    """Read two headers; `Distribution.metadata` would parse the whole description, and twice."""
    try:
        text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
    except Exception:
        text = ""
    headers: dict[str, str] = {}
    for line in text.splitlines():
        if not line.strip() or len(headers) == 2:
            break
        word, _, value = line.partition(":")
        if word.lower() in ("name", "version") and value.strip():
            headers[word.lower()] = _printable(value.strip())
    return headers.get("name"), headers.get("version")


def _printable(text: str) -> str:
    return "".join(char for char in text[:80] if char.isprintable()) or "?"


def said(err: BaseException) -> str:
    """
    Put an exception in one line that cannot steer a terminal.

    Args:
        err: Anything raised by a plugin.

    Returns:
        Its type and text, such as `ValueError: 'no such size'`.
    """
    try:
        text = " ".join(str(err).split())
    except Exception:
        text = ""
    kind = _printable(type(err).__name__)
    return f"{kind}: {shown(text, 200)}" if text else kind


def owners(rivals: Iterable[Candidate]) -> tuple[tuple[Candidate, ...], str | None]:
    """
    Find out which distributions the copy of a module belongs to that Python would import.

    Args:
        rivals: Plugins of several distributions that name the same module.

    Returns:
        Those whose distribution holds that copy, and where it lies; None if that cannot be told.
    """
    rivals = tuple(rivals)
    try:
        spec = importlib.util.find_spec(rivals[0].module)
    except KeyboardInterrupt:
        raise
    except BaseException:
        spec = None
    origin = _origin(spec)
    if origin is None:
        return (), None
    return tuple(one for one in rivals if _is_owner(one.entry_point.dist, origin)), origin


def _is_owner(distribution: Distribution | None, origin: str) -> bool:
    try:
        return distribution is not None and _holds(distribution, origin)
    except Exception:
        return False


def stranger(candidate: Candidate, spec: ModuleSpec | None) -> str | None:
    """
    Tell whether another copy than the distribution's own was imported.

    Args:
        candidate: A plugin.
        spec: Of its module, as imported.

    Returns:
        Where the other copy lies; None if it is the distribution's own, or that cannot be told.
    """
    origin, distribution = _origin(spec), candidate.entry_point.dist
    if origin is None or distribution is None or spec is None:
        return None
    try:
        if _lies_beside(distribution, spec.name, origin) or _holds(distribution, origin):
            return None
    except Exception:
        return None
    return origin


def _origin(spec: ModuleSpec | None) -> str | None:
    if spec is None or spec.origin is None or not spec.has_location:
        return None
    return os.path.realpath(spec.origin)


def _lies_beside(distribution: Distribution, module: str, origin: str) -> bool:
    """Whether the module lies where the distribution is installed: quick, and nearly always so."""
    parts = module.split(".")
    if Path(origin).stem == "__init__":
        parts.append("__init__")
    place = str(distribution.locate_file("/".join(parts) + Path(origin).suffix))
    return os.path.realpath(place) == origin


def _holds(distribution: Distribution, origin: str) -> bool:
    project = _editable_project(distribution)
    if project is not None:
        return os.path.commonpath([project, origin]) == project
    files = distribution.files
    if files is None:
        home = os.path.realpath(str(distribution.locate_file("")))
        return os.path.commonpath([home, origin]) == home
    name = Path(origin).name
    return any(os.path.realpath(str(file.locate())) == origin for file in files if file.name == name)


def _editable_project(distribution: Distribution) -> str | None:
    text = distribution.read_text("direct_url.json")
    if not text:
        return None
    import json
    from urllib.parse import unquote, urlsplit

    written = json.loads(text)
    url = urlsplit(written["url"])
    if url.scheme != "file" or not written.get("dir_info", {}).get("editable"):
        return None
    if os.name == "nt":
        from urllib.request import url2pathname

        return os.path.realpath(url2pathname(url.path))
    # What url2pathname does here too, without the web client that comes with it.
    return os.path.realpath(unquote(url.path))


def groups(found: Iterable[Candidate], by_module: bool) -> Iterator[list[Candidate]]:
    """
    Group plugins that get in each other's way.

    Args:
        found: Plugins.
        by_module: Whether by module rather than by name.

    Yields:
        Each group, in order of the name it has in common.
    """
    together: dict[str, list[Candidate]] = {}
    for one in found:
        together.setdefault(one.module if by_module else normalised(one.plugin.name), []).append(one)
    for key in sorted(together):
        yield together[key]
