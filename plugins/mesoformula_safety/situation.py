"""All that the checks of one session look at."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

from mesoformula import Selector
from mesoformula_safety.contents import Hidden, Hit, Named, contents, parts_of
from mesoformula_safety.vocabulary import Vocabulary, vocabulary

if TYPE_CHECKING:
    from mesoformula import Dose, Formulary, LineQuantities, Part, Product, Session, SessionQuantities


class Situation:
    """One session, worked out, with what follows from it."""

    def __init__(
        self, session: Session, quantities: SessionQuantities, formulary: Formulary, on: date
    ) -> None:
        """
        Gather it.

        Args:
            session: What was asked.
            quantities: What was answered.
            formulary: Where substances and rules are found.
            on: The day.
        """
        self.session = session
        self.quantities = quantities
        self.formulary = formulary
        self.on = on
        self._hits: dict[str, tuple[Hit, ...]] = {}

    @property
    def subject(self) -> str:
        """What findings on the whole session are about."""
        return self.session.formula.id

    @cached_property
    def products(self) -> tuple[Product, ...]:
        """Every product that is taken, once, in formula order."""
        return tuple({line.product.pinned_id: line.product for line in self.quantities.lines}.values())

    @cached_property
    def is_mixed(self) -> bool:
        """Whether different products come together."""
        return len({product.id for product in self.products}) > 1

    def lines_of(self, product: Product) -> tuple[LineQuantities, ...]:
        """
        List the lines that take a product.

        Args:
            product: The product.

        Returns:
            The lines, in formula order.
        """
        return tuple(line for line in self.quantities.lines if line.product.pinned_id == product.pinned_id)

    def parts(self, product: Product) -> tuple[Part, ...]:
        """
        List the parts of a product that are taken.

        Args:
            product: The product.

        Returns:
            The parts, once each.
        """
        numbers = {
            number: part for line in self.lines_of(product) for number, part in parts_of(product, line.part)
        }
        return tuple(numbers.values())

    @cached_property
    def contents(self) -> tuple[tuple[Named, ...], tuple[Hidden, ...]]:
        """What is in the syringe by name, and what is not named."""
        return contents(self.quantities.lines, self.formulary)

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """What could hide behind what is not named."""
        return vocabulary(self.formulary)

    def hits(self, selectors: Iterable[str]) -> tuple[Hit, ...]:
        """
        List what selectors mean, or may mean.

        Args:
            selectors: As rules write them.

        Returns:
            What is found, in formula order.
        """
        return tuple(dict.fromkeys(hit for text in selectors for hit in self._of(text)))

    def _of(self, text: str) -> tuple[Hit, ...]:
        known = self._hits.get(text)
        if known is None:
            selector = Selector.of(text)
            named, hidden = self.contents
            found = [one.hit(selector, self.vocabulary) for one in named]
            found += [one.hit(selector, self.vocabulary) for one in hidden]
            known = self._hits[text] = tuple(hit for hit in found if hit is not None)
        return known

    @cached_property
    def doses(self) -> dict[tuple[str, bool], tuple[Dose, ...]]:
        """The doses by substance, and whether they count it over all its forms."""
        found: dict[tuple[str, bool], list[Dose]] = {}
        for dose in self.quantities.doses:
            found.setdefault((dose.substance, dose.as_moiety), []).append(dose)
        return {key: tuple(doses) for key, doses in found.items()}
