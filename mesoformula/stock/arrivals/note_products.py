"""Which product a line of a delivery note means: by names that fit exactly, never by the nearest."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

import attrs

from mesoformula.errors import CatalogueError
from mesoformula.stock.arrivals.note_values import WrongValueError
from mesoformula.words import folded, shown

if TYPE_CHECKING:
    from mesoformula.formulary import Formulary
    from mesoformula.products import Product

LONGEST_NAME = 200
#: For how many unknown names the nearest are looked for: the search is the slow part.
MOST_SUGGESTED = 20

_DIGITS = re.compile(r"[0-9]{8}|[0-9]{12,14}")


@attrs.frozen
class Identity:
    """
    What a line says of its product.

    Attributes:
        product: An id, a trade item number or a name, whichever it is.
        gtin: Trade item number, 14 digits.
        sku: The vendor's item, or an id.
        name: As people call it.
        vendor: Who makes it.
    """

    product: str | None = None
    gtin: str | None = None
    sku: str | None = None
    name: str | None = None
    vendor: str | None = None


class ProductFinder:
    """Finds products of a formulary, each question answered once."""

    def __init__(self, formulary: Formulary) -> None:
        self._formulary = formulary
        self._known: dict[Identity, Product | WrongValueError] = {}
        self._suggested = 0
        self._skus: dict[str, set[str]] | None = None

    def find(self, identity: Identity) -> Product:
        """
        Find the one product that all that is said fits.

        A GTIN that no product bears, and a name or item number that fits none, are passed over where
        something else fits: they may be those of another packaging, or the supplier's own.

        Args:
            identity: What is said of it.

        Returns:
            The latest revision, unless an id names another.

        Raises:
            WrongValueError: If nothing fits, or several do, or what is said contradicts itself.
        """
        answer = self._known.get(identity)
        if answer is None:
            try:
                answer = self._find(identity)
            except WrongValueError as err:
                answer = err
            self._known[identity] = answer
        if isinstance(answer, WrongValueError):
            raise answer
        return answer

    def _find(self, identity: Identity) -> Product:
        for text in (identity.product, identity.sku, identity.name, identity.vendor):
            if text is not None and len(text) > LONGEST_NAME:
                raise WrongValueError(
                    "product", f"{shown(text)} has {len(text)} characters; at most {LONGEST_NAME} are read"
                )
        vendors = self._vendors(identity.vendor)
        found = {
            said: fitting
            for said, fitting in (
                (identity.product, self._by_any(identity.product, vendors)),
                (identity.gtin, self._by_gtin(identity.gtin)),
                (identity.sku, self._by_sku(identity.sku, vendors)),
                (identity.name, self._by_name(identity.name, vendors)),
            )
            if said is not None and fitting
        }
        if not found:
            raise self._unknown(identity)
        common = set.intersection(*found.values())
        if not common:
            said = "; ".join(f"{shown(text)} is {_listed(fitting)}" for text, fitting in found.items())
            raise WrongValueError("product", f"two products in one line: {said}; correct one")
        if len(common) > 1:
            called = " ".join(map(shown, found))
            raise WrongValueError(
                "product-ambiguous",
                f"{called} may be {_listed(common)}; write the id of the one that is meant",
            )
        return self._checked(common.pop(), identity, vendors)

    def _checked(self, name: str, identity: Identity, vendors: frozenset[str] | None) -> Product:
        try:
            product = self._formulary.product(name)
        except CatalogueError as err:
            raise WrongValueError(
                "product", f"{name} has a problem in its catalogue: {err.problems[0]}"
            ) from err
        if vendors and product.vendor.id not in vendors:
            raise WrongValueError(
                "product",
                f"{product.id} is sold by {product.vendor.name}, and this line says "
                f"{shown(identity.vendor or '')}; correct one",
            )
        if (
            identity.gtin is not None
            and product.gtin not in (None, identity.gtin)
            and (product.gtin.zfill(14) != identity.gtin)
        ):
            raise WrongValueError(
                "gtin",
                f"{identity.gtin} is not the GTIN of {product.id}, which is {product.gtin}; if it is that of "
                "another packaging, leave it blank",
            )
        return product

    def _vendors(self, text: str | None) -> frozenset[str] | None:
        """List the vendors that bear a name; None if none is given."""
        if text is None:
            return None
        wanted = folded(text)
        return frozenset(
            vendor.id
            for vendor in self._formulary.vendors
            if wanted in {folded(one) for one in (vendor.id, vendor.name, *vendor.synonyms)}
        )

    def _by_any(self, text: str | None, vendors: frozenset[str] | None) -> set[str]:
        if text is None:
            return set()
        if self._formulary.has_product(text):
            return {text}
        if _DIGITS.fullmatch(text):
            found = self._by_gtin(text.zfill(14))
            if found:
                return found
        return self._by_name(text, vendors)

    def _by_gtin(self, gtin: str | None) -> set[str]:
        if gtin is None:
            return set()
        return {
            product.id
            for product in self._found(gtin.lstrip("0"))
            if product.gtin is not None and product.gtin.zfill(14) == gtin
        }

    def _by_sku(self, text: str | None, vendors: frozenset[str] | None) -> set[str]:
        if text is None:
            return set()
        if self._formulary.has_product(text):
            return {text}
        if self._skus is None:
            self._skus = {}
            for name in self._formulary.names("product"):
                self._skus.setdefault(name.partition("/")[2], set()).add(name)
        found = self._skus.get(text.lower(), set())
        return {name for name in found if vendors is None or name.partition("/")[0] in vendors}

    def _by_name(self, text: str | None, vendors: frozenset[str] | None) -> set[str]:
        """Find products by a name or nickname: case and blanks do not count, everything else does."""
        if text is None:
            return set()
        wanted = _form(text)
        return {
            product.id
            for product in self._found(text)
            if wanted in {_form(one) for one in (product.name, *product.nicknames)}
            and (vendors is None or product.vendor.id in vendors)
        }

    def _found(self, text: str) -> list[Product]:
        return [one.record for one in self._formulary.find_products(text)]

    def _unknown(self, identity: Identity) -> WrongValueError:
        text = identity.product or identity.name or identity.sku
        if text is None:
            gtin = identity.gtin
            if gtin is None:
                return WrongValueError("product", "no product is named; write its id, GTIN or name")
            return WrongValueError(
                "gtin", f"no product bears the GTIN {gtin}; add it to a catalogue, or write the product's id"
            )
        message = f"no product is called {shown(text)}"
        if identity.vendor is not None:
            message += f" by {shown(identity.vendor)}"
        near = self._near(text)
        hint = f"did you mean {' or '.join(near)}?" if near else "see 'mesoformula products'; write its id"
        return WrongValueError("product", f"{message}; {hint}")

    def _near(self, text: str) -> list[str]:
        """List products that come near, for whoever corrects the note."""
        self._suggested += 1
        if self._suggested > MOST_SUGGESTED:
            return []
        words = text.split()[:6]
        while words:
            found = list(dict.fromkeys(one.id for one in self._found(" ".join(words))))
            if found:
                return found[:3]
            words.pop()
        return list(self._formulary.nearest("product", text))


def _form(name: str) -> str:
    """Bring a name to the form in which it must be equal: `1.5 mL` is never `15 mL`."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _listed(names: set[str]) -> str:
    first = sorted(names)[:5]
    return " or ".join(first) + (f" or one of {len(names) - 5} more" if len(names) > 5 else "")
