"""In which line of a TOML text a value stands."""

from __future__ import annotations

import tomllib
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoformula.catalogue.lines import line_numbers, line_of

# ---- texts written by hand, each marked line saying what begins in it ----


def expected(text: str) -> dict[tuple[str | int, ...], int]:
    """Read the paths that a text names in comments `#: a.0.b`, one or several per line."""
    found: dict[tuple[str | int, ...], int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        _, mark, names = line.partition("#: ")
        if mark:
            for name in names.split():
                path = tuple(int(step) if step.isdigit() else step for step in name.split("."))
                found[path] = number
    return found


@pytest.mark.parametrize(
    "text",
    [
        """\
        schema = 1 #: schema
        # [not.a.table] and x = 1

        [vendor] #: vendor
        id = "acme" #: vendor.id
        name = 'A "quoted" [name] # no comment' #: vendor.name
        """,
        """\
        [[product]] #: product.0
        sku = "a" #: product.0.sku
        [[product.part]] #: product.0.part.0
        volume = "1 mL" #: product.0.part.0.volume
        [[product.part]] #: product.0.part.1
        volume = "2 mL" #: product.0.part.1.volume
        [[product]] #: product.1
        sku = "b" #: product.1.sku
        [[product.part]] #: product.1.part.0
        volume = "3 mL" #: product.1.part.0.volume
        [product.storage] #: product.1.storage
        low = "2 °C" #: product.1.storage.low
        """,
        '''\
        [[product]] #: product.0
        warnings = ["""
        one [ # " {
        """, #: nothing
          "two", #: product.0.warnings.1
          'three', # a comment ] with ] brackets
          "fo\\"ur", #: product.0.warnings.3
        ] # done
        notes = """ending in quotes\\""""" #: product.0.notes
        next = 1 #: product.0.next
        ''',
        """\
        notes = '''
        literal \\ with "quotes" ''
        x = 1
        '''
        next = 2 #: next
        other = ''''quoted'''' #: other
        last = 3 #: last
        """,
        """\
        composition = [ #: composition
          { name = "a", amount = "1" }, #: composition.0 composition.0.name composition.0.amount
          # { substance = "no" },
          { name = "b", equivalents = [ #: composition.1 composition.1.name composition.1.equivalents
              { of = "c", amount = "2 mg" }, #: composition.1.equivalents.0 composition.1.equivalents.0.of
              { amount = "3 mg" }, #: composition.1.equivalents.1 composition.1.equivalents.1.amount
          ] },
          {}, #: composition.2
          [], #: composition.3
        ]
        """,
        """\
        a.b.c = 1 #: a a.b a.b.c
        a.b.d = { x.y = 2 } #: a.b.d a.b.d.x a.b.d.x.y
        "quoted key".'other # key' . bare-key_1 = 3
        e = 4 #: e
        """,
        """\
        when = 2026-11-23 #: when
        then = 2026-11-23 10:20:30 #: then
        and = 2026-11-23T10:20:30Z #: and
        times = [10:20:30, 2026-01-01 10:00:00, 1_000, 0xFF, -1.5e3, inf, true] #: times times.1 times.6
        after = 1 #: after
        """,
        """\
        [a.b] #: a a.b
        x = 1 #: a.b.x
        [a] # a table defined after its child
        y = 2 #: a.y
        [ a . "c" ] #: a.c
        z = 3 #: a.c.z
        [[ d . e ]] #: d d.e.0
        [ d.e.f ] #: d.e.0.f
        """,
    ],
)
def test_every_key_and_element_has_the_line_in_which_it_begins(text: str) -> None:
    text = dedent(text)
    tomllib.loads(text)
    lines = line_numbers(text)
    wanted = {path: line for path, line in expected(text).items() if path != ("nothing",)}

    assert wanted
    assert {path: lines.get(path) for path in wanted} == wanted


def test_an_unknown_place_has_the_line_of_what_holds_it() -> None:
    lines = line_numbers('[[product]]\nsku = "a"\n[[product.part]]\nform = "gel"\n')

    assert line_of(lines, ("product", 0, "part", 0, "volume")) == 3
    assert line_of(lines, ("product", 0, "nowhere", 7)) == 1
    assert line_of(lines, ("nowhere",)) is None
    assert line_of({}, ()) is None


def test_a_byte_order_mark_and_windows_line_ends_change_no_line() -> None:
    text = '\ufeffa = 1\r\nb = """x\r\ny"""\r\nc = 2\r\n'

    assert line_numbers(text) == {("a",): 1, ("b",): 2, ("c",): 4}


@given(st.text(alphabet="ab=[]{}\"'.#,\\\n 1\t", max_size=60))
def test_a_text_that_is_no_toml_never_raises(text: str) -> None:
    line_numbers(text)


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "a = " + "[" * 100_000, "a = " + "{a=" * 50_000, '"""' * 3, "a = '"]
)
def test_deep_or_unfinished_junk_never_raises(text: str) -> None:
    line_numbers(text)


# ---- texts written by a machine that knows in which line it is ----

_KEYS = st.from_regex(r"\A[a-z]{1,4}\Z")
_SCALARS = st.one_of(
    st.integers(-99, 99),
    st.booleans(),
    st.text(alphabet="ab \n#[]{}=,.'\"\\", max_size=12),
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=8,
)


class _Writer:
    """Writes TOML in as many ways as the drawn choices allow, and notes the line of each path."""

    def __init__(self, data: st.DataObject) -> None:
        self.draw = data.draw
        self.text = ""
        self.lines: dict[tuple[str | int, ...], int] = {}

    def note(self, path: tuple[str | int, ...]) -> None:
        self.lines.setdefault(path, self.text.count("\n") + 1)

    def gap(self) -> None:
        """Write what may stand between the elements of an array."""
        self.text += self.draw(st.sampled_from(["", " ", "\n", " # ] } [ { \" ''' = \n", "\n\n\t"]))

    def string(self, value: str) -> None:
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        ways = ['"' + escaped.replace("\n", "\\n") + '"', '"""' + escaped + '"""', '"""\n' + escaped + '"""']
        if "'" not in value:
            ways.append("'''" + value + "'''")
            if "\n" not in value:
                ways.append("'" + value + "'")
        self.text += self.draw(st.sampled_from(ways))

    def value(self, value: Any, path: tuple[str | int, ...]) -> None:
        if isinstance(value, str):
            self.string(value)
        elif isinstance(value, list):
            self.text += "["
            for number, item in enumerate(value):
                self.gap()
                self.note((*path, number))
                self.value(item, (*path, number))
                self.gap()
                if number < len(value) - 1 or self.draw(st.booleans()):
                    self.text += ","
            self.gap()
            self.text += "]"
        elif isinstance(value, dict):
            self.text += "{ "
            for number, (key, item) in enumerate(value.items()):
                self.text += ", " if number else ""
                self.assignment(key, item, path)
            self.text += " }"
        else:
            self.text += str(value).lower()

    def assignment(self, key: str, value: Any, prefix: tuple[str | int, ...]) -> None:
        self.note((*prefix, key))
        self.text += self.draw(st.sampled_from([key, f'"{key}"', f"'{key}'"]))
        self.text += self.draw(st.sampled_from(["=", " = ", "\t=  "]))
        self.value(value, (*prefix, key))

    def table(self, table: dict[str, Any], prefix: tuple[str | int, ...]) -> None:
        for key, value in table.items():
            self.assignment(key, value, prefix)
            self.text += self.draw(st.sampled_from(["\n", " # x = [1]\n", "\n\n# [[y]]\n"]))


@given(st.data())
def test_the_lines_of_any_text_are_right(data: st.DataObject) -> None:
    writer = _Writer(data)
    writer.table(data.draw(st.dictionaries(_KEYS, _VALUES, max_size=3)), ())
    records = data.draw(st.lists(st.dictionaries(_KEYS, _VALUES, max_size=3), max_size=3))
    for number, record in enumerate(records):
        writer.note(("RECORD",))
        writer.note(("RECORD", number))
        writer.text += data.draw(
            st.sampled_from(["[[RECORD]]\n", "[[ RECORD ]] # [[no]]\n", '[["RECORD"]]\n'])
        )
        writer.table(record, ("RECORD", number))

    tomllib.loads(writer.text)
    assert line_numbers(writer.text) == writer.lines
