"""What each plugin offers, counted: its catalogues' records, and what it hands over in code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from mesoformula.catalogue.index import SECTIONS

if TYPE_CHECKING:
    from mesoformula.formulary import Formulary
    from mesoformula.plugins import PluginManager
    from mesoformula.provenance import Offered

#: What records are called, where their section's name is no noun.
_NOUNS = {"beyond_use": "beyond-use rule", "sharing": "sharing rule"}


@attrs.frozen
class Offering:
    """
    What one plugin offers of one kind.

    Attributes:
        kind: A noun, such as `product`.
        count: How many that stand, those set aside left out.
        names: By which a user chooses one; empty for records, which the formulary lists.
    """

    kind: str
    count: int
    names: tuple[str, ...] = ()


def offerings(
    manager: PluginManager, formulary: Formulary, core_commands: Iterable[str] = ()
) -> Mapping[str, tuple[Offering, ...]]:
    """
    Count what plugins offer. Sheets are not counted: what they are depends on what is asked.

    Args:
        manager: The plugins.
        formulary: Filled by them.
        core_commands: Names of the commands that the core has itself.

    Returns:
        By plugin, as `name (distribution version)`.
    """
    found: dict[str, list[Offering]] = {}
    for section in SECTIONS:
        counts: dict[str, int] = {}
        for entry in formulary.entries(section).values():
            if entry.plugin is not None:
                counts[entry.plugin] = counts.get(entry.plugin, 0) + 1
        for plugin, count in counts.items():
            found.setdefault(plugin, []).append(Offering(_NOUNS.get(section, section), count))
    kinds: tuple[tuple[str, Iterable[Offered[Any]], Callable[[Any], str]], ...] = (
        ("unit", manager.unit_definitions(), lambda line: line.partition("=")[0].strip()),
        ("ingredient class", manager.ingredient_classes(), lambda one: one.id),
        ("exporter", manager.exporters(), lambda one: one.suffix),
        ("importer", manager.importers(), lambda one: one.suffix),
        ("lot policy", manager.lot_policies(), lambda one: one.id),
        ("command", manager.commands(core_commands), lambda one: one.name),
    )
    for kind, offered, name in kinds:
        names: dict[str, list[str]] = {}
        for one in offered:
            names.setdefault(str(one.plugin), []).append(name(one.value))
        for plugin, each in names.items():
            found.setdefault(plugin, []).append(Offering(kind, len(each), tuple(each)))
    return {plugin: tuple(each) for plugin, each in found.items()}
