"""
Every hook that a plugin may implement.

A hook named by a plural noun *offers* frozen objects; `check_…` returns findings or problems; a verb phrase
*decides*: the first answer that is not None counts, and first-party answers come last. A plugin names only
the arguments it wants, so that a later version may add some without breaking it. Offers are sorted by name:
their order never depends on which plugin was loaded first. Generators are welcome; None from an
offer or a check is nothing.

What a plugin may import: the names that the package `mesoformula` exports, and the modules
`mesoformula.fields`, `mesoformula.rules`, `mesoformula.sheets`, `mesoformula.preparations`,
`mesoformula.languages`, `mesoformula.grids`, `mesoformula.presentation`, `mesoformula.stock.records` and
`mesoformula.stock.figures`. Everything else may change with any release.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable
    from pathlib import Path

    import click

    from mesoformula.errors import Problem
    from mesoformula.findings import Finding
    from mesoformula.formulary import Formulary
    from mesoformula.grids import Importer
    from mesoformula.ingredients import IngredientClass
    from mesoformula.products import Product
    from mesoformula.sessions import Session, SessionQuantities
    from mesoformula.sheets import Exporter, Sheet, SheetRequest
    from mesoformula.stock.picks.policies import LotPolicy
    from mesoformula.treatments import Technique, Zone

#: The name of the project for pluggy, and the entry-point group in which plugins are found.
PROJECT = "mesoformula"

#: The version of this contract: the first number changes when a hook or an argument is removed, the second
#: when one is added.
CONTRACT_VERSION = (1, 1)

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class Specs:
    """The hooks of mesoformula."""

    # ---- offers --------------------------------------------------------------------------------------------

    @hookspec
    def mesoformula_unit_definitions(self) -> Iterable[str]:  # type: ignore[empty-body]
        """
        Offer units of the plugin's own.

        Called once, before any catalogue is read. A name or spelling that exists is refused: units are never
        redefined.

        Returns:
            Lines in the form of units.txt; none to offer nothing.

        Example:
            ```python
            @hookimpl
            def mesoformula_unit_definitions():
                return ["speyu = [spe_activity] = SPEYU"]
            ```
        """

    @hookspec
    def mesoformula_ingredient_classes(self) -> Iterable[IngredientClass]:  # type: ignore[empty-body]
        """
        Offer ingredient classes beyond the seven of the core.

        Called once, before any catalogue is read.

        Returns:
            Classes whose ids nobody else offers; none to offer nothing.

        Example:
            ```python
            @attrs.frozen
            class Peptide:
                sequence: str | None = attrs.field(
                    default=None, metadata=written(Text(), "One-letter codes.")
                )

            @hookimpl
            def mesoformula_ingredient_classes():
                return [IngredientClass("peptide", "peptide", "signals to fibroblasts", Peptide)]
            ```
        """

    @hookspec
    def mesoformula_catalogues(self) -> Iterable[Path | Traversable]:  # type: ignore[empty-body]
        """
        Offer catalogues: TOML files, or folders that are searched for them.

        Called once. Nothing in a catalogue is ever executed.

        Returns:
            Paths, or what `importlib.resources.files` returns; none to offer nothing.

        Example:
            ```python
            @hookimpl
            def mesoformula_catalogues():
                return [importlib.resources.files("mesoformula_acme") / "catalogue"]
            ```
        """

    @hookspec
    def mesoformula_products(self) -> Iterable[Product]:  # type: ignore[empty-body]
        """
        Offer products made in code, where a catalogue cannot express them.

        Called once.

        Returns:
            Products whose `vendor/sku@revision` nobody else offers; none to offer nothing.

        Example:
            ```python
            @hookimpl
            def mesoformula_products():
                return [make_product(size) for size in (1, 2, 5)]
            ```
        """

    @hookspec
    def mesoformula_techniques(self) -> Iterable[Technique]:  # type: ignore[empty-body]
        """
        Offer ways of injecting, made in code.

        Called once.

        Returns:
            Techniques whose ids nobody else offers; none to offer nothing.

        Example:
            ```python
            @hookimpl
            def mesoformula_techniques():
                return [Technique("our-pattern", "our pattern", published=(geometry,))]
            ```
        """

    @hookspec
    def mesoformula_zones(self) -> Iterable[Zone]:  # type: ignore[empty-body]
        """
        Offer places on the body, made in code.

        Called once.

        Returns:
            Zones whose ids nobody else offers; none to offer nothing.

        Example:
            ```python
            @hookimpl
            def mesoformula_zones():
                return [Zone("earlobe", "earlobe", sources=(source,))]
            ```
        """

    @hookspec
    def mesoformula_sheets(self, request: SheetRequest) -> Iterable[Sheet]:  # type: ignore[empty-body]
        """
        Offer sheets for an export.

        Called for every export, with what it is about. A wrapper (`hookimpl(wrapper=True)`) may annotate: it
        is sent the list of all sheets, and returns them with the same keys in the same order.

        Args:
            request: The topic, and the stock to show.

        Returns:
            Sheets for that topic whose keys nobody else offers; none for a topic that is not the plugin's.

        Example:
            ```python
            @hookimpl
            def mesoformula_sheets(request):
                return [our_sheet(request.stock)] if request.topic == "stock" else []
            ```
        """

    @hookspec
    def mesoformula_exporters(self) -> Iterable[Exporter]:  # type: ignore[empty-body]
        """
        Offer formats in which sheets can be written.

        Called when something is to be exported.

        Returns:
            Exporters whose suffixes nobody else offers; none to offer nothing.

        Example:
            ```python
            @hookimpl
            def mesoformula_exporters():
                return [Exporter(".csv", "comma-separated values", write_csv)]
            ```
        """

    @hookspec
    def mesoformula_importers(self) -> Iterable[Importer]:  # type: ignore[empty-body]
        """
        Offer formats from which tables can be read.

        Called when a delivery note or another table is to be read.

        Returns:
            Importers whose suffixes neither the core nor anybody else has; none to offer nothing.

        Example:
            ```python
            @hookimpl
            def mesoformula_importers():
                return [Importer(".ods", "OpenDocument spreadsheet", read_spreadsheet)]
            ```
        """

    @hookspec
    def mesoformula_lot_policies(self) -> Iterable[LotPolicy]:  # type: ignore[empty-body]
        """
        Offer ways of choosing lots.

        Called when a user selects a policy that the core does not have. What a policy chooses is checked:
        whole containers that are there, of lots that the user named if any, as many as wanted or all. A wrong
        choice is refused, and nobody else chooses instead.

        Returns:
            Policies whose ids neither the core nor anybody else has; none to offer nothing.

        Example:
            ```python
            def largest_first(need, candidates):
                left = need.containers
                for one in sorted(candidates, key=lambda one: (-one.containers, one.key)):
                    if left and (not need.lots or one.lot in need.lots):
                        taken = min(left, one.containers)
                        left -= taken
                        yield Choice(one.key, taken)

            @hookimpl
            def mesoformula_lot_policies():
                return [LotPolicy("largest", "largest lot first", "takes from few lots", largest_first)]
            ```
        """

    @hookspec
    def mesoformula_commands(self) -> Iterable[click.Command]:  # type: ignore[empty-body]
        """
        Offer commands for the command line.

        Called when help is shown, or a command is given that the core does not have.

        Returns:
            click commands whose names neither the core nor anybody else has; none to offer nothing.

        Example:
            ```python
            @hookimpl
            def mesoformula_commands():
                return [price_command]
            ```
        """

    # ---- checks --------------------------------------------------------------------------------------------

    @hookspec
    def mesoformula_check_product(self, product: Product) -> Iterable[Problem]:  # type: ignore[empty-body]
        """
        Check one product of a catalogue.

        Called for every product that a user asks to have checked.

        Args:
            product: The product, as read.

        Returns:
            Problems; none if nothing is wrong.

        Example:
            ```python
            @hookimpl
            def mesoformula_check_product(product):
                if product.vendor.id == "acme" and not product.gtin:
                    yield Problem("acme-gtin", f"product {product.id}: our products bear a GTIN")
            ```
        """

    @hookspec
    def mesoformula_check_session(  # type: ignore[empty-body]
        self, session: Session, quantities: SessionQuantities, formulary: Formulary
    ) -> Iterable[Finding]:
        """
        Check a session that has been worked out.

        Called once per session, after the quantities are known.

        Args:
            session: What was asked.
            quantities: What was answered.
            formulary: Everything that plugins offer.

        Returns:
            Findings; what cannot be checked for want of data is a finding `unchecked`, never silence.

        Example:
            ```python
            @hookimpl
            def mesoformula_check_session(session, quantities):
                if quantities.injected > LIMIT:
                    yield Finding("too-much", Severity.OVERRIDE, session.formula.id, "…")
            ```
        """

    # ---- decisions -----------------------------------------------------------------------------------------

    @hookspec(firstresult=True)
    def mesoformula_work_out_session(
        self, session: Session, formulary: Formulary
    ) -> SessionQuantities | None:
        """
        Work out what a session takes.

        Called once per session. Only None passes the question on. Two answers from plugins that are not
        first-party are a conflict, and refused.

        Args:
            session: What was asked.
            formulary: Everything that plugins offer: products, substances, equipment.

        Returns:
            The quantities, or None if this plugin does not work out such sessions.

        Raises:
            FormulaError: If the wish is impossible, naming the line and the reason.

        Example:
            ```python
            @hookimpl
            def mesoformula_work_out_session(session, formulary):
                return ours(session) if session.formula.id.startswith("acme-") else None
            ```
        """
