"""Counts as tables: whatever a lot is called, a row that was not touched is known again."""

from __future__ import annotations

from datetime import UTC, date, datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mesoformula.grids import chosen, read_csv
from mesoformula.stock.counts.count_files import count_csv, read_count_file
from mesoformula.stock.counts.count_sheets import CountLine, CountSheet

names = (
    st.text(st.characters(exclude_categories=("C", "Z"), include_characters=" "), min_size=1, max_size=100)
    .map(lambda text: text.strip(" "))
    .filter(bool)
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    spots=st.lists(st.tuples(names, names), min_size=1, max_size=5),
    expiry=st.none() | st.dates(date(2000, 1, 1), date(2100, 12, 31)),
    figures=st.dictionaries(st.integers(1, 5), st.integers(0, 1_000_000)),
    blind=st.booleans(),
)
def test_every_lot_and_place_is_read_back_as_written(make_product, tmp_path, spots, expiry, figures, blind):
    product = make_product()
    lines = tuple(
        CountLine(number, product, lot, expiry, place, number * 3)
        for number, (lot, place) in enumerate(spots, start=1)
    )
    sheet = CountSheet(12, datetime(2026, 5, 4, tzinfo=UTC), "ana", lines)
    text = count_csv(sheet, blind=blind)
    wanted = {number: figures.get(number) for number in range(1, len(lines) + 1)}
    head, *rows = text.split("\r\n")
    filled = [head]
    for number, row in enumerate(rows[:-1], start=1):
        figure = "" if wanted[number] is None else str(wanted[number])
        assert row.endswith(",,")
        filled.append(f"{row[:-1]}{figure},")
    path = tmp_path / "count.csv"
    path.write_bytes("\r\n".join(filled).encode("utf-8-sig"))
    read = read_count_file(chosen(read_csv(path), path), sheet)

    assert read.counted == wanted
    assert (read.found, read.remarks) == ((), {})
    assert ("expected" in head) is not blind
