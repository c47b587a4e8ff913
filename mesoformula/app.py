"""The use cases, wired together: what the command line does, for whoever prefers Python."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from mesoformula.catalogue.places import VARIABLE, named_in
from mesoformula.errors import (
    CatalogueError,
    FormulaError,
    MesoformulaError,
    OrderError,
    PluginError,
    PluginResultError,
    Problem,
    UnknownNameError,
)
from mesoformula.findings import Finding, Override, Severity, decisions, ready
from mesoformula.formulary import Formulary
from mesoformula.formulas import Formula, Line
from mesoformula.ingredients import CORE_CLASSES
from mesoformula.plugins import PluginManager, load_plugins
from mesoformula.provenance import State, said
from mesoformula.sessions import Session, SessionQuantities
from mesoformula.words import nearest, shown

if TYPE_CHECKING:
    from mesoformula.grids import Grid, Importer
    from mesoformula.settings import Settings
    from mesoformula.sheets import Exporter, Sheet, SheetRequest
    from mesoformula.stock.database.store import Store
    from mesoformula.stock.picks.picking import Picked
    from mesoformula.stock.picks.policies import LotPolicy
    from mesoformula.stock.picks.shortage import Want
    from mesoformula.stock.records import Order

#: What a professional would want to have checked, and nobody has.
NOT_CHECKED = (
    "labelled routes and legal status, permission to mix, incompatibilities, contraindications and "
    "allergies, dose limits"
)


@attrs.frozen
class Answer:
    """
    A session, worked out and checked.

    Attributes:
        quantities: What to take, and the doses.
        findings: Of the working out and of all checks, the heaviest first, what is overridden included.
        ready: Whether nothing stands against it. What was not checked stands in the findings.
        overrides: What a professional has decided against findings of severity `override`.
    """

    quantities: SessionQuantities
    findings: tuple[Finding, ...]
    ready: bool
    overrides: tuple[Override, ...] = ()


class App:
    """Plugins and everything they offer, loaded when first needed."""

    def __init__(
        self,
        catalogues: Iterable[Path] = (),
        *,
        dropped: Path | None = None,
        strict: bool = False,
        manager: PluginManager | None = None,
    ) -> None:
        """
        Start.

        Args:
            catalogues: Files and folders to read beside what plugins offer; a broken one is fatal, as they
                were named.
            dropped: A folder whose catalogues are read too, if it is there; a broken one is reported and set
                aside.
            strict: Whether a broken plugin, or a broken catalogue that was dropped, is fatal.
            manager: Plugins that are loaded already; None finds those that are installed.
        """
        self._catalogues = tuple(catalogues)
        self._dropped = dropped
        self._strict = strict
        self._manager = manager

    @cached_property
    def manager(self) -> PluginManager:
        """The plugins."""
        return self._manager if self._manager is not None else load_plugins(strict=self._strict)

    @cached_property
    def formulary(self) -> Formulary:
        """Everything that plugins and catalogues offer."""
        manager = self.manager
        manager.define_units()
        formulary = Formulary((*CORE_CLASSES, *(one.value for one in manager.ingredient_classes())))
        formulary.first_party = manager.first_party
        for catalogue in manager.catalogues():
            formulary.add_catalogue(catalogue.value, str(catalogue.plugin))
        for path in self._catalogues:
            before = len(formulary.problems)
            formulary.add_catalogue(path)
            if len(formulary.problems) > before:
                # The user named it: to go on without it would answer another question.
                raise CatalogueError(_said_where_named(path, formulary.problems[before:]))
        if self._dropped is not None:
            before = len(formulary.problems)
            formulary.add_catalogue(self._dropped, needed=False)
            if self._strict and len(formulary.problems) > before:
                raise CatalogueError(formulary.problems[before:])
        offers: tuple[tuple[str, Callable[[], Any]], ...] = (
            ("product", manager.products),
            ("technique", manager.techniques),
            ("zone", manager.zones),
        )
        for section, offered in offers:
            for one in offered():
                formulary.add_record(section, one.value, str(one.plugin))
        return formulary

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What went wrong with plugins and catalogues so far."""
        return (*self.manager.problems, *self.formulary.problems)

    def missing_plugins(self) -> tuple[str, ...]:
        """
        List the plugins that were found and take no part.

        Returns:
            Such as `plugin formulary is blocked`.
        """
        words = {
            State.BLOCKED: "is blocked",
            State.FAILED: "has failed",
            State.INCOMPATIBLE: "is incompatible",
            State.CONFLICT: "is in conflict",
        }
        return tuple(
            f"plugin {status.name} {words[status.state]}"
            for status in self.manager.report()
            if status.state in words
        )

    def formula(self, name: str) -> Formula:
        """
        Find a formula by what a user may call it.

        Args:
            name: A formula's id; a product's id, which is a formula of one line; a file with one formula; or
                `FILE#ID`.

        Returns:
            The formula.

        Raises:
            UnknownNameError: If there is none; with what comes near.
            CatalogueError: If its entry, or the file, has problems.
        """
        formulary = self.formulary
        if formulary.has_formula(name):
            return formulary.formula(name)
        if formulary.has_product(name):
            product = formulary.product(name)
            return Formula(
                id=name,
                name=product.name,
                lines=(Line(name, containers=1),),
                description="one product, as a formula of one line",
            )
        path, _hash, wanted = name.partition("#")
        if path.endswith(".toml") or Path(path).exists():
            return self.formula_in(Path(path), wanted or None)
        near = nearest(name, [*formulary.names("formula"), *formulary.names("product")])
        raise UnknownNameError("formula or product", name, near)

    def formula_in(self, path: Path, wanted: str | None = None) -> Formula:
        """
        Read a formula from a file, which may hold products and substances of its own.

        Args:
            path: The file.
            wanted: Which formula, if it holds several.

        Returns:
            The formula.

        Raises:
            CatalogueError: If the file or the formula has problems, or the choice is open.
        """
        names = self.add_formulas(path)
        if wanted is not None:
            return self.formulary.formula(wanted)
        if len(names) != 1:
            found = ", ".join(names) or "none"
            message = f"expected one formula, found {found}"
            if names:
                message += f"; name one, such as {path}#{names[0]}"
            raise CatalogueError([Problem("formula", message, str(path))])
        return self.formulary.formula(names[0])

    def add_formulas(self, path: Path) -> tuple[str, ...]:
        """
        Add a file to the formulary.

        Args:
            path: A catalogue file with formulas.

        Returns:
            The ids of its formulas, in file order.

        Raises:
            CatalogueError: If the file, or any of its records, has problems.
        """
        formulary = self.formulary
        before = len(formulary.problems)
        files = formulary.add_catalogue(path)
        problems = list(formulary.problems[before:])
        if not problems:
            problems = [problem for problem in formulary.check(files) if problem.path == str(path)]
        if problems:
            raise CatalogueError(sorted(problems, key=lambda problem: problem.line or 0))
        return tuple(
            table["id"]
            for file in files
            for table in file.tables.get("formula", ())
            if isinstance(table, dict)
        )

    def work_out(self, session: Session, overrides: Sequence[Override] = ()) -> Answer:
        """
        Work out a session and have it checked.

        Args:
            session: What is asked.
            overrides: What a professional has decided against findings of severity `override`.

        Returns:
            Quantities and findings.

        Raises:
            FormulaError: If the wish is impossible, naming the line, and where its file says it.
            OverrideError: If an override is of a block or of nothing that was found, or says not why or who.
            PluginError: If no plugin answers, or it fails.
            UnknownNameError: If the session names a region, condition or allergy that nobody knows.
        """
        self._check_asked(session)
        answer = self._worked_out(session, tuple(overrides))
        if overrides:
            from mesoformula.overriding import check_overrides

            check_overrides(answer.overrides, answer.findings)
        return answer

    def _check_asked(self, session: Session) -> None:
        """Refuse words that no check would understand: to pass over one would be silent."""
        formulary = self.formulary
        for condition in session.conditions:
            if condition not in formulary.entries("condition"):
                raise UnknownNameError("condition", condition, formulary.nearest("condition", condition))
        for allergy in session.allergies:
            formulary.find_allergen(allergy)
        if session.region is not None:
            from mesoformula.rules import REGIONS

            if session.region not in REGIONS:
                near = nearest(session.region, REGIONS) or ("EU", "FR", "UK", "US", "KR")
                raise UnknownNameError("region", session.region, near)

    def _worked_out(self, session: Session, overrides: tuple[Override, ...]) -> Answer:
        formulary = self.formulary
        try:
            quantities = self.manager.work_out_session(session, formulary).value
        except FormulaError as err:
            placed = [formulary.placed("formula", session.formula.id, one) for one in err.problems]
            raise FormulaError(placed) from err
        checks = [one.value for one in self.manager.check_session(session, quantities, formulary)]
        if not self.manager.implements("mesoformula_check_session"):
            checks.append(
                Finding(
                    "not-checked",
                    Severity.UNCHECKED,
                    session.formula.id,
                    f"no plugin checks {NOT_CHECKED}: they are for you to check",
                )
            )
        order = list(Severity)
        findings = tuple(
            sorted((*quantities.findings, *checks), key=lambda finding: order.index(finding.severity))
        )
        return Answer(quantities, findings, ready(findings, overrides), overrides)

    def sheets(self, request: SheetRequest) -> tuple[Sheet, ...]:
        """
        Ask plugins for the sheets of an export.

        Args:
            request: What it is about.

        Returns:
            The sheets, sorted by key; none if no plugin has any.
        """
        return tuple(one.value for one in self.manager.sheets(request))

    def exporter(self, path: Path) -> Exporter:
        """
        Find the format that a file name asks for.

        Args:
            path: Where something is to be written.

        Returns:
            The exporter.

        Raises:
            UnknownNameError: If no plugin writes that format; with those that are written.
            PluginError: If no plugin writes any.
        """
        known = {one.value.suffix: one.value for one in self.manager.exporters()}
        if not known:
            why = "; ".join(self.missing_plugins()) or "see 'mesoformula plugin list'"
            raise PluginError(Problem("nobody", f"no plugin writes files: {why}"))
        suffix = path.suffix.lower()
        if suffix not in known:
            raise UnknownNameError("export format", path.suffix or path.name, sorted(known))
        return known[suffix]

    def lot_policy(self, name: str) -> LotPolicy:
        """
        Find a way of choosing lots: one of the core, or one that a plugin offers.

        Args:
            name: Its id.

        Returns:
            The policy. Whatever it chooses is as `mesoformula.stock.picks.policies.validated` wants it.

        Raises:
            UnknownNameError: If there is none; with those that come near, or all.
        """
        from mesoformula.stock.picks.policies import BUILT_IN

        known = {one.id: one for one in BUILT_IN}
        if name not in known:
            known.update((one.value.id, one.value) for one in self.manager.lot_policies())
        if name not in known:
            raise UnknownNameError("lot policy", name, nearest(name, known) or sorted(known))
        return known[name]

    def pick(
        self,
        store: Store,
        wants: Sequence[Want],
        settings: Settings,
        *,
        order: Order,
        reference: str,
        location: str | None = None,
        on: date | None = None,
    ) -> Picked:
        """
        Keep stock for a session, as the site has set it.

        Args:
            store: The stock.
            wants: What is wanted.
            settings: Of the site: how lots are chosen, and how long they are kept.
            order: Who picks and why.
            reference: Of the session.
            location: Where to take it; None for anywhere.
            on: The day of use, at the site; None means today.

        Returns:
            What is kept, and what was passed over.

        Raises:
            OrderError: As `mesoformula.stock.picks.picking.pick` says, with all that is missing.
            UnknownNameError: If nobody offers the policy that is set.
        """
        from mesoformula.settings import Sharing
        from mesoformula.stock.picks.picking import pick

        return pick(
            store,
            wants,
            order=order,
            reference=reference,
            policy=self.lot_policy(settings.lot_policy),
            location=location,
            minimum_days_left=settings.minimum_days_left,
            lapses_after=settings.reservations_lapse_after,
            on=on,
            sharing_forbidden=settings.share_multi_dose is Sharing.FORBID,
            sharing_rules=self.formulary.sharing_rules(),
        )

    def pick_session(
        self,
        store: Store,
        answer: Answer,
        settings: Settings,
        *,
        order: Order,
        reference: str,
        location: str | None = None,
    ) -> tuple[Answer, Picked]:
        """
        Keep what a session takes, and count in what is known of the lots that it gets.

        Args:
            store: The stock.
            answer: A session, worked out and ready.
            settings: Of the site.
            order: Who picks and why.
            reference: Of the session.
            location: Where to take it; None for anywhere.

        Returns:
            The answer with the assays of the lots, and what is kept: a line for each of
            `mesoformula.stock.picks.picking.wants_of`.

        Raises:
            OrderError: If the session is not ready, or as `pick` says.
            UnknownNameError: If nobody offers the policy that is set.
        """
        from mesoformula.stock.lots.assays import assays_of
        from mesoformula.stock.picks.picking import wants_of

        if not answer.ready:
            raise OrderError([Problem("not-ready", "the session is not ready: nothing is picked for it")])
        if answer.overrides:
            told = "; ".join(f"overridden: {decision}" for decision in decisions(answer.overrides))
            order = attrs.evolve(order, reason=f"{order.reason}; {told}" if order.reason else told)
        session = answer.quantities.session
        wants = [want for want, _lines in wants_of(answer.quantities)]
        picked = self.pick(
            store, wants, settings, order=order, reference=reference, location=location, on=session.on
        )
        lots = [(one.product, one.lot, one.assay) for line in picked.lines for one in line.taken]
        if not any(assay is not None for _product, _lot, assay in lots):
            return answer, picked
        try:
            session = attrs.evolve(session, assays=assays_of(lots, self.formulary))
            answer = self._worked_out(session, answer.overrides)
        except FormulaError as err:
            # What was picked stays picked: the answer says what it does not count.
            said = (
                Finding("assay-not-counted", Severity.WARN, session.formula.id, one.message)
                for one in err.problems
            )
            answer = attrs.evolve(answer, findings=(*answer.findings, *said))
        return answer, picked

    def export(self, sheets: Sequence[Sheet], path: Path, *, replace: bool = False) -> None:
        """
        Write sheets to a file.

        Args:
            sheets: What to write.
            path: Where; its suffix chooses the format.
            replace: Whether a file that is there may be replaced.

        Raises:
            UnknownNameError: If no plugin writes that format.
            FileExistsError: If the file is there and may not be replaced.
        """
        exporter = self.exporter(path)
        if path.exists() and not replace:
            raise FileExistsError(f"{shown(str(path), 200)} is there already")
        exporter.write(sheets, path)

    def importer(self, path: Path) -> Importer:
        """
        Find the format that tables in a file are read from.

        Args:
            path: The file.

        Returns:
            The importer.

        Raises:
            UnknownNameError: If nobody reads that format; with those that are read.
        """
        return self._importer(path)[0]

    def _importer(self, path: Path) -> tuple[Importer, str | None]:
        """Find an importer, and the plugin that offers it; None for one of the core."""
        from mesoformula.grids import CORE_IMPORTERS

        known: dict[str, tuple[Importer, str | None]] = {one.suffix: (one, None) for one in CORE_IMPORTERS}
        known |= {one.value.suffix.lower(): (one.value, str(one.plugin)) for one in self.manager.importers()}
        suffix = path.suffix.lower()
        if suffix not in known:
            raise UnknownNameError("import format", path.suffix or path.name, sorted(known))
        return known[suffix]

    def read_grids(self, path: Path) -> tuple[Grid, ...]:
        """
        Read all tables of a file from outside.

        Args:
            path: The file; its suffix tells the format.

        Returns:
            Its tables; of a text file one, of a workbook one per sheet.

        Raises:
            UnknownNameError: If nobody reads that format.
            GridError: If anything is wrong with the file.
            PluginResultError: If the plugin that reads it fails.
        """
        from mesoformula.grids import Grid

        importer, plugin = self._importer(path)
        try:
            grids = tuple(importer.read(path))
            wrong = [type(one).__name__ for one in grids if not isinstance(one, Grid)]
        except (MesoformulaError, OSError):
            raise
        except Exception as err:
            raise PluginResultError(_failed_import(path, f"raised {said(err)}", plugin)) from err
        if wrong:
            raise PluginResultError(
                _failed_import(path, f"answered with a {wrong[0]}; expected a Grid", plugin)
            )
        return grids


def _said_where_named(path: Path, problems: Iterable[Problem]) -> Iterable[Problem]:
    """Say that a path stands in the environment, where nobody who types a command sees it."""
    if path not in named_in(os.environ):
        return problems
    return [
        attrs.evolve(one, message=f"{one.message} ({VARIABLE} names it)") if one.path == str(path) else one
        for one in problems
    ]


def _failed_import(path: Path, what: str, plugin: str | None) -> Problem:
    message = f"the importer of {shown(path.name)} {what}; mend or update the plugin, or block it"
    return Problem("import", message, plugin=plugin)
