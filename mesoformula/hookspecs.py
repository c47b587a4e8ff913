"""
Every hook that a plugin may implement.

A hook named by a plural noun *offers* frozen objects; `check_…` returns findings or problems; a verb phrase
*decides*: the first answer that is not None counts, and first-party answers come last. A plugin names only
the arguments it wants, so that a later version may add some without breaking it. Offers are sorted by name:
their order never depends on which plugin was loaded first. Generators are welcome; None from an
offer or a check is nothing. A plugin may say which contract it was written for, in an attribute
`mesoformula_contract = "1.2"`.

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

#: The version of this contract: the first number rises when a hook or an argument is removed, the second when
#: one is added, or a field of what is handed over. `mesoformula.contract_version` has the rules.
CONTRACT_VERSION = (1, 2)

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
            from mesoformula import hookimpl

            @hookimpl
            def mesoformula_unit_definitions():
                return ["acme_unit = [acme_activity] = ACMEU"]
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
            import attrs

            from mesoformula import IngredientClass, hookimpl
            from mesoformula.fields import Text, written

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
            from importlib.resources import files

            from mesoformula import hookimpl

            @hookimpl
            def mesoformula_catalogues():
                return [files("mesoformula_acme") / "catalogue"]
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
            from datetime import date

            from mesoformula import (
                ContainerKind, Form, Part, Product, Source, SourceKind, Vendor, hookimpl, quantity
            )

            ACME = Vendor("acme", "Acme")
            PRICES = Source(SourceKind.IFU, "https://acme.example/diluent", date(2026, 11, 23))

            @hookimpl
            def mesoformula_products():
                for size in (2, 5, 10):
                    vial = Part(ContainerKind.VIAL, Form.SOLUTION, volume=quantity(size, "mL"))
                    yield Product(ACME, f"diluent-{size}", f"Acme Diluent {size} mL", (vial,), (PRICES,))
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
            from datetime import date
            from mesoformula import Geometry, Range, Source, SourceKind, Technique, hookimpl, quantity

            source = Source(SourceKind.IFU, "https://acme.example/pattern", date(2026, 11, 23))

            @hookimpl
            def mesoformula_techniques():
                spacing = Geometry(source, spacing=Range(quantity(1, "cm"), quantity(1, "cm")))
                return [Technique("acme-pattern", "Acme pattern", (spacing,))]
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
            from datetime import date

            from mesoformula import Source, SourceKind, Zone, hookimpl

            LEAFLET = Source(SourceKind.IFU, "https://acme.example/leaflet", date(2026, 11, 23))

            @hookimpl
            def mesoformula_zones():
                return [Zone("earlobe", "earlobe", (LEAFLET,))]
            ```
        """

    @hookspec
    def mesoformula_sheets(self, request: SheetRequest) -> Iterable[Sheet]:  # type: ignore[empty-body]
        """
        Offer sheets for an export.

        Called for every export, with what it is about. A wrapper (`hookimpl(wrapper=True)`) may annotate: it
        is sent the list of all sheets, and returns them with the same keys in the same order.

        Args:
            request: The topic, and what it is about: the stock, a session, a formula, a count; and in which
                language.

        Returns:
            Sheets for that topic whose keys nobody else offers; none for a topic that is not the plugin's.

        Raises:
            SheetError: If they cannot be made as they are asked for, such as labels on too small a page;
                the export is refused with the reason.

        Example:
            ```python
            from mesoformula import Column, Row, Sheet, hookimpl

            @hookimpl
            def mesoformula_sheets(request):
                if request.topic != "stock":
                    return []
                columns = (Column("word", "Word"), Column("meaning", "Meaning"))
                rows = (Row(("FEFO", "first expired, first out")),)
                return [Sheet("acme-words", "Words", columns, rows)]
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
            from mesoformula import Exporter, hookimpl

            def write_text(sheets, path):
                titles = "; ".join(sheet.title for sheet in sheets)
                path.write_text(titles, encoding="utf-8")

            @hookimpl
            def mesoformula_exporters():
                return [Exporter(".titles", "titles of the sheets", write_text)]
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
            from mesoformula import Cell, Grid, GridError, Importer, Problem, hookimpl

            def read_bars(path):
                try:
                    lines = path.read_text(encoding="utf-8").splitlines()
                except (OSError, UnicodeDecodeError) as err:
                    raise GridError([Problem("file", f"cannot be read: {err}", str(path))]) from err
                rows = tuple(
                    tuple(Cell(text or None, number, place) for place, text in enumerate(line.split("|"), 1))
                    for number, line in enumerate(lines, 1)
                )
                return (Grid(path.name, rows, str(path)),)

            @hookimpl
            def mesoformula_importers():
                return [Importer(".bars", "text between bars", read_bars)]
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
            from mesoformula import Choice, LotPolicy, hookimpl

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
            import click

            from mesoformula import hookimpl

            @click.command("acme-prices")
            def acme_prices():
                '''Say where the prices of Acme stand.'''
                click.echo("https://acme.example/prices")

            @hookimpl
            def mesoformula_commands():
                return [acme_prices]
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
            from mesoformula import Problem, hookimpl

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
            from mesoformula import Finding, Severity, hookimpl, magnitude

            @hookimpl
            def mesoformula_check_session(session, quantities):
                if magnitude(quantities.injected, "mL") > 10:
                    yield Finding(
                        "acme-volume", Severity.OVERRIDE, session.formula.id, "more than 10 mL in one session"
                    )
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
            from mesoformula import SessionQuantities, hookimpl, quantity

            @hookimpl
            def mesoformula_work_out_session(session):
                if session.formula.id != "acme-needling" or session.volume is None:
                    return None
                return SessionQuantities(
                    session=session, lines=(), injected=session.volume, lost=quantity(0, "mL"),
                    prepared=session.volume, points=session.points, volume_per_point=None, syringes=None,
                    doses=(),
                )
            ```
        """
