"""
Load plugins, call their hooks one by one, and keep the rest going when one of them misbehaves.

Whatever a plugin does wrong is a `Problem` that names it with its distribution and version; `strict` makes
the first one fatal. The rules, none of which depends on the order in which plugins are installed or loaded:

- A plugin that cannot be imported, or that breaks the contract where that can be seen beforehand (a hook that
  does not exist, a forgotten decorator, an argument that the hook does not have), is set aside whole: half a
  plugin might offer products without the check that belongs to them. A hook of a newer contract may be marked
  `optionalhook=True`; then it is passed over.
- A plugin that says it was written for a newer contract, or for one with another first number, is set aside
  whole, before any of its hooks is known. What it uses that is deprecated works, and is named.
- A hook that raises, or answers with something it must not, is set aside with everything it offered in that
  call; the plugin's other hooks go on. A check keeps what it had found, and that it did not get through is
  said with it: as a finding `unchecked`, or a problem.
- A name that is offered twice belongs to the core first, then to a first-party plugin. Between two third
  parties neither offer is used, as no choice between them could be justified. The same holds for two
  distributions that offer one plugin name.
- A module that two distributions offer exists once for Python: it is loaded for the distribution whose copy
  it is, and for neither where that cannot be told.
- Only sheets may be wrapped, and a wrapper may annotate them, not add or remove any.
- `KeyboardInterrupt` always passes.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING

import attrs

from mesoformula.account import how_to_choose
from mesoformula.errors import (
    PluginConflictError,
    PluginError,
    PluginResultError,
    Problem,
    QuantityError,
)
from mesoformula.handing import Runner
from mesoformula.provenance import BLOCK_VARIABLE, Offered, PluginInfo, PluginStatus, State

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable
    from pathlib import Path

    import click

    from mesoformula.findings import Finding
    from mesoformula.formulary import Formulary
    from mesoformula.grids import Importer
    from mesoformula.ingredients import IngredientClass
    from mesoformula.products import Product
    from mesoformula.sessions import Session, SessionQuantities
    from mesoformula.sheets import Exporter, Sheet, SheetRequest
    from mesoformula.stock.picks.policies import LotPolicy
    from mesoformula.treatments import Technique, Zone

__all__ = [
    "BLOCK_VARIABLE",
    "Offered",
    "PluginInfo",
    "PluginManager",
    "PluginStatus",
    "State",
    "empty_manager",
    "load_plugins",
]


class PluginManager(Runner):
    """
    Knows the plugins, calls their hooks, and keeps account of what went wrong.

    Attributes:
        strict: Whether the first problem is raised instead of kept.
    """

    def unit_definitions(self) -> tuple[Offered[str], ...]:
        """
        Ask for units of plugins.

        Returns:
            Lines in the form of units.txt, by plugin and in its own order.
        """
        return self.offers("mesoformula_unit_definitions")

    def define_units(self) -> None:
        """
        Add the units of plugins to the one registry; a refused one is a problem `unit`.

        Raises:
            PluginResultError: If strict, and a unit is refused.
        """
        for offered in self.unit_definitions():
            if offered.value in _DEFINED:
                continue
            from mesoformula.units import define_unit

            try:
                define_unit(offered.value)
            except QuantityError as err:
                problem = Problem(
                    "unit",
                    f"{err}; correct mesoformula_unit_definitions, or block the plugin with "
                    f"{BLOCK_VARIABLE}={offered.plugin.name}",
                    plugin=str(offered.plugin),
                )
                self._active[offered.plugin.name].worsen(State.FAILED, problem.message)
                self._note(PluginResultError, problem, err)
            else:
                _DEFINED.add(offered.value)

    def ingredient_classes(self) -> tuple[Offered[IngredientClass], ...]:
        """
        Ask for ingredient classes beyond those of the core, whose ids nobody may take.

        Returns:
            Classes of plugins only, sorted by id.
        """
        from mesoformula.ingredients import CORE_CLASSES

        return self.offers("mesoformula_ingredient_classes", core=[one.id for one in CORE_CLASSES])

    def catalogues(self) -> tuple[Offered[Path | Traversable], ...]:
        """
        Ask for catalogues.

        Returns:
            Files and folders, by plugin and in its own order; those of first-party plugins come first, as the
            first to offer a record keeps its name.
        """
        offered: tuple[Offered[Path | Traversable], ...] = self.offers("mesoformula_catalogues")
        return tuple(sorted(offered, key=lambda one: not one.plugin.first_party))

    def products(self) -> tuple[Offered[Product], ...]:
        """
        Ask for products made in code.

        Returns:
            Products, sorted by pinned id.
        """
        return self.offers("mesoformula_products")

    def techniques(self) -> tuple[Offered[Technique], ...]:
        """
        Ask for techniques made in code.

        Returns:
            Techniques, sorted by id.
        """
        return self.offers("mesoformula_techniques")

    def zones(self) -> tuple[Offered[Zone], ...]:
        """
        Ask for zones made in code.

        Returns:
            Zones, sorted by id.
        """
        return self.offers("mesoformula_zones")

    def sheets(self, request: SheetRequest) -> tuple[Offered[Sheet], ...]:
        """
        Ask for the sheets of an export.

        Args:
            request: What it is about.

        Returns:
            Sheets, sorted by key, with what wrappers made of them.
        """
        return self.offers("mesoformula_sheets", request=request)

    def exporters(self) -> tuple[Offered[Exporter], ...]:
        """
        Ask for formats that sheets can be written in.

        Returns:
            Exporters, sorted by suffix. One that fails raises `PluginResultError`, which names its plugin.
        """
        return tuple(
            Offered(attrs.evolve(one.value, write=partial(self._write_sheets, one)), one.plugin)
            for one in self.offers("mesoformula_exporters")
        )

    def importers(self) -> tuple[Offered[Importer], ...]:
        """
        Ask for formats that tables can be read from, beyond those of the core.

        Returns:
            Importers of plugins only, sorted by suffix.
        """
        from mesoformula.grids import CORE_IMPORTERS

        return tuple(
            Offered(attrs.evolve(one.value, read=partial(self._read_tables, one)), one.plugin)
            for one in self.offers("mesoformula_importers", core=[one.suffix for one in CORE_IMPORTERS])
        )

    def lot_policies(self) -> tuple[Offered[LotPolicy], ...]:
        """
        Ask for ways of choosing lots beyond those of the core, whose ids nobody may take.

        Returns:
            Policies of plugins only, sorted by id. Whatever one of them chooses is checked; it raises
            `PluginResultError` if it fails, and `ChoiceError` if it leaves the choice to the user.
        """
        from mesoformula.stock.picks.policies import BUILT_IN, LotPolicy

        return tuple(
            Offered(
                LotPolicy(
                    one.value.id, one.value.name, one.value.description, partial(self._choose_lots, one)
                ),
                one.plugin,
            )
            for one in self.offers("mesoformula_lot_policies", core=[one.id for one in BUILT_IN])
        )

    def commands(self, core: Iterable[str]) -> tuple[Offered[click.Command], ...]:
        """
        Ask for commands.

        Args:
            core: Names of the commands that the core has itself.

        Returns:
            click commands, sorted by name. One that fails raises `PluginResultError`, which names its plugin.
        """
        return tuple(
            Offered(self._guarded(one), one.plugin) for one in self.offers("mesoformula_commands", core=core)
        )

    def check_product(self, product: Product) -> tuple[Problem, ...]:
        """
        Let all plugins check a product.

        Args:
            product: As read.

        Returns:
            What they say, each naming its plugin; a check that fails is a problem `check-failed`.

        Raises:
            PluginResultError: If strict, and a check fails.
        """
        found: list[Problem] = []
        for plugin, answer in self._checked("mesoformula_check_product", {"product": product}):
            if isinstance(answer, Problem):
                found.append(answer if answer.plugin else attrs.evolve(answer, plugin=str(plugin)))
            else:
                found.append(Problem("check-failed", f"product {product.id}: {answer}", plugin=str(plugin)))
        return tuple(found)

    def check_session(
        self, session: Session, quantities: SessionQuantities, formulary: Formulary
    ) -> tuple[Offered[Finding], ...]:
        """
        Let all plugins check a session that has been worked out.

        Args:
            session: What was asked.
            quantities: What was answered.
            formulary: Everything that plugins offer.

        Returns:
            Findings, the heaviest first. A check that fails keeps what it had found, and adds a finding
            `check-failed` of severity `unchecked`: silence never means safe.

        Raises:
            PluginResultError: If strict, and a check fails.
        """
        from mesoformula.findings import Finding, Severity

        found: list[Offered[Finding]] = []
        arguments = {"session": session, "quantities": quantities, "formulary": formulary}
        for plugin, answer in self._checked("mesoformula_check_session", arguments):
            if isinstance(answer, str):
                answer = Finding("check-failed", Severity.UNCHECKED, f"plugin {plugin}", answer)
            found.append(Offered(answer, plugin))
        order = list(Severity)
        return tuple(sorted(found, key=lambda one: order.index(one.value.severity)))

    def work_out_session(self, session: Session, formulary: Formulary) -> Offered[SessionQuantities]:
        """
        Let a plugin work out a session: third parties first, then first-party ones.

        A refusal of any kind of `MesoformulaError`, such as a `FormulaError` for an impossible wish, is an
        answer and passes unchanged. Nobody else is asked after a failure: another plugin's figures instead
        would be a silent change of who answers.

        Args:
            session: What was asked.
            formulary: Everything that plugins offer.

        Returns:
            The quantities, and who worked them out.

        Raises:
            FormulaError: If the wish is impossible.
            PluginConflictError: If two plugins of one standing answer.
            PluginResultError: If a plugin fails.
            PluginError: If no plugin answers.
        """
        hook = "mesoformula_work_out_session"
        arguments = {"session": session, "formulary": formulary}
        for first_party in (False, True):
            found = [
                Offered(answer, implementation.plugin)
                for implementation in self._of(hook)
                if implementation.plugin.first_party is first_party
                and (answer := self._decided(implementation, arguments)) is not None
            ]
            if len(found) == 1:
                return found[0]
            if found:
                first, *others = (one.plugin for one in found)
                raise PluginConflictError(
                    Problem(
                        "conflict",
                        f"this session is also worked out by {' and '.join(map(str, others))}; "
                        f"{how_to_choose((first, *others))}",
                        plugin=str(first),
                    )
                )
        raise PluginError(
            Problem(
                "nobody",
                "no plugin works out this session; see 'mesoformula plugin list' for what is blocked or "
                "failed, and unblock or mend one",
            )
        )


#: Lines that are in the registry, of which there is one per process, by whichever manager.
_DEFINED: set[str] = set()


def load_plugins(
    *,
    blocked: Iterable[str] | None = None,
    strict: bool = False,
    entry_points: Iterable[EntryPoint] | None = None,
) -> PluginManager:
    """
    Load the plugins that are installed.

    Args:
        blocked: Names of plugins or distributions that are not imported; None for those that
            MESOFORMULA_BLOCK_PLUGINS names, separated by commas.
        strict: Whether the first problem is raised instead of kept.
        entry_points: Where to look; None for everything that is installed.

    Returns:
        A manager with every plugin that could be loaded.

    Raises:
        PluginLoadError: If strict, and a plugin cannot be loaded, or a blocked name is unknown.
        PluginConflictError: If strict, and two distributions offer one thing.
    """
    manager = PluginManager(strict=strict)
    manager.discover(blocked=blocked, entry_points=entry_points)
    return manager


def empty_manager(*, strict: bool = False) -> PluginManager:
    """
    Make a manager that knows the hooks and no plugin, and refuses to look for any.

    Args:
        strict: Whether the first problem is raised instead of kept.

    Returns:
        A manager for tests, to register plugins with by hand.
    """
    return PluginManager(strict=strict, discovers=False)
