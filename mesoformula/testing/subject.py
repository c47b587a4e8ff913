"""A plugin under test: its hooks, called as mesoformula calls them, and what they are called with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pluggy

from mesoformula.contract import CHECKS, OFFERS, drained, resumed
from mesoformula.errors import MesoformulaError
from mesoformula.hookspecs import PROJECT, Specs
from mesoformula.ingredients import CORE_CLASSES
from mesoformula.plugins import PluginManager, empty_manager, load_plugins
from mesoformula.provenance import PluginInfo, State, candidates
from mesoformula.testing.effects import Effect, watched
from mesoformula.testing.rules import NotApplicableError

if TYPE_CHECKING:
    from mesoformula.formulary import Formulary
    from mesoformula.products import Product
    from mesoformula.sessions import Session, SessionQuantities
    from mesoformula.sheets import Sheet, SheetRequest
    from mesoformula.stock.records import StockView


@cache
def first_party() -> PluginManager:
    """
    Load the plugins that come with mesoformula, blocked or not: what others are measured against.

    Returns:
        A manager with nothing else.
    """
    found, _problems = candidates()
    return load_plugins(blocked=(), entry_points=[one.entry_point for one in found if one.plugin.first_party])


@attrs.frozen(eq=False)
class Outcome:
    """
    What a call came to: it answered, or raised.

    Attributes:
        value: The answer, every iterable taken whole.
        raised: What it raised.
    """

    value: Any = None
    raised: BaseException | None = None


@attrs.frozen(eq=False)
class Call:
    """
    One call of a plugin, ready to be made any number of times.

    Attributes:
        hook: That it is about.
        label: What is called, and with what, in words.
        function: What is called.
        arguments: What is handed in, by position.
        takes_all: Whether the answer is something to take one by one.
        writes_to: The folder in which it may write, if it may.
        raises: Errors that count as an answer.
    """

    hook: str
    label: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...] = ()
    takes_all: bool = True
    writes_to: Path | None = None
    raises: tuple[type[BaseException], ...] = ()

    def made(self) -> Outcome:
        """
        Make the call.

        Returns:
            The answer, or what was raised; only an interrupt by the user passes.
        """
        try:
            answer = self.function(*self.arguments)
            return Outcome(drained(answer) if self.takes_all else answer)
        except KeyboardInterrupt:
            raise
        except BaseException as err:
            return Outcome(raised=err)


@attrs.frozen(eq=False, slots=False)
class Subject:
    """
    A plugin, and what to try it with; what is not given is made of what the plugin and the core offer.

    Attributes:
        plugin: A module, a class or an instance, as an entry point may name it.
        info: Who it is.
        folder: An empty one, for files.
        reference: `module` or `module:attribute` under which another process can import it; None if that
            is not known.
        example_sessions: To have worked out and checked.
        example_products: To have checked.
        example_requests: To have sheets made for.
        example_sheets: To have written.
        scales_with_volume: Whether twice the volume takes twice of every line.
        needs_bundled: Whether what it offers names bundled substances and products.
    """

    plugin: object
    info: PluginInfo
    folder: Path
    reference: str | None = None
    example_sessions: tuple[Session, ...] = ()
    example_products: tuple[Product, ...] = ()
    example_requests: tuple[SheetRequest, ...] = ()
    example_sheets: tuple[Sheet, ...] = ()
    scales_with_volume: bool = True
    needs_bundled: bool = True

    # ---- the plugin ----------------------------------------------------------------------------------------

    @cached_property
    def manager(self) -> PluginManager:
        """A manager that knows this plugin and no other."""
        manager = empty_manager()
        manager.register(
            self._instance, self.info.name, distribution=self.info.distribution, version=self.info.version
        )
        return manager

    @cached_property
    def _instance(self) -> object:
        if not isinstance(self.plugin, type):
            return self.plugin
        try:
            return self.plugin()
        except KeyboardInterrupt:
            raise
        except BaseException:
            return self.plugin  # registering it will say what is wrong

    @property
    def is_registered(self) -> bool:
        """Whether mesoformula can use the plugin at all."""
        (status,) = self.manager.report()
        return status.state is State.ACTIVE

    @cached_property
    def hooks(self) -> tuple[str, ...]:
        """The hooks that it implements, sorted; none if it cannot be used."""
        return tuple(sorted(self._implementations))

    @cached_property
    def _implementations(self) -> Mapping[str, Sequence[pluggy.HookImpl]]:
        if not self.is_registered:
            return {}
        bare = pluggy.PluginManager(PROJECT)
        bare.add_hookspecs(Specs)
        bare.register(self._instance, self.info.name)
        callers = bare.get_hookcallers(self._instance) or []
        return {caller.name: caller.get_hookimpls() for caller in callers if caller.get_hookimpls()}

    def wraps(self, hook: str) -> bool:
        """
        Tell whether it annotates what others offer.

        Args:
            hook: That it implements.

        Returns:
            Whether its implementation is a wrapper.
        """
        return any(one.wrapper for one in self._implementations[hook])

    # ---- calling it ----------------------------------------------------------------------------------------

    def call(self, hook: str, about: str = "", **arguments: object) -> Call:
        """
        Prepare a call of a hook that the plugin implements.

        Args:
            hook: Its name.
            about: What the arguments are, in words.
            arguments: All that the hook has, by name.

        Returns:
            The call, which hands over only the arguments that the plugin names.
        """
        (implementation, *_others) = self._implementations[hook]
        handed = tuple(arguments[name] for name in implementation.argnames)
        label = f"{hook}, {about}" if about else hook
        decides = hook not in OFFERS and hook not in CHECKS
        if implementation.wrapper:
            return Call(
                hook,
                label,
                lambda *given: resumed(list(self.base_sheets), implementation.function(*given)),
                handed,
            )
        return Call(
            hook,
            label,
            implementation.function,
            handed,
            takes_all=not decides,
            raises=(MesoformulaError,) if decides else (),
        )

    def offered(self, hook: str) -> tuple[Any, ...]:
        """
        Take what the plugin offers, as far as mesoformula would use it.

        Args:
            hook: Of an offer without arguments.

        Returns:
            The offers; none if it does not implement the hook, or does it wrongly.
        """
        if hook not in self.hooks:
            return ()
        return tuple(one.value for one in self.manager.offers(hook))

    @cached_property
    def calls(self) -> tuple[Call, ...]:
        """Every hook of the plugin with every example, and what it offers to be called."""
        from mesoformula.testing.example_calls import example_calls

        return tuple(example_calls(self))

    @cached_property
    def effects(self) -> tuple[tuple[Call, tuple[Effect, ...]], ...]:
        """What each call does besides answering; every call is made for that."""
        found = []
        for call in self.calls:
            with watched((call.writes_to,) if call.writes_to is not None else ()) as effects:
                call.made()
            found.append((call, tuple(effects)))
        return tuple(found)

    def calls_of(self, *hooks: str) -> Iterator[Call]:
        """
        List the examples of some hooks.

        Args:
            hooks: Their names.

        Yields:
            Calls of them.
        """
        return (one for one in self.calls if one.hook in hooks)

    # ---- what it is tried with -----------------------------------------------------------------------------

    @cached_property
    def formulary(self) -> Formulary:
        """What comes with mesoformula, and what the plugin offers."""
        from mesoformula.formulary import Formulary

        self.manager.define_units()
        classes = (one.value for one in self.manager.ingredient_classes())
        formulary = Formulary((*CORE_CLASSES, *classes))
        own, bundled = self.manager.catalogues(), first_party().catalogues()
        if not self.needs_bundled or {str(one.value) for one in own} & {str(one.value) for one in bundled}:
            bundled = ()  # they are its own
        for catalogue in (*bundled, *own):
            formulary.add_catalogue(catalogue.value, str(catalogue.plugin))
        for section, hook in _MADE_IN_CODE.items():
            for record in self.offered(hook):
                formulary.add_record(section, record, str(self.info))
        return formulary

    @cached_property
    def sessions(self) -> tuple[Session, ...]:
        """What it is asked to work out: the examples given, or sessions of what it and the core offer."""
        from mesoformula.testing.examples import sessions_of

        return self.example_sessions or sessions_of(self)

    @cached_property
    def answers(self) -> tuple[SessionQuantities, ...]:
        """Sessions worked out, by the plugin if it does that, else by the plugin of mesoformula itself."""
        hook = "mesoformula_work_out_session"
        found: list[SessionQuantities] = []
        if hook in self.hooks:
            outcomes = [
                self.call(hook, session=one, formulary=self.formulary).made() for one in self.sessions
            ]
            return tuple(one.value for one in outcomes if one.value is not None)
        for session in self.sessions:
            try:
                found.append(first_party().work_out_session(session, self.formulary).value)
            except MesoformulaError:
                continue  # an impossible wish; there are others
        return tuple(found)

    @cached_property
    def stock(self) -> StockView:
        """A stock of what is on offer, to have sheets made of."""
        from mesoformula.testing.example_sheets import shelf

        return shelf(self.formulary)

    @cached_property
    def base_sheets(self) -> tuple[Sheet, ...]:
        """Sheets to be annotated or written: the examples given, or made of a shelf full of examples."""
        from mesoformula.testing.example_sheets import sheets_to_write

        return self.example_sheets or sheets_to_write()

    def new_folder(self) -> Path:
        """
        Make a folder for files.

        Returns:
            The folder; the same for the same calls in another process, but for where all of them are.
        """
        number = sum(1 for _one in self.folder.iterdir()) + 1
        made = self.folder / f"files-{number}"
        made.mkdir()
        return made

    def needed(self, what: Sequence[Any], reason: str) -> None:
        """
        Stop a rule that has nothing to be tried with.

        Args:
            what: What it would be tried with.
            reason: Why there is nothing.

        Raises:
            NotApplicableError: If there is nothing.
        """
        if not what:
            raise NotApplicableError(reason)


_MADE_IN_CODE = {
    "product": "mesoformula_products",
    "technique": "mesoformula_techniques",
    "zone": "mesoformula_zones",
}
