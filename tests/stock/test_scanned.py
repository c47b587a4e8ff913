"""Scanned codes: what is read, what is asked, what is refused."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime
from itertools import pairwise

import attrs
import pytest
from biip import ParseError
from biip.gs1_application_identifiers import _GS1_APPLICATION_IDENTIFIERS
from biip.gs1_element_strings import GS1ElementString
from biip.gs1_messages import GS1Message
from biip.symbology import GS1Symbology
from hypothesis import assume, example, given
from hypothesis import strategies as st

from mesoformula.errors import Problem, ScanError, StockError
from mesoformula.stock.arrivals.element_strings import CHARACTERS, GS, PREDEFINED_LENGTH, read_date
from mesoformula.stock.arrivals.scanned import Count, Scanned, read_code
from mesoformula.stock.arrivals.symbologies import ELEMENT_STRINGS, PLAIN_GTINS

TODAY = date(2026, 5, 4)
#: GS1's own number for examples.
GTIN = "09506000134352"
SUBSTITUTES = ("|", "~", "^", "{GS}", "<GS>")


def read(text: str, *substitutes: str) -> Scanned:
    return read_code(text, substitutes=substitutes, today=TODAY)


def codes(scanned: Scanned) -> list[str]:
    return [question.code for question in scanned.questions]


def refused(text: str, *substitutes: str) -> Problem:
    with pytest.raises(ScanError) as caught:
        read(text, *substitutes)
    (problem,) = caught.value.problems
    assert str(problem).isprintable()
    return problem


def tried(text: str, *substitutes: str) -> tuple[Scanned | None, tuple[Problem, ...]]:
    """Read a text, and give back what came of it with all problems."""
    try:
        scanned = read(text, *substitutes)
    except ScanError as err:
        return None, err.problems
    return scanned, scanned.questions


def check_digit(digits: str) -> str:
    """Work it out as the GS1 General Specifications print it: weights 3 and 1 from the right."""
    return str(-sum(int(one) * (3, 1)[at % 2] for at, one in enumerate(reversed(digits))) % 10)


gtins = (
    st.from_regex(r"[0-9]{13}", fullmatch=True)
    .filter(lambda one: one.strip("0"))
    .map(lambda digits: digits + check_digit(digits))
)
values = st.text(sorted(CHARACTERS), min_size=1, max_size=20)
# What read_code can tell apart with TODAY: 49 years back to 50 ahead, from 2000 on.
expiries = st.dates(date(2000, 1, 1), date(2076, 12, 31))


# What is read


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # GS1 DataMatrix Guideline, as quoted at https://www.morovia.com/kb/10644.html
        (
            "]d2010345312000001117120508" + "10ABCD1234" + GS + "4109501101020917",
            Scanned(
                "",
                "]d2",
                gtin="03453120000011",
                expiry=date(2012, 5, 8),
                lot="ABCD1234",
                others=(("410", "9501101020917"),),
            ),
        ),
        # Three device labels, https://github.com/jodal/biip/issues/253
        (
            "0104150011164140211GTFG32DLF" + GS + "1723033110158993A",
            Scanned("", gtin="04150011164140", serial="1GTFG32DLF", expiry=date(2023, 3, 31), lot="158993A"),
        ),
        (
            "0104046963351946172401011019A21G8345",
            Scanned("", gtin="04046963351946", expiry=date(2024, 1, 1), lot="19A21G8345"),
        ),
        (
            "01041500111641401726013110V10025" + GS + "21JGFMG4P38R",
            Scanned("", gtin="04150011164140", expiry=date(2026, 1, 31), lot="V10025", serial="JGFMG4P38R"),
        ),
        # A device with its additional id, https://github.com/jodal/biip/issues/296
        (
            "0104062102661738112401241727072410S230091624" + GS + "2400523000302NNN003",
            Scanned(
                "",
                gtin="04062102661738",
                production_date=date(2024, 1, 24),
                expiry=date(2027, 7, 24),
                lot="S230091624",
                others=(("240", "0523000302NNN003"),),
            ),
        ),
        # A medicine pack in two orders, and one with a national number; tests of
        # https://github.com/DacoTaco/BarcodeParserBuilder
        (
            GS + "010357466145194721118165795226" + GS + "17210331101724847.1",
            Scanned(
                "", gtin="03574661451947", serial="118165795226", expiry=date(2021, 3, 31), lot="1724847.1"
            ),
        ),
        (
            "]e00103574661451947" + "24040600199T" + GS + "301" + GS + "71025862471" + GS + "9815647",
            Scanned(
                "",
                "]e0",
                gtin="03574661451947",
                count=Count(1, "30", "03574661451947"),
                national_numbers=(("710", "25862471"),),
                others=(("240", "40600199T"), ("98", "15647")),
            ),
        ),
    ],
)
def test_real_codes_are_read(text: str, expected: Scanned) -> None:
    scanned = read(text)

    assert attrs.evolve(scanned, raw="") == expected


@pytest.mark.parametrize(
    ("digits", "gtin"),
    [
        ("5060131261973", "05060131261973"),  # magnesium sulfate 50 %, 10 mL
        ("05060131261973", "05060131261973"),
        ("96385074", "00000096385074"),  # GTIN-8 of biip's documentation
        ("614141000036", "00614141000036"),  # GTIN-12 of the GS1 General Specifications
        ("]E09781492053743", "09781492053743"),
        ("]E496385074", "00000096385074"),
        ("]I100614141000036", "00614141000036"),
    ],
)
def test_a_plain_code_of_digits_is_a_gtin_and_nothing_else(digits: str, gtin: str) -> None:
    scanned = read(digits)

    assert attrs.evolve(scanned, raw="", symbology=None) == Scanned("", gtin=gtin)


def element_strings(gtin: str, lot: str, expiry: date, serial: str, order: list[int]) -> str:
    """Write the four elements in some order, a separator after each of variable length but the last."""
    parts = [(f"01{gtin}", ""), (f"17{expiry:%y%m%d}", ""), (f"10{lot}", GS), (f"21{serial}", GS)]
    return "".join(text + end for text, end in (parts[at] for at in order)).rstrip(GS)


@given(
    gtins,
    values,
    expiries,
    values,
    st.permutations(range(4)),
    st.sampled_from(ELEMENT_STRINGS),
    st.sampled_from(["", GS]),
    st.sampled_from(["", "\r\n", "\t"]),
)
def test_what_was_encoded_comes_back(
    gtin: str, lot: str, expiry: date, serial: str, order: list[int], symbology: str, first: str, end: str
) -> None:
    text = element_strings(gtin, lot, expiry, serial, order)
    scanned = read(symbology + first + text + end)

    assert (scanned.gtin, scanned.lot, scanned.expiry, scanned.serial) == (gtin, lot, expiry, serial)
    assert scanned.symbology == symbology
    # An independent reading of the same text.
    elements = GS1Message.parse(text).element_strings
    assert {one.ai.ai: one.value for one in elements} == {
        "01": gtin,
        "10": lot,
        "17": f"{expiry:%y%m%d}",
        "21": serial,
    }


@given(gtins, values, expiries, values, st.permutations(range(4)), st.sampled_from(SUBSTITUTES))
def test_a_configured_substitute_stands_for_the_separator(
    gtin: str, lot: str, expiry: date, serial: str, order: list[int], substitute: str
) -> None:
    assume(substitute not in f"{lot} {serial}")
    text = element_strings(gtin, lot, expiry, serial, order).replace(GS, substitute)
    scanned = read(text, *SUBSTITUTES[:4]) if substitute != "<GS>" else read(text, substitute)

    assert (scanned.gtin, scanned.lot, scanned.expiry, scanned.serial) == (gtin, lot, expiry, serial)


@given(gtins, values, expiries, values, st.permutations(range(4)), st.sampled_from(["", " "]))
def test_bracketed_text_is_read(
    gtin: str, lot: str, expiry: date, serial: str, order: list[int], space: str
) -> None:
    assume("(" not in lot + serial)
    parts = [f"(01){gtin}", f"(17){expiry:%y%m%d}", f"(10){lot}", f"(21){serial}"]
    scanned = read(space.join(parts[at] for at in order))

    assert (scanned.gtin, scanned.lot, scanned.expiry, scanned.serial) == (gtin, lot, expiry, serial)


def test_a_bracket_that_is_no_application_identifier_belongs_to_the_value() -> None:
    assert read(f"(01){GTIN}(10)AB(05)C(x)").lot == "AB(05)C(x)"


@pytest.mark.parametrize(
    ("digits", "day"),
    [("280200", date(2028, 2, 29)), ("270200", date(2027, 2, 28)), ("261200", date(2026, 12, 31))],
)
def test_day_00_is_the_last_of_the_month(digits: str, day: date) -> None:
    assert read(f"]d201{GTIN}17{digits}").expiry == day


@given(st.dates(date(1900, 1, 1), date(2200, 12, 31)), st.from_regex(r"[0-9]{6}", fullmatch=True))
def test_the_century_of_a_date_lies_around_today(today: date, digits: str) -> None:
    found = read_date(digits, today)

    assert found is None or -49 <= found.year - today.year <= 50
    assert found is None or f"{found:%y%m}" == digits[:4]


@given(st.from_regex(r"17[0-9]{6}", fullmatch=True))
def test_dates_are_those_that_an_independent_reader_finds(element: str) -> None:
    try:
        expected = GS1ElementString.extract(element).date
    except ParseError:
        expected = None

    assert read_date(element[2:], datetime.now(UTC).date()) == expected


def test_a_best_before_date_is_no_expiry() -> None:
    scanned = read(f"]d201{GTIN}15281231")

    assert (scanned.best_before, scanned.expiry, scanned.questions) == (date(2028, 12, 31), None, ())


def test_a_count_says_what_it_counts() -> None:
    box = read(f"]C102{GTIN}3712" + GS + "10L1")

    assert box.count == Count(12, "37", GTIN)
    assert (box.gtin, box.lot, box.others, box.questions) == (None, "L1", (), ())
    assert read(f"]C101{GTIN}3012").count == Count(12, "30", GTIN)


@pytest.mark.parametrize("elements", [f"02{GTIN}", "3712", f"01{GTIN}300", f"02{GTIN}3712{GS}303"])
def test_a_count_that_does_not_say_enough_is_asked_about(elements: str) -> None:
    assert codes(read(f"]C1{elements}")) == ["count"]


def test_every_national_number_is_kept_apart() -> None:
    text = GS.join(f"{ai}N{ai}" for ai in range(710, 717))

    assert read(f"]d201{GTIN}{text}").national_numbers == tuple((f"{ai}", f"N{ai}") for ai in range(710, 717))


def test_the_raw_text_can_be_shown() -> None:
    assert read(f"]d201{GTIN}10A{GS}21B\r\n").raw == f"]d201{GTIN}10A\\x1d21B"


# What is asked


def test_a_lot_that_swallowed_a_date_is_asked_about_and_not_split() -> None:
    scanned = read(f"01{GTIN}10ABC12317281231")
    (question,) = scanned.questions

    assert (scanned.lot, scanned.expiry) == ("ABC12317281231", None)
    assert str(question) == (
        "[separator] lot 'ABC12317281231' ends in what looks like (17) 2028-12-31: is a separator missing? "
        "Configure the scanner to send GS, or type lot and expiry by hand"
    )


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        # Packs whose separator the scanner did not send: https://github.com/jodal/biip/issues/137, 113, 253,
        # https://github.com/Sleavely/Bark-JS/issues/8, and a German medicine.
        ("]d21021072911172405310100693570007182", ["(17) 2024-05-31", "(01) 00693570007182"]),
        ("01103663023000171021004371716020021925768618163", ["(17) 2016-02-29", "(21) '925768618163'"]),
        ("01041500111641401726013110V1002521JGFMG4P38R", ["(21) 'JGFMG4P38R'"]),
        ("01108573260055401722081110A2021121092220084115197", ["23 characters", "(21)"]),
        ("010415013832707721100251263204341727013110403751B", ["(17) 2027-01-31", "(10) '403751B'"]),
        ("0104062102661608112405271727112710S2400424282400522010301NNN003", ["29 characters"]),
        (f"]d201{GTIN}21S1234517281231", ["(17) 2028-12-31"]),
        (f"]d201{GTIN}7154567890117281231", ["(715)", "(17) 2028-12-31"]),
        (f"]d201{GTIN}301217281231", ["(30)", "more than the 8"]),
        (f"]d201{GTIN}10L1|17281231", ["'|'", "substitute"]),
        (f"]d201{GTIN}10L1<GS>21S1", ["'<GS>'", "substitute"]),
        (f"]d201{GTIN}10LOT 1", ["' '"]),
    ],
)
def test_a_missing_separator_is_asked_about(text: str, seen: list[str]) -> None:
    (question,) = read(text).questions

    assert question.code == "separator"
    assert all(word in question.message for word in seen)


@given(gtins, values, expiries)
def test_no_lot_swallows_an_expiry_unasked(gtin: str, lot: str, expiry: date) -> None:
    assert "separator" in codes(read(f"]d201{gtin}10{lot}17{expiry:%y%m%d}"))


@pytest.mark.parametrize("lot", ["LOT210315", "B2101", "21072911", "A2023", "1724847.1", "17281331", "L17"])
def test_ordinary_lots_are_not_asked_about(lot: str) -> None:
    assert read(f"]d201{GTIN}17281231" + "10" + lot).questions == ()


def test_a_lot_that_is_too_long_is_not_cut() -> None:
    scanned = read(f"]d201{GTIN}10" + "A" * 21)

    assert (scanned.lot, codes(scanned)) == (None, ["separator"])


@pytest.mark.parametrize(
    ("elements", "code", "field"),
    [
        ("17281331", "expiry", "expiry"),
        ("17280230", "expiry", "expiry"),
        ("17280000", "expiry", "expiry"),
        ("1728", "expiry", "expiry"),
        ("11281331", "date", "production_date"),
        ("15281331", "date", "best_before"),
        ("10", "lot", "lot"),
        ("21", "serial", "serial"),
        (f"10L1{GS}10L2", "twice", "lot"),
        ("1728123117281130", "twice", "expiry"),
        (f"713A{GS}713B", "twice", "national_numbers"),
    ],
)
def test_a_value_that_cannot_be_trusted_is_left_out_and_asked_about(
    elements: str, code: str, field: str
) -> None:
    scanned = read(f"]d201{GTIN}{elements}")

    assert codes(scanned) == [code]
    assert not getattr(scanned, field)
    assert scanned.gtin == GTIN


def test_a_wrong_check_digit_in_a_gs1_code_is_asked_about() -> None:
    scanned = read("]d20109506000134353" + "10L1")

    assert (scanned.gtin, scanned.lot, codes(scanned)) == (None, "L1", ["checksum"])


def test_the_same_value_twice_is_fine() -> None:
    assert read(f"]d201{GTIN}10L1{GS}10L1").questions == ()


@pytest.mark.parametrize("digits", ["770131", "991231"])
def test_an_expiry_before_2000_is_asked_about(digits: str) -> None:
    (question,) = read(f"]d201{GTIN}17{digits}").questions

    assert question.code == "expiry"
    assert f"means 19{digits[:2]}" in question.message


def test_an_expiry_before_the_production_is_asked_about() -> None:
    assert codes(read(f"]d201{GTIN}1128010117270101")) == ["expiry"]


def test_an_expiry_to_the_minute_is_asked_about() -> None:
    scanned = read(f"]d201{GTIN}70032812311200")

    assert (codes(scanned), scanned.others) == (["expiry"], (("7003", "2812311200"),))


def test_what_follows_without_application_identifier_is_asked_about() -> None:
    scanned = read(f"]d201{GTIN}17281231XYZ")

    assert (scanned.expiry, codes(scanned)) == (date(2028, 12, 31), ["unread"])


def test_all_questions_come_at_once() -> None:
    assert codes(read("]d20109506000134353172813311015" + GS + "21")) == ["checksum", "expiry", "serial"]


# What is refused


@pytest.mark.parametrize(
    "text",
    [
        # ANSI/HIBC 2.6 and tests of https://github.com/DacoTaco/BarcodeParserBuilder
        "+A123BJC5D6E71G",
        "*+A123BJC5D6E71G*",
        "+A99912345/$$52001510X3/16D20111212/S77DEFG45",
        "+$$52001510X3GD",
        "]d1+A123ABCDEFGHI1234567891/$$420020216LOT123456789012345",
        "]Q0+J123AQ3451/25330BC34567/S4012X",
        "]C0+A123BJC5D6E71G",
    ],
)
def test_an_hibc_code_is_refused_by_name(text: str) -> None:
    problem = refused(text)

    assert problem.code == "hibc"
    assert "type lot and expiry by hand" in problem.message


@pytest.mark.parametrize(
    "text",
    [
        # IFA, PPN-Code specification, and tests of https://github.com/DacoTaco/BarcodeParserBuilder
        "9N110375286414",
        "[)>\x1e06\x1d9N110375286414\x1d1T12345ABCD\x1dD150617\x1dS12345ABCDEF98765\x1e\x04",
        "]d1[)>\x1e06\x1dSHAHASERIAL12385\x1d9N111234568408\x1d1TANDSOMEBatchNumber20\x1e\x04",
        "]d1[)>069N1112345684081T12",
    ],
)
def test_a_ppn_code_is_refused_by_name(text: str) -> None:
    problem = refused(text)

    assert problem.code == "ppn"
    assert "type lot and expiry by hand" in problem.message


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"),
        (" \r\n", "empty"),
        (GS, "empty"),
        ("]d2", "empty"),
        ("x" * 10_000, "too-long"),
        ("0" * 10_000, "too-long"),
        ("[)>\x1e06\x1d8P03574661451947\x1e\x04", "not-gs1"),
        ("https://id.gs1.org/01/09506000134352", "not-gs1"),
        ("]Q1https://id.gs1.org/01/09506000134352", "not-gs1"),
        (f"]d101{GTIN}", "not-gs1"),
        (f"]C001{GTIN}", "not-gs1"),
        (f"]A001{GTIN}", "not-gs1"),
        (f"]Q101{GTIN}", "not-gs1"),
        ("]E39781492053743", "not-gs1"),
        ("]d2hello", "not-gs1"),
        ("hello", "not-gs1"),
        ("]", "not-gs1"),
        ("10ABC", "not-gs1"),
        ("2112345", "not-gs1"),
        ("10ABC17281231", "not-gs1"),
        ("(99x", "not-gs1"),
        ("(05)123", "not-gs1"),
        (f"01{GTIN}10A\x07B", "not-gs1"),
        (f"01{GTIN}10³", "not-gs1"),
        ("٩٦٣٨٥٠٧٤", "not-gs1"),
        ("]d201٠9506000134352", "not-gs1"),
        ("]E0978149205374", "checksum"),
        ("]E012345", "gtin"),
        ("]E0978149205374X", "gtin"),
        ("9781492053744", "checksum"),
        ("00000000", "checksum"),
        ("0109506000134353", "checksum"),
    ],
)
def test_what_is_no_gs1_code_is_refused_with_the_reason(text: str, code: str) -> None:
    assert refused(text).code == code


def test_nothing_is_a_substitute_that_was_not_configured() -> None:
    assert "separator" in codes(read(f"]d201{GTIN}10L1~21S1"))
    assert read(f"]d201{GTIN}10L1~21S1", "~").questions == ()


@pytest.mark.parametrize("substitute", ["", "A", "-", "1", "GS", "(", "²"])
def test_a_substitute_that_would_tear_lots_apart_is_refused(substitute: str) -> None:
    assert refused(f"01{GTIN}10L1", substitute).code == "substitute"


def test_a_refusal_is_an_error_of_the_stock() -> None:
    assert issubclass(ScanError, StockError)
    assert issubclass(ScanError, ValueError)


# Whatever is typed


hostile = st.one_of(
    st.text(max_size=200),
    st.text("0123456789()]d2CQe+9N" + GS, max_size=200),
    st.lists(
        st.sampled_from(
            [*_GS1_APPLICATION_IDENTIFIERS, GS, "17281231", GTIN, "(01)", "(10)", "A", "|", "]d2"]
        ),
        max_size=40,
    ).map("".join),
)


@given(st.sampled_from(["", *ELEMENT_STRINGS, *PLAIN_GTINS, "]d1"]), hostile)
@example("", "]Y9")
@example("]d2", "3919999")
@example("]d2", "\ud800")
def test_any_text_is_read_or_refused(symbology: str, text: str) -> None:
    scanned, problems = tried(symbology + text, "|")

    assert all(str(problem).isprintable() for problem in problems)
    if scanned is None:
        assert problems
        return
    assert scanned.raw.isprintable()
    assert scanned.gtin is None or scanned.gtin[-1] == check_digit(scanned.gtin[:13])
    assert scanned.lot is None or (len(scanned.lot) <= 20 and CHARACTERS.issuperset(scanned.lot))


@pytest.mark.parametrize("length", [3_116, 10_000])
@pytest.mark.parametrize(
    "piece", ["1728123", f"01{GTIN}", f"10A{GS}", "2012", "10", GS, "(10)", f"240{'1' * 30}{GS}"]
)
def test_a_long_text_is_read_or_refused_at_once(piece: str, length: int) -> None:
    scanned, problems = tried("]d2" + (piece * length)[: length - 3])

    assert scanned is not None or problems
    assert len(problems) <= 3


# What the library knows


def test_the_predefined_lengths_are_those_of_the_library() -> None:
    for known in _GS1_APPLICATION_IDENTIFIERS.values():
        assert (known.ai[:2] in PREDEFINED_LENGTH) != known.separator_required, known
        if not known.separator_required:
            digits = sum(int(part[1:]) for part in known.format.split("+"))
            assert PREDEFINED_LENGTH[known.ai[:2]] == digits, known


def test_no_application_identifier_begins_like_another() -> None:
    assert not [one for one, two in pairwise(sorted(_GS1_APPLICATION_IDENTIFIERS)) if two.startswith(one)]


def test_the_symbology_identifiers_are_those_of_the_library() -> None:
    assert {f"]{one.value}" for one in GS1Symbology.with_gs1_messages()} == set(ELEMENT_STRINGS)
    assert {f"]{one.value}" for one in GS1Symbology.with_gtin()} - {"]E3"} == set(PLAIN_GTINS)


def test_the_library_is_loaded_only_to_read_a_code() -> None:
    script = "import sys, mesoformula.stock.arrivals.scanned; print('biip' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False"]
