"""
What holds of every session, whatever is in it.

The oracle is the bench: every line is drawn with the volume that the answer says, its label is read again in
fractions, and what has come together must be what the answer says.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from datetime import date
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import attrs
import pint
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from mesoformula import (
    Amount,
    AmountKind,
    Content,
    Form,
    Formula,
    FormulaError,
    Formulary,
    Keep,
    Line,
    LineKind,
    Method,
    Part,
    Product,
    Session,
    SessionQuantities,
    Source,
    SourceKind,
    Vendor,
    parse_quantity,
    parse_strength,
)
from mesoformula.contents import Stated
from mesoformula.products import ContainerKind, Reconstitution
from mesoformula_quantities.answer import work_out

SHELF = Path(__file__).parents[1] / "data" / "fictional-products.toml"
SUBSTANCES = ("ascorbic-acid", "sodium-ascorbate", "biotin", "glycine")
WITHIN = Fraction(1, 10**20)

often = settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])


@attrs.frozen
class Label:
    """What a made-up label says, in mg per container: two figures if sources disagree, none if untold."""

    unit_volume: Fraction
    contents: dict[str, tuple[Fraction, ...]]


@attrs.frozen
class Bench:
    """A formula of made-up products, a session of it, and the labels to read again."""

    session: Session
    formulary: Formulary
    labels: tuple[Label, ...]

    @property
    def as_written(self) -> Session:
        """The session that prepares the formula as it is written."""
        return Session(self.session.formula)

    def answer(self, session: Session | None = None) -> SessionQuantities:
        """Work it out; what cannot be is no example."""
        try:
            return work_out(session or self.session, self.formulary)
        except FormulaError:
            reject()


@cache
def _shelf() -> Formulary:
    made = Formulary()
    made.add_catalogue(SHELF)
    return made


def _formulary(products: list[Product]) -> Formulary:
    made = Formulary()
    for substance in _shelf().substances():
        made.add_record("substance", substance, "made up")
    for syringe in _shelf().syringes():
        made.add_record("syringe", syringe, "made up")
    for product in products:
        made.add_record("product", product, "made up")
    return made


def _written(number: Decimal, unit: str) -> str:
    return f"{number:f} {unit}"


hundredths = st.integers(1, 5000).map(lambda number: Decimal(number) / 100)
volumes_in_ml = st.integers(20, 5000).map(lambda number: Decimal(number) / 100)


@st.composite
def contents(draw: st.DrawFn, volume: Decimal) -> tuple[Content, tuple[Fraction, ...]]:
    """One entry of a composition, and what it comes to in mg per container."""
    name = draw(st.sampled_from(SUBSTANCES))
    figures = draw(st.lists(hundredths, max_size=2, unique=True))
    per_container = draw(st.booleans())
    unit = "mg per container" if per_container else "mg/mL"
    strengths = [parse_strength(_written(figure, unit)) for figure in figures]
    if not figures:
        content = Content(substance=name, undisclosed=True)
    elif len(figures) == 1:
        content = Content(substance=name, strength=strengths[0])
    else:
        content = Content(substance=name, disputed=tuple(Stated(strength) for strength in strengths))
    by = Fraction(1) if per_container else Fraction(volume)
    return content, tuple(sorted(Fraction(figure) * by for figure in figures))


@st.composite
def products(draw: st.DrawFn, number: int) -> tuple[Product, Label]:
    """A solution, or a powder that displaces something."""
    volume, displaced = (
        draw(volumes_in_ml),
        draw(st.sampled_from([Decimal(0), Decimal("0.07"), Decimal("0.3")])),
    )
    makes = volume + displaced
    found = draw(st.lists(contents(makes), max_size=3, unique_by=lambda item: item[0].substance))
    composition = tuple(content for content, _figures in found)
    if displaced:
        part = Part(
            ContainerKind.VIAL,
            Form.POWDER,
            reconstitution=Reconstitution(
                parse_quantity(_written(volume, "mL")),
                Method.ADD,
                displacement=parse_quantity(_written(displaced, "mL")),
            ),
            composition=composition,
        )
    else:
        part = Part(
            ContainerKind.AMPOULE,
            Form.SOLUTION,
            volume=parse_quantity(_written(volume, "mL")),
            composition=composition,
        )
    product = Product(
        Vendor("acme", "Acme"),
        f"product-{number}",
        f"Product {number}",
        (part,),
        (Source(SourceKind.SMPC, "made up for a test", date(2026, 1, 5)),),
    )
    return product, Label(Fraction(makes), {content.substance or "": figures for content, figures in found})


@st.composite
def lines(draw: st.DrawFn, product: Product, label: Label) -> Line:
    """A line that says how much in any way that its product allows."""
    known = [name for name, figures in label.contents.items() if len(figures) == 1]
    kinds = [LineKind.VOLUME, LineKind.CONTAINERS]
    if known:
        kinds += [LineKind.DOSE, LineKind.CONCENTRATION]
    kind = draw(st.sampled_from(kinds))
    if kind is LineKind.VOLUME:
        return Line(product.id, volume=parse_quantity(_written(draw(hundredths), "mL")))
    if kind is LineKind.CONTAINERS:
        return Line(product.id, containers=draw(st.integers(1, 4)))
    name = draw(st.sampled_from(known))
    if kind is LineKind.DOSE:
        return Line(product.id, dose=parse_quantity(_written(draw(hundredths), "mg")), substance=name)
    own = label.contents[name][0] / label.unit_volume
    share = Fraction(draw(st.integers(1, 60)), 100)
    wanted = (Decimal((own * share).numerator) / Decimal((own * share).denominator)).quantize(Decimal("1e-8"))
    if not wanted:
        reject()
    return Line(product.id, concentration=parse_strength(_written(wanted, "mg/mL")), substance=name)


@st.composite
def benches(draw: st.DrawFn) -> Bench:
    made = [draw(products(number)) for number in range(draw(st.integers(1, 5)))]
    rest = draw(st.sampled_from(["none", "fill", "parts", "all parts"]))
    total = parse_quantity(_written(draw(st.integers(50, 400).map(Decimal)), "mL"))
    if rest == "all parts":
        recipe = [Line(product.id, parts=draw(st.integers(1, 7))) for product, _label in made]
    else:
        recipe = [draw(lines(*pair)) for pair in made]
        for number in range({"none": 0, "fill": 1, "parts": 2}[rest]):
            made.append(draw(products(len(made))))
            how: dict[str, Any] = {"fill_to": total} if rest == "fill" else {"parts": number + 1}
            recipe.append(Line(made[-1][0].id, **how))
    formula = Formula(
        "made-up",
        "Made up",
        tuple(recipe),
        total=total if rest in ("parts", "all parts") else None,
        teaching=True,
    )
    asked: dict[str, Any] = {}
    match draw(st.sampled_from(["as written", "volume", "points", "both"])):
        case "volume":
            asked["volume"] = parse_quantity(_written(draw(volumes_in_ml), "mL"))
        case "points":
            asked["points"] = draw(st.integers(1, 300))
            asked["volume_per_point"] = parse_quantity(_written(draw(hundredths), "mL"))
        case "both":
            asked["volume"] = parse_quantity(_written(draw(volumes_in_ml), "mL"))
            asked["points"] = draw(st.integers(1, 300))
        case _:
            pass
    syringe = draw(st.sampled_from([None, "one", "five"]))
    if syringe is not None:
        asked["syringe"] = _shelf().syringe(syringe)
        asked["needle"] = draw(st.sampled_from([None, _shelf().needle("fine")]))
    return Bench(
        Session(formula, **asked),
        _formulary([product for product, _label in made]),
        tuple(label for _product, label in made),
    )


def of(quantity: Any) -> Fraction:
    """The number of a quantity; every amount here is in mL or mg."""
    assert quantity is not None
    return Fraction(quantity.magnitude)


def close(found: Fraction, expected: Fraction) -> bool:
    return abs(found - expected) <= WITHIN * max(abs(expected), Fraction(1, 10**6))


#: What a wish for a substance counts: itself, and the salt by 176.124 : 198.10576928 g/mol (C6H8O6 and
#: C6H7NaO6 with the standard atomic weights of 2021).
FORMS = {
    "ascorbic-acid": {
        "ascorbic-acid": Fraction(1),
        "sodium-ascorbate": Fraction("176.124") / Fraction("198.10576928"),
    }
}


def forms_of(substance: str, label: Label) -> list[tuple[tuple[Fraction, ...], Fraction]]:
    """What a label states of a substance and of its salts, and by how much each counts."""
    forms = FORMS.get(substance, {substance: Fraction(1)})
    return [(label.contents[form], by) for form, by in forms.items() if form in label.contents]


def drawn_by_hand(
    bench: Bench, answer: SessionQuantities
) -> dict[str, list[tuple[Fraction, Fraction] | None]]:
    """Draw every line, and list the mg it brings of each substance: low and high, None where untold."""
    found: dict[str, list[tuple[Fraction, Fraction] | None]] = {}
    for line, label in zip(answer.lines, bench.labels, strict=True):
        share = of(line.volume) / label.unit_volume
        for name, figures in label.contents.items():
            brought = (figures[0] * share, figures[-1] * share) if figures else None
            found.setdefault(name, []).append(brought)
    return found


class TestEverySession:
    @often
    @given(benches())
    def test_the_formula_as_written_meets_every_line(self, bench: Bench) -> None:
        answer = bench.answer(bench.as_written)
        total = sum((of(line.volume) for line in answer.lines), Fraction(0))
        brought = drawn_by_hand(bench, answer)
        shares = []

        for wish, line, label in zip(bench.session.formula.lines, answer.lines, bench.labels, strict=True):
            volume = of(line.volume)
            if wish.volume is not None:
                assert close(volume, of(wish.volume))
            elif wish.containers is not None:
                assert close(volume, wish.containers * label.unit_volume)
                assert (line.containers, line.keep) == (wish.containers, Keep.NOTHING_LEFT)
            elif wish.dose is not None and wish.substance is not None:
                held = sum(
                    (figures[0] * by for figures, by in forms_of(wish.substance, label) if figures),
                    Fraction(0),
                )
                assert close(volume / label.unit_volume * held, of(wish.dose))
            elif wish.concentration is not None and wish.substance is not None:
                together = sum(
                    (
                        amount[0] * by
                        for form, by in FORMS.get(wish.substance, {wish.substance: Fraction(1)}).items()
                        for amount in brought.get(form, [])
                        if amount is not None
                    ),
                    Fraction(0),
                )
                assert close(together / total, of(wish.concentration.amount))
            elif wish.parts is not None:
                shares.append(volume / wish.parts)
            else:
                assert close(total, of(wish.fill_to))
        assert all(close(share, shares[0]) for share in shares)
        if bench.session.formula.total is not None:
            assert close(total, of(bench.session.formula.total))

    @often
    @given(benches())
    def test_what_is_drawn_adds_up_to_what_is_prepared(self, bench: Bench) -> None:
        answer = bench.answer()

        assert close(sum((of(line.volume) for line in answer.lines), Fraction(0)), of(answer.prepared))
        assert close(of(answer.injected) + of(answer.lost), of(answer.prepared))

    @often
    @given(benches())
    def test_no_substance_is_made_or_lost(self, bench: Bench) -> None:
        answer = bench.answer()
        exact = {item.substance: item for item in answer.doses if not item.as_moiety}

        by_hand = drawn_by_hand(bench, answer)
        assert exact.keys() == by_hand.keys()
        for name, lines_of in by_hand.items():
            amount = exact[name].prepared
            told = [one for one in lines_of if one is not None]
            low, high = (sum((one[end] for one in told), Fraction(0)) for end in (0, 1))
            if not told:
                assert amount == Amount(AmountKind.UNDISCLOSED)
                continue
            assert close(of(amount.low), low)
            if len(told) < len(lines_of):
                assert (amount.kind, amount.high) == (AmountKind.AT_LEAST, None)
            else:
                assert amount.kind is (AmountKind.STATED if low == high else AmountKind.DISPUTED)
                assert close(of(amount.high), high)

    @often
    @given(benches())
    def test_vitamin_c_is_the_sum_of_its_forms(self, bench: Bench) -> None:
        """M(C6H8O6) = 176.124, M(C6H7NaO6) = 198.10576928, with the atomic weights that the project uses."""
        answer = bench.answer()
        rows = {(item.substance, item.as_moiety): item.prepared for item in answer.doses}
        sodium = rows.get(("sodium-ascorbate", False))
        assert (("ascorbic-acid", True) in rows) == (sodium is not None)
        if sodium is None:
            return
        together, acid = rows["ascorbic-acid", True], rows.get(("ascorbic-acid", False))
        forms = [form for form in (sodium, acid) if form is not None]
        if all(form.low is None for form in forms):
            assert together == Amount(AmountKind.UNDISCLOSED)
            return
        factor = Fraction("176.124") / Fraction("198.10576928")
        low = sum(
            (of(form.low) * (factor if form is sodium else 1) for form in forms if form.low is not None),
            Fraction(0),
        )
        assert close(of(together.low), low)
        assert (together.high is None) == any(form.high is None for form in forms)

    @often
    @given(benches())
    def test_a_dose_is_its_concentration_times_what_is_injected(self, bench: Bench) -> None:
        answer = bench.answer()

        for item in answer.doses:
            for end in ("low", "high"):
                amount, strength, made = (
                    getattr(one, end) for one in (item.dose, item.concentration, item.prepared)
                )
                assert (amount is None) == (strength is None) == (made is None)
                if amount is not None:
                    assert close(of(amount), of(strength) * of(answer.injected))
                    assert close(of(made), of(strength) * of(answer.prepared))

    @often
    @given(benches(), st.integers(2, 97))
    def test_scaling_is_linear(self, bench: Bench, times: int) -> None:
        """Losses go by syringes, not by volume: what scales is a session without them."""
        volume = parse_quantity("3.7 mL")
        once = bench.answer(attrs.evolve(bench.as_written, volume=volume))
        scaled = bench.answer(attrs.evolve(bench.as_written, volume=volume * times))

        for small, large in zip(once.lines, scaled.lines, strict=True):
            assert close(of(large.volume), of(small.volume) * times)
        for little, much in zip(once.doses, scaled.doses, strict=True):
            assert (much.dose.kind, much.concentration) == (little.dose.kind, little.concentration)
            if little.dose.low is not None:
                assert close(of(much.dose.low), of(little.dose.low) * times)
            if little.dose.high is not None:
                assert close(of(much.dose.high), of(little.dose.high) * times)

    @often
    @given(benches())
    def test_rounding_never_hides_more_than_half_a_graduation(self, bench: Bench) -> None:
        for line in bench.answer().lines:
            if line.measured_with is None:
                assert line.left.magnitude == 0  # all of the containers: nothing is measured
                continue
            graduation = of(line.measured_with.graduation)
            error = of(line.measured) - of(line.volume)

            assert -graduation / 2 < error <= graduation / 2
            assert (of(line.measured) / graduation).denominator == 1
            assert close(of(line.error), error)

    @often
    @given(benches())
    def test_containers_are_the_least_number_that_suffices(self, bench: Bench) -> None:
        """What is short by less than 1e-30 of a container is a digit that no Decimal holds."""
        for line, label in zip(bench.answer().lines, bench.labels, strict=True):
            volume, hold = of(line.volume), line.containers * label.unit_volume

            assert volume <= hold * (1 + Fraction(1, 10**30))
            assert volume > hold - label.unit_volume
            assert abs(of(line.left) - (hold - volume)) <= WITHIN * hold
            assert (line.keep is Keep.NOTHING_LEFT) == (of(line.left) == 0)

    @often
    @given(benches())
    def test_the_decimal_context_of_the_caller_changes_nothing(self, bench: Bench) -> None:
        expected = bench.answer()
        with localcontext(Context(prec=6)):
            # A formula of its own is solved anew, under this context too.
            found = bench.answer(attrs.evolve(bench.session, formula=attrs.evolve(bench.session.formula)))
            steps = found.working()

        assert found == expected
        assert steps == expected.working()

    @often
    @given(benches())
    def test_the_same_question_has_the_same_answer_and_stays_as_it_was(self, bench: Bench) -> None:
        before = repr(bench.session), repr(bench.formulary.products()), bench.formulary.edition
        first = bench.answer()
        second = bench.answer()

        assert first == second
        assert first.working() == second.working()
        assert (repr(bench.session), repr(bench.formulary.products()), bench.formulary.edition) == before

    @often
    @given(benches())
    def test_no_binary_float_is_anywhere(self, bench: Bench) -> None:
        answer = bench.answer()

        seen = [type(value) for value in walked(answer)]
        assert Decimal in seen
        assert float not in seen
        assert not [step for step in walked(answer.working()) if isinstance(step, float)]

    @often
    @given(benches())
    def test_the_working_speaks_of_the_session_every_line_and_every_substance(self, bench: Bench) -> None:
        answer = bench.answer()
        subjects = {step.subject for step in answer.working()}

        assert {"session", *(f"line {line.number}" for line in answer.lines)} <= subjects
        assert {item.substance for item in answer.doses} <= subjects
        assert all(step.text and "None" not in step.text for step in answer.working())


def walked(value: Any) -> Iterator[Any]:
    """Walk everything that an answer holds, down to plain values; anything unknown is a failure."""
    match value:
        case pint.Quantity():
            assert type(value.magnitude) is Decimal
            assert value.magnitude.is_finite()
            yield value.magnitude
        case enum.Enum() | str() | bool() | int() | Decimal() | date() | None | float():
            yield value
        case tuple():
            for item in value:
                yield from walked(item)
        case _ if attrs.has(type(value)):
            for field in attrs.fields(type(value)):
                if field.name != "working":
                    yield from walked(getattr(value, field.name))
        case _:
            pytest.fail(f"a {type(value)} in an answer")
