"""
Load plugins, call their hooks one by one, and keep the rest going when one of them misbehaves.

Whatever a plugin does wrong is a `Problem` that names it with its distribution and version; `strict` makes
the first one fatal. The rules, none of which depends on the order in which plugins are installed or loaded:

- A plugin that cannot be imported, or that breaks the contract where that can be seen beforehand (a hook that
  does not exist, a forgotten decorator, an argument that the hook does not have), is set aside whole: half a
  plugin might offer products without the check that belongs to them. A hook of a newer contract may be marked
  `optionalhook=True`; then it is passed over.
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

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import pluggy

from mesoformula.contract import (
    CHECKS,
    DECISIONS,
    IN_OWN_ORDER,
    MAY_BE_WRAPPED,
    OFFERS,
    WrongAnswerError,
    drained,
    resumed,
)
from mesoformula.errors import (
    MesoformulaError,
    PluginConflictError,
    PluginError,
    PluginResultError,
    Problem,
    QuantityError,
)
from mesoformula.loading import Entry, Registry
from mesoformula.provenance import BLOCK_VARIABLE, Offered, PluginInfo, PluginStatus, State, said

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable
    from pathlib import Path

    import click

    from mesoformula.findings import Finding
    from mesoformula.formulary import Formulary
    from mesoformula.ingredients import IngredientClass
    from mesoformula.products import Product
    from mesoformula.sessions import Session, SessionQuantities
    from mesoformula.sheets import Exporter, Sheet, SheetRequest
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

T = TypeVar("T")


@attrs.frozen(eq=False)
class _Implementation:
    """One function of one plugin that implements a hook."""

    hook: str
    plugin: PluginInfo
    function: Callable[..., Any]
    arguments: tuple[str, ...]
    is_wrapper: bool


class PluginManager(Registry):
    """
    Knows the plugins, calls their hooks, and keeps account of what went wrong.

    Attributes:
        strict: Whether the first problem is raised instead of kept.
    """

    def __init__(self, *, strict: bool = False, discovers: bool = True) -> None:
        super().__init__(strict=strict, discovers=discovers)
        self._implementations: dict[str, tuple[_Implementation, ...]] = {}
        self._offered: dict[str, tuple[Offered[Any], ...]] = {}

    def _admit(self, entry: Entry, plugin: object) -> None:
        self._implementations.clear()
        self._offered.clear()
        super()._admit(entry, plugin)

    def _of(self, hook: str) -> tuple[_Implementation, ...]:
        """List who implements a hook, sorted by name."""
        known = self._implementations.get(hook)
        if known is None:
            caller: pluggy.HookCaller = getattr(self._pluggy.hook, hook)
            known = tuple(
                sorted(
                    (
                        _Implementation(
                            hook,
                            self._active[one.plugin_name].plugin,
                            one.function,
                            tuple(one.argnames),
                            one.wrapper,
                        )
                        for one in caller.get_hookimpls()
                    ),
                    key=lambda one: one.plugin.name,
                )
            )
            self._implementations[hook] = known
        return known

    def _call_one(
        self,
        implementation: _Implementation,
        arguments: Mapping[str, object],
        finish: Callable[[Any], T],
    ) -> T:
        """
        Call one implementation: the only place where a hook of a plugin is called.

        Args:
            implementation: Whom to call.
            arguments: All that the hook has; it gets those that it names.
            finish: What to make of the result, draining a generator included, so that what fails late fails
                here.

        Returns:
            What `finish` makes of it.
        """
        return finish(implementation.function(*[arguments[name] for name in implementation.arguments]))

    def _failed(self, implementation: _Implementation, err: BaseException) -> Problem:
        """Note that a hook failed; of many times alike only the first is kept."""
        plugin, hook = implementation.plugin, implementation.hook
        code = "result" if isinstance(err, WrongAnswerError) else "raised"
        if hook in OFFERS:
            outcome = "nothing of it is used"
        elif hook in CHECKS:
            outcome = "what it looks for is unchecked"
        else:
            outcome = "nobody else is asked instead"
        problem = Problem(
            code,
            f"{hook} {_what(err)}; {outcome}; mend or update the plugin, or block it with "
            f"{BLOCK_VARIABLE}={plugin.name}",
            plugin=str(plugin),
        )
        self._active[plugin.name].worsen(State.FAILED, problem.message)
        self._note(PluginResultError, problem, err, (code, plugin, hook))
        return problem

    def implements(self, hook: str) -> bool:
        """
        Tell whether any plugin implements a hook.

        Args:
            hook: Such as `mesoformula_check_session`.

        Returns:
            Whether a call of it asks anybody.
        """
        return bool(self._of(hook))

    def offers(self, hook: str, *, core: Iterable[str] = (), **arguments: object) -> tuple[Offered[Any], ...]:
        """
        Ask all plugins what they offer by one hook.

        Hooks without arguments are called once, and the answer is kept.

        Args:
            hook: A hook that offers, such as `mesoformula_products`.
            core: Names that the core has itself, and that nobody may take.
            **arguments: Of the hook.

        Returns:
            What stands, sorted by name (units and catalogues: by plugin, in its own order).

        Raises:
            PluginResultError: If strict, and a plugin fails.
            PluginConflictError: If strict, and a name is taken.
        """
        offered = self._offered.get(hook) if not arguments else None
        if offered is None:
            offered = self._gathered(hook, arguments)
            if not arguments:
                self._offered[hook] = offered
        answers = OFFERS[hook]
        if answers.names is not None:
            offered = self.settle(answers.what, offered, answers.names, core=core)
        return self._wrapped(hook, offered, arguments) if hook in MAY_BE_WRAPPED else offered

    def _gathered(self, hook: str, arguments: Mapping[str, object]) -> tuple[Offered[Any], ...]:
        answers = OFFERS[hook]
        offered: list[Offered[Any]] = []
        for implementation in self._of(hook):
            if implementation.is_wrapper:
                continue
            try:
                values = self._call_one(implementation, arguments, drained)
                for value in values:
                    answers.checked(value)
            except KeyboardInterrupt:
                raise
            except BaseException as err:
                self._failed(implementation, err)
                continue
            offered.extend(Offered(value, implementation.plugin) for value in values)
        names = answers.names
        if names is not None and hook not in IN_OWN_ORDER:
            offered.sort(key=lambda one: names(one.value))
        return tuple(offered)

    def _wrapped(
        self, hook: str, offered: tuple[Offered[Any], ...], arguments: Mapping[str, object]
    ) -> tuple[Offered[Any], ...]:
        """Let wrappers annotate what is offered; names, number and order must stay."""
        names = OFFERS[hook].names
        for implementation in self._of(hook):
            if not implementation.is_wrapper:
                continue
            values = [one.value for one in offered]
            try:
                annotated = self._call_one(implementation, arguments, partial(resumed, values))
                for value in annotated:
                    OFFERS[hook].checked(value)
                if names is not None and [names(new) for new in annotated] != [names(old) for old in values]:
                    raise WrongAnswerError("changed which sheets there are; a wrapper may only annotate them")
            except KeyboardInterrupt:
                raise
            except BaseException as err:
                self._failed(implementation, err)
                continue
            offered = tuple(Offered(value, one.plugin) for value, one in zip(annotated, offered, strict=True))
        return offered

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
            Files and folders, by plugin and in its own order.
        """
        return self.offers("mesoformula_catalogues")

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
            Exporters, sorted by suffix.
        """
        return self.offers("mesoformula_exporters")

    def commands(self, core: Iterable[str]) -> tuple[Offered[click.Command], ...]:
        """
        Ask for commands.

        Args:
            core: Names of the commands that the core has itself.

        Returns:
            click commands, sorted by name.
        """
        return self.offers("mesoformula_commands", core=core)

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

    def _checked(self, hook: str, arguments: Mapping[str, object]) -> Iterator[tuple[PluginInfo, Any]]:
        """Yield every answer, and for a check that fails the reason as text."""
        for implementation in self._of(hook):
            answers: list[Any] = []
            err: BaseException | None = None
            try:
                self._call_one(implementation, arguments, partial(drained, into=answers))
            except KeyboardInterrupt:
                raise
            except BaseException as raised:
                err = raised
            for answer in answers:
                try:
                    CHECKS[hook].checked(answer)
                except Exception as wrong:
                    err = err or wrong
                else:
                    yield implementation.plugin, answer
            if err is not None:
                self._failed(implementation, err)
                yield (
                    implementation.plugin,
                    f"a check of plugin {implementation.plugin} {_what(err)}: what it looks for is "
                    "unchecked; mend or update the plugin",
                )

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
                first, *others = (str(one.plugin) for one in found)
                raise PluginConflictError(
                    Problem(
                        "conflict",
                        f"this session is also worked out by {' and '.join(others)}; block one with "
                        f"{BLOCK_VARIABLE}",
                        plugin=first,
                    )
                )
        raise PluginError(
            Problem(
                "nobody",
                "no plugin works out this session; see 'mesoformula plugin list' for what is blocked or "
                "failed, and unblock or mend one",
            )
        )

    def _decided(self, implementation: _Implementation, arguments: Mapping[str, object]) -> Any:
        try:
            answer = self._call_one(implementation, arguments, lambda result: result)
            if answer is not None:
                DECISIONS[implementation.hook].checked(answer)
        except (KeyboardInterrupt, MesoformulaError):
            raise
        except BaseException as err:
            raise PluginResultError(self._failed(implementation, err)) from err
        return answer


#: Lines that are in the registry, of which there is one per process, by whichever manager.
_DEFINED: set[str] = set()


def _what(err: BaseException) -> str:
    return str(err) if isinstance(err, WrongAnswerError) else f"raised {said(err)}"


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
