"""
Find products and substances by what people call them, best first, without reading those that do not match.

What things are called is gathered once for the files that were found together, and remembered with them. It
leads to all that could match; `mesoformula.search` then says which do, and how well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import attrs

from mesoformula.catalogue.files import CatalogueFile, Shelf
from mesoformula.catalogue.index import product_name
from mesoformula.errors import CatalogueError
from mesoformula.ingredients import Substance
from mesoformula.products import Product
from mesoformula.search import Match, Name, form_of, is_near, match, slips_in, words_of

if TYPE_CHECKING:
    from mesoformula.formulary import Formulary

T = TypeVar("T", Product, Substance)


@attrs.frozen
class Found(Generic[T]):
    """
    Something that a search has found.

    Attributes:
        record: The product or substance.
        match: Which of its names matched, and how.
    """

    record: T
    match: Match


def find_products(formulary: Formulary, text: str) -> tuple[Found[Product], ...]:
    """
    Find products by name, nickname, id, vendor, trade item number, ingredient or class.

    Args:
        formulary: Where to look.
        text: What somebody typed.

    Returns:
        Products, every revision, the best match first; one that has problems is left out.
    """
    candidates = _candidates(formulary, text)
    products = _read(formulary, "product", candidates.products, formulary.product)
    found = [
        Found(product, one)
        for product in products
        if (one := match(text, names_of_product(product, formulary))) is not None
    ]
    return tuple(sorted(found, key=lambda one: (one.match.weight, one.record.id, one.record.revision)))


def find_substances(formulary: Formulary, text: str) -> tuple[Found[Substance], ...]:
    """
    Find substances by name, synonym, id, CAS number, UNII or class.

    Args:
        formulary: Where to look.
        text: What somebody typed.

    Returns:
        Substances, the best match first; one that has problems is left out.
    """
    candidates = _candidates(formulary, text)
    substances = _read(formulary, "substance", candidates.substances, formulary.substance)
    found = [
        Found(substance, one)
        for substance in substances
        if (one := match(text, names_of_substance(substance, formulary))) is not None
    ]
    return tuple(sorted(found, key=lambda one: (one.match.weight, one.record.id)))


def _read(formulary: Formulary, section: str, names: Iterable[str], find: Any) -> Iterator[Any]:
    for name in sorted(names):
        if name in formulary.entries(section):
            try:
                yield find(name)
            except CatalogueError:
                continue  # among the problems, with its place


# ---- names ---------------------------------------------------------------------------------------------


def names_of_product(product: Product, formulary: Formulary) -> list[Name]:
    """
    List what a product is called, and what it holds.

    Args:
        product: Any product.
        formulary: Where its substances are found.

    Returns:
        Names, the most telling first.
    """
    vendor = product.vendor
    names = _product_names(product.name, product.nicknames, product.id, product.gtin)
    names += [Name(text, "vendor") for text in (vendor.name, vendor.id, *vendor.synonyms)]
    for _part, content in product.contents():
        if content.ingredient_class is not None:
            names += _class_names(content.ingredient_class, formulary)
        if content.substance is None:
            continue
        names.append(Name(content.substance, "ingredient"))
        try:
            substance = formulary.substance(content.substance)
        except (CatalogueError, LookupError):
            continue
        held = names_of_substance(substance, formulary)
        names += [attrs.evolve(one, kind="ingredient") if one.kind == "name" else one for one in held]
    return list(dict.fromkeys(names))


def names_of_substance(substance: Substance, formulary: Formulary) -> list[Name]:
    """
    List what a substance is called.

    Args:
        substance: Any substance.
        formulary: What knows the name of its class.

    Returns:
        Names, the most telling first.
    """
    names = _substance_names(substance.name, substance.synonyms, substance.id, substance.cas, substance.unii)
    if substance.ingredient_class is not None:
        names += _class_names(substance.ingredient_class, formulary)
    return names


def _product_names(name: Any, nicknames: Any, id_: Any, gtin: Any) -> list[Name]:
    return _names(name=[name], nickname=nicknames, id=[id_], GTIN=[gtin])


def _substance_names(name: Any, synonyms: Any, id_: Any, cas: Any, unii: Any) -> list[Name]:
    return _names(name=[name], synonym=synonyms, id=[id_], CAS=[cas], UNII=[unii])


def _class_names(class_id: str, formulary: Formulary | None) -> list[Name]:
    """Name a class by its id, which is its name with underscores for those of the core."""
    known = formulary.classes.get(class_id) if formulary is not None else None
    return [Name(known.name if known is not None else class_id, "class")]


def _names(**named: Any) -> list[Name]:
    """Make names of what is text: of a record all is, of a table of a file not what is wrong with it."""
    return [
        Name(text, kind)
        for kind, texts in named.items()
        if isinstance(texts, list | tuple)
        for text in texts
        if isinstance(text, str)
    ]


# ---- all that could match ------------------------------------------------------------------------------


@attrs.frozen
class _Candidates:
    """Ids of all products and substances that could match."""

    products: frozenset[str]
    substances: frozenset[str]

    def __or__(self, other: _Candidates) -> _Candidates:
        return _Candidates(self.products | other.products, self.substances | other.substances)

    def __and__(self, other: _Candidates) -> _Candidates:
        return _Candidates(self.products & other.products, self.substances & other.substances)


def _candidates(formulary: Formulary, text: str) -> _Candidates:
    found = _called(formulary, text)
    words = [one for word in text.split() if (one := form_of(word))]
    if len(words) > 1:
        by_word = [_called(formulary, word) for word in words]
        all_of_them = by_word[0]
        for more in by_word[1:]:
            all_of_them &= more
        found |= all_of_them
    return found


def _called(formulary: Formulary, text: str) -> _Candidates:
    """Find what has a name that holds a text, or comes near it; and products that hold such a substance."""
    wanted = form_of(text)
    if not wanted:
        return _Candidates(frozenset(), frozenset())
    indices = [*map(_index, formulary.shelves), _index_of_code(formulary)]
    of_class = {
        one.id
        for one in formulary.classes.values()
        if match(text, _class_names(one.id, formulary)) is not None
    }
    products: set[str] = set()
    substances: set[str] = set()
    for index in indices:
        forms = _forms_like(wanted, index["words"])
        substances.update(_with(forms, index["substances"]))
        products.update(_with(forms, index["products"]))
        for class_id in of_class:
            substances.update(index["classes"].get(class_id, ()))
    for index in indices:
        for held in (*substances, *(f"class {class_id}" for class_id in of_class)):
            products.update(index["holders"].get(held, ()))
    return _Candidates(frozenset(products), frozenset(substances))


def _with(forms: Sequence[str], named: Mapping[str, str]) -> list[str]:
    if len(forms) == 1:
        (form,) = forms
        return [id_ for id_, called in named.items() if form in called]
    return [id_ for id_, called in named.items() if any(form in called for form in forms)]


def _forms_like(wanted: str, words: Mapping[str, str]) -> list[str]:
    """List what was typed, and the words that somebody who typed it may have meant."""
    forms = [wanted]
    slips = slips_in(wanted)
    letters = set(wanted)
    for length in range(len(wanted) - slips, len(wanted) + slips + 1) if slips else ():
        forms += [
            word
            for word in words.get(str(length), "").split("\n")
            # A slip changes two letters at the most: this leaves few to be compared with care.
            if len(letters.symmetric_difference(word)) <= 2 * slips and is_near(wanted, word, slips)
        ]
    return forms


def _index(shelf: Shelf) -> dict[str, Any]:
    return shelf.remembered("search", lambda: _index_of_files(shelf.files), _Index.KEYS)


class _Index:
    """Gathers what things are called."""

    KEYS = frozenset({"products", "substances", "words", "classes", "holders"})

    def __init__(self) -> None:
        self._called: dict[str, dict[str, str]] = {"products": {}, "substances": {}}
        self._words: set[str] = set()
        self._classes: dict[str, list[str]] = {}
        self._holders: dict[str, list[str]] = {}

    def add(self, section: str, id_: str, names: Iterable[Name]) -> None:
        forms = []
        for name in names:
            form = form_of(name.text)
            forms.append(form)
            self._words.add(form)
            self._words.update(words_of(name.text))
        self._called[section].setdefault(id_, "\n".join(forms))

    def classify(self, class_id: str, substance: str) -> None:
        self._classes.setdefault(class_id, []).append(substance)

    def hold(self, held: str, product: str) -> None:
        holders = self._holders.setdefault(held, [])
        if not holders or holders[-1] != product:
            holders.append(product)

    def plain(self) -> dict[str, Any]:
        by_length: dict[str, list[str]] = {}
        for word in sorted(self._words):
            by_length.setdefault(str(len(word)), []).append(word)
        return {
            **self._called,
            "words": {length: "\n".join(words) for length, words in by_length.items()},
            "classes": self._classes,
            "holders": self._holders,
        }


def _index_of_files(files: Iterable[CatalogueFile]) -> dict[str, Any]:
    made = _Index()
    for file in files:
        vendor = file.tables.get("vendor")
        for substance in _tables(file.tables, "substance"):
            _add_substance(made, substance)
        for product in _tables(file.tables, "product"):
            if isinstance(vendor, dict) and isinstance(vendor.get("id"), str):
                _add_product(made, product, vendor)
    return made.plain()


def _tables(holder: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """List the tables under a key; what is no table is somebody else's to report."""
    found = holder.get(key)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _add_substance(made: _Index, table: Mapping[str, Any]) -> None:
    id_, class_id = table.get("id"), table.get("class")
    if not isinstance(id_, str):
        return
    names = _substance_names(
        table.get("name"), table.get("synonyms"), id_, table.get("cas"), table.get("unii")
    )
    made.add("substances", id_, names)
    if isinstance(class_id, str):
        made.classify(class_id, id_)


def _add_product(made: _Index, table: Mapping[str, Any], vendor: Mapping[str, Any]) -> None:
    name = product_name(table)
    if name is None:
        return
    id_ = f"{vendor['id']}/{name}"
    names = _product_names(
        table.get("name"), table.get("nicknames"), id_.rpartition("@")[0], table.get("gtin")
    )
    names += _names(vendor=[vendor.get("name"), vendor["id"]], synonym=vendor.get("synonyms"))
    made.add("products", id_, names)
    for holder in (*_tables(table, "part"), table):
        for content in _tables(holder, "composition"):
            held, class_id = content.get("substance"), content.get("class")
            if isinstance(held, str):
                made.hold(held, id_)
            if isinstance(class_id, str):
                made.hold(f"class {class_id}", id_)


def _index_of_code(formulary: Formulary) -> dict[str, Any]:
    """Gather what records are called that stand in no file; plugins offer few of them."""
    made = _Index()
    for id_, entry in formulary.entries("substance").items():
        if entry.file is None:
            made.add("substances", id_, names_of_substance(entry.record, formulary))
            if entry.record.ingredient_class is not None:
                made.classify(entry.record.ingredient_class, id_)
    for id_, entry in formulary.entries("product").items():
        if entry.file is None:
            made.add("products", id_, names_of_product(entry.record, formulary))
    return made.plain()
