"""
Call the hooks of plugins one by one, with whatever may come of it.

The rules stand in `mesoformula.plugins`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, TypeVar

import attrs
import pluggy

from mesoformula.account import Entry
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
from mesoformula.contract_version import Contract
from mesoformula.errors import MesoformulaError, PluginResultError, Problem, SheetError
from mesoformula.loading import Registry
from mesoformula.provenance import BLOCK_VARIABLE, Offered, PluginInfo, State, said
from mesoformula.watching import Watch

T = TypeVar("T")


@attrs.frozen(eq=False)
class Implementation:
    """One function of one plugin that implements a hook."""

    hook: str
    plugin: PluginInfo
    function: Callable[..., Any]
    arguments: tuple[str, ...]
    is_wrapper: bool
    what: str = ""

    @property
    def said(self) -> str:
        """What it is, for a person."""
        return self.what or self.hook


class Caller(Registry):
    """
    Knows the plugins, and calls their hooks.

    Attributes:
        strict: Whether the first problem is raised instead of kept.
        contract: That holds with plugins.
    """

    def __init__(
        self,
        *,
        strict: bool = False,
        discovers: bool = True,
        contract: Contract | None = None,
        watch: Watch | None = None,
    ) -> None:
        super().__init__(strict=strict, discovers=discovers, contract=contract, watch=watch)
        self._implementations: dict[str, tuple[Implementation, ...]] = {}
        self._offered: dict[str, tuple[Offered[Any], ...]] = {}

    def _admit(self, entry: Entry, plugin: object) -> None:
        self._implementations.clear()
        self._offered.clear()
        super()._admit(entry, plugin)

    def _of(self, hook: str) -> tuple[Implementation, ...]:
        """List who implements a hook, sorted by name."""
        known = self._implementations.get(hook)
        if known is None:
            caller: pluggy.HookCaller = getattr(self._pluggy.hook, hook)
            known = tuple(
                sorted(
                    (
                        Implementation(
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
        implementation: Implementation,
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
        with self._watch.over(implementation.plugin, implementation.said) as call:
            result = finish(implementation.function(*[arguments[name] for name in implementation.arguments]))
            call.gave(result)
        return result

    def _failed(self, implementation: Implementation, err: BaseException) -> Problem:
        """Note that a hook failed, or what it offered; of many times alike only the first is kept."""
        plugin, hook, offered = implementation.plugin, implementation.hook, implementation.what
        code = "result" if isinstance(err, WrongAnswerError) else "raised"
        if offered and hook in ("mesoformula_exporters", "mesoformula_commands"):
            outcome = "what it has written may be incomplete"
        elif offered:
            outcome = "nobody else is asked instead"
        elif hook in OFFERS:
            outcome = "nothing of it is used"
        elif hook in CHECKS:
            outcome = "what it looks for is unchecked"
        else:
            outcome = "nobody else is asked instead"
        problem = Problem(
            code,
            f"{implementation.said} {_what(err)}; {outcome}; mend or update the plugin, or block it with "
            f"{BLOCK_VARIABLE}={plugin.name}",
            plugin=str(plugin),
        )
        self._active[plugin.name].worsen(State.FAILED, problem.message)
        self._note(PluginResultError, problem, err, (code, plugin, hook, offered))
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
                if isinstance(err, SheetError) and hook == "mesoformula_sheets":
                    raise  # sheets that cannot be made as they are asked for are a refusal, and no mistake
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

    def _decided(self, implementation: Implementation, arguments: Mapping[str, object]) -> Any:
        try:
            answer = self._call_one(implementation, arguments, lambda result: result)
            if answer is not None:
                DECISIONS[implementation.hook].checked(answer)
        except (KeyboardInterrupt, MesoformulaError):
            raise
        except BaseException as err:
            raise PluginResultError(self._failed(implementation, err)) from err
        return answer


def _what(err: BaseException) -> str:
    return str(err) if isinstance(err, WrongAnswerError) else f"raised {said(err)}"
