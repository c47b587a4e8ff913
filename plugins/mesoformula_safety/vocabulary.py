"""Which of the known substances could hide behind a class, or behind what a label does not list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

from mesoformula import Selector, SelectorKind

if TYPE_CHECKING:
    from mesoformula import Formulary

#: Roles of what a label may leave out; an active such as an anaesthetic is what it is sold for. A choice of
#: ours.
AUXILIARY_ROLES = frozenset(
    {
        "acidity-regulator",
        "buffer",
        "chelator",
        "diluent",
        "emulsifier",
        "humectant",
        "preservative",
        "solubiliser",
        "tonicity-agent",
    }
)


class Known(NamedTuple):
    """
    What matters of a substance here; most of them need not be read for it.

    Attributes:
        id: Of the substance.
        ingredient_class: None for what has none.
        role: Of an auxiliary.
        origin: Species or source.
        yields: Ids of its moieties.
    """

    id: str
    ingredient_class: str | None
    role: str | None
    origin: str | None
    yields: tuple[str, ...]

    @property
    def is_auxiliary(self) -> bool:
        """Whether a label may leave it out; of antioxidants only those, such as sulfites, of a known kind."""
        return self.role in AUXILIARY_ROLES or (self.role == "antioxidant" and self.origin is not None)

    def is_meant(self, selector: Selector) -> bool:
        """Tell whether a selector means it."""
        match selector.kind:
            case SelectorKind.SUBSTANCE:
                return self.id == selector.name
            case SelectorKind.MOIETY:
                return selector.name == self.id or selector.name in self.yields
            case SelectorKind.CLASS:
                return self.ingredient_class == selector.name
            case SelectorKind.ROLE:
                return self.role == selector.name
            case SelectorKind.ORIGIN:
                return self.origin is not None and _plain(self.origin) == _plain(selector.name)


def _plain(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())


class Vocabulary:
    """What is known of all substances."""

    def __init__(self, known: Iterable[Known]) -> None:
        self._known = tuple(known)
        self._answers: dict[tuple[str, Selector], bool] = {}

    def may_be_of_class(self, selector: Selector, ingredient_class: str) -> bool:
        """
        Tell whether a selector may mean something of a class of which no substance is named.

        Args:
            selector: Any.
            ingredient_class: Its id.

        Returns:
            Whether any known substance of the class is meant, or the selector names something of no class.
        """
        key = (ingredient_class, selector)
        if key not in self._answers:
            self._answers[key] = any(
                one.is_meant(selector) and one.ingredient_class in (ingredient_class, None)
                for one in self._known
                if one.ingredient_class == ingredient_class
                or (one.id == selector.name and one.ingredient_class is None and one.role is None)
            )
        return self._answers[key]

    def may_be_auxiliary(self, selector: Selector) -> bool:
        """
        Tell whether a selector may mean an auxiliary that a label does not list.

        Args:
            selector: Any.

        Returns:
            Whether any known auxiliary is meant.
        """
        key = ("", selector)
        if key not in self._answers:
            self._answers[key] = any(one.is_meant(selector) for one in self._known if one.is_auxiliary)
        return self._answers[key]


def _sketched(formulary: Formulary) -> Iterator[Known]:
    for name, entry in formulary.entries("substance").items():
        record = entry.record
        if record is not None:
            yields = tuple(moiety.substance for moiety in record.moieties)
            yield Known(name, record.ingredient_class, record.role, record.origin, yields)
            continue
        table = entry.file.table("substance", entry.number) if entry.file is not None else None
        if isinstance(table, dict):
            yield _from_table(name, table)


def _from_table(name: str, table: Mapping[str, Any]) -> Known:
    found = table.get("moieties")
    moieties = found if isinstance(found, list) else ()
    return Known(
        name,
        _text(table.get("class")),
        _text(table.get("role")),
        _text(table.get("origin")),
        tuple(one["of"] for one in moieties if isinstance(one, dict) and isinstance(one.get("of"), str)),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


#: With the edition of the formulary that each was made of.
_kept: WeakKeyDictionary[Formulary, tuple[int, Vocabulary]] = WeakKeyDictionary()


def vocabulary(formulary: Formulary) -> Vocabulary:
    """
    Return what is known of the substances of a formulary, kept as long as nothing is added to it.

    Args:
        formulary: Where they are.

    Returns:
        The vocabulary.
    """
    known = _kept.get(formulary)
    if known is None or known[0] != formulary.edition:
        known = _kept[formulary] = (formulary.edition, Vocabulary(_sketched(formulary)))
    return known[1]
