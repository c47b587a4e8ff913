"""
The test of the tests: a plugin that breaks one rule fails that rule.

Each plugin of ours is copied under another name; as it is, it passes every rule, after one edit it does not.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path

import attrs
import pytest

from mesoformula.testing.locating import located
from mesoformula.testing.reports import check_plugin, rules_of
from mesoformula.testing.rules import State, Verdict, judged
from mesoformula.testing.subject import Subject

ROOT = Path(__file__).parents[2]

_numbers = count()

Copy = Callable[..., Path]


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    """Copies a plugin of ours, under a name that no other copy has, and edits it."""

    def make(name: str, file: str = "__init__.py", old: str = "", new: str = "") -> Path:
        original = f"mesoformula_{name}"
        copied = tmp_path / f"copied_{next(_numbers)}_{name}"
        shutil.copytree(ROOT / "plugins" / original, copied, ignore=shutil.ignore_patterns("__pycache__"))
        for path in copied.rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            path.write_text(text.replace(original, copied.name), encoding="utf-8")
        edited = copied / file
        text = edited.read_text(encoding="utf-8")
        assert text.count(old or "\n") >= 1, f"{file} has changed: {old!r} is not in it"
        edited.write_text(text.replace(old, new) if old else text + new, encoding="utf-8")
        return copied

    return make


def verdict(path: Path, code: str, tmp_path: Path) -> Verdict:
    """Try one rule on the plugin in a folder."""
    (rule,) = [one for one in rules_of() if one.code == code]
    folder = tmp_path / "files"
    folder.mkdir()
    with located(str(path)) as (found,):
        assert not found.failure
        return judged(rule, Subject(found.plugin, found.info, folder, found.reference))


@pytest.mark.parametrize("name", ["formulary", "quantities", "safety", "excel", "plain"])
def test_an_unchanged_copy_passes_every_rule(copy: Copy, name: str) -> None:
    with located(str(copy(name))) as (found,):
        report = check_plugin(found.plugin, found.info, reference=found.reference)

    assert [(one.rule.code, one.problems) for one in report.verdicts if one.state is State.FAILED] == []
    assert report.count(State.PASSED) >= 11


@attrs.frozen
class Mutation:
    """One edit that breaks one rule; without `old` the new text is appended."""

    about: str
    rule: str
    plugin: str
    new: str
    old: str = ""
    file: str = "__init__.py"

    def __str__(self) -> str:
        return f"{self.rule}-{self.about.replace(' ', '-')}"


WORK_OUT = "    return work_out(session, formulary)"
CHECK = "    return check(session, quantities, formulary, session.on or today)"
INJECTED = "ml(needed.injected)"
DOSES = "_doses(planned, figures.doses)"
EDITED = """

def _edited(original):
    import attrs
    import time

    @hookimpl
    def {hook}({argument}):
{body}
    return {hook}


{hook} = _edited({hook})
"""


def sheets(*lines: str) -> str:
    """Write an edit of what becomes of each sheet of a plugin."""
    body = "        for sheet in original(request):\n" + "".join(f"            {line}\n" for line in lines)
    return EDITED.format(hook="mesoformula_sheets", argument="request", body=body)


def zone(made: str) -> str:
    """Write an edit that offers a zone."""
    return (
        "\n\n@hookimpl\ndef mesoformula_zones():\n"
        f"    import secrets\n    from mesoformula import Zone\n    return [{made}]\n"
    )


MUTATIONS = [
    Mutation("prints", "prints", "quantities", f'    print("working")\n{WORK_OUT}', WORK_OUT),
    Mutation(
        "prints on the other stream", "prints", "safety", f"    import os; os.write(2, b'x')\n{CHECK}", CHECK
    ),
    Mutation("prints while imported", "prints", "quantities", '\nprint("hello")\n'),
    Mutation(
        "keeps a log",
        "writes",
        "quantities",
        f"    from pathlib import Path; Path(__file__).with_name('log').write_text('x')\n{WORK_OUT}",
        WORK_OUT,
    ),
    Mutation(
        "opens a socket",
        "network",
        "quantities",
        f"    import socket; socket.socket().close()\n{WORK_OUT}",
        WORK_OUT,
    ),
    Mutation(
        "sets a variable", "programs", "safety", f"    import os; os.environ['KIT'] = '1'\n{CHECK}", CHECK
    ),
    Mutation(
        "changes the session",
        "mutates",
        "safety",
        f"    object.__setattr__(session, 'conditions', ('pregnancy',))\n{CHECK}",
        CHECK,
    ),
    Mutation(
        "numbers its answers",
        "repeats",
        "safety",
        "    import itertools\n    import attrs\n"
        "    global _n; _n = globals().get('_n', 0) + 1\n"
        "    found = check(session, quantities, formulary, session.on or today)\n"
        "    return [attrs.evolve(one, message=f'{one.message} {_n}') for one in found]",
        CHECK,
    ),
    Mutation(
        "orders doses by chance of the hash",
        "processes",
        "quantities",
        f"tuple(sorted({DOSES}, key=lambda one: hash(one.substance)))",
        f"        {DOSES}",
        "answer.py",
    ),
    Mutation(
        "misspells a hook",
        "hooks",
        "safety",
        "def mesoformula_check_sessions(",
        "def mesoformula_check_session(",
    ),
    Mutation(
        "names an argument wrongly", "hooks", "safety", "(\n    patient: Session,", "(\n    session: Session,"
    ),
    Mutation("answers with text", "answers", "safety", "    return ['all is well']", CHECK),
    Mutation(
        "adds a millilitre", "quantities-scaling", "quantities", "ml(volume + 1)", "ml(volume)", "answer.py"
    ),
    Mutation(
        "injects a mass",
        "quantities-dimensions",
        "quantities",
        "quantities_in('mg')(needed.injected)",
        INJECTED,
        "answer.py",
    ),
    Mutation(
        "answers with a binary float",
        "quantities-dimensions",
        "quantities",
        "__import__('mesoformula').registry().Quantity(float(needed.injected), 'mL')",
        INJECTED,
        "answer.py",
    ),
    Mutation(
        "forgets the loss",
        "quantities-sums",
        "quantities",
        "ml(needed.lost * 2)",
        "ml(needed.lost)",
        "answer.py",
    ),
    Mutation(
        "takes undisclosed for zero",
        "quantities-known",
        "quantities",
        "prepared = injected = Amount(kind, ml_of_nothing(), ml_of_nothing())",
        "prepared = injected = Amount(kind)",
        "answer.py",
    ),
    Mutation(
        "answers another session",
        "quantities-asked",
        "quantities",
        "    import attrs\n    return work_out(attrs.evolve(session, points=None, volume_per_point=None),"
        " formulary)",
        WORK_OUT,
    ),
    Mutation(
        "stumbles over a formula without lines",
        "quantities-impossible",
        "quantities",
        f"    session.formula.lines[0]\n{WORK_OUT}",
        WORK_OUT,
    ),
    Mutation(
        "sleeps", "quantities-time", "quantities", f"    import time; time.sleep(0.1)\n{WORK_OUT}", WORK_OUT
    ),
    Mutation(
        "divides by the age",
        "checks-junk",
        "safety",
        f"    session.age is not None and 1 // session.age\n{CHECK}",
        CHECK,
    ),
    Mutation(
        "finds in sentences",
        "checks-words",
        "safety",
        'Finding("Rules were checked!"',
        'Finding("rules-checked"',
        "checking.py",
    ),
    Mutation(
        "sleeps while checking", "checks-time", "safety", f"    import time; time.sleep(0.1)\n{CHECK}", CHECK
    ),
    Mutation(
        "offers a zone of no source", "catalogue-sources", "formulary", zone("Zone('kit-zone', 'zone', ())")
    ),
    Mutation(
        "makes ids by chance",
        "catalogue-ids",
        "formulary",
        zone("Zone(f'kit-{secrets.token_hex(4)}', 'zone', ())"),
    ),
    Mutation("names a zone for people", "names", "formulary", zone("Zone('My Zone!', 'zone', ())")),
    Mutation(
        "sleeps over a catalogue",
        "catalogue-time",
        "formulary",
        '    import time; time.sleep(1)\n    return (files("mesoformula_catalogues") / "zones.toml",)',
        '    return (files("mesoformula_catalogues"),)',
    ),
    Mutation(
        "measures a syringe in milligrams",
        "catalogue-figures",
        "formulary",
        "\n\n@hookimpl\ndef mesoformula_products():\n"
        "    from mesoformula import ContainerKind, Form, Part, Product, Vendor, quantity\n"
        "    part = Part(ContainerKind.VIAL, Form.SOLUTION, volume=quantity(5, 'mg'))\n"
        "    return [Product(Vendor('kit', 'Kit'), 'kit', 'Kit', (part,), ())]\n",
    ),
    Mutation(
        "names a folder that is not there",
        "catalogue-reads",
        "formulary",
        'files("mesoformula_catalogues") / "not-there"',
        'files("mesoformula_catalogues")',
    ),
    Mutation(
        "writes in place",
        "export-whole",
        "plain",
        'with path.open("w", encoding=_ENCODING, newline="") as target:',
        "with placed(path, _ENCODING) as target:",
        "csv_files.py",
    ),
    Mutation("cuts texts", "export-texts", "plain", "_text(value[:3]) if", "_text(value) if", "csv_files.py"),
    Mutation(
        "leaves a log beside the file",
        "export-file",
        "plain",
        "    write_csv(sheets, path)\n    path.with_suffix('.log').write_text('x')\n",
        "    write_csv(sheets, path)\n",
    ),
    Mutation(
        "sleeps while writing",
        "export-time",
        "plain",
        "\n\n_late = _write_csv\n\n\ndef _write_csv(sheets, path):\n"
        "    import time; time.sleep(5)\n    _late(sheets, path)\n",
    ),
    Mutation(
        "puts a formula in a note",
        "sheets-formulas",
        "excel",
        sheets("yield attrs.evolve(sheet, notes=('=1+1',))"),
    ),
    Mutation(
        "shows a binary float",
        "sheets-values",
        "excel",
        sheets("yield attrs.evolve(sheet, facts=(('Share', 0.1),))"),
    ),
    Mutation(
        "drops a cell",
        "sheets-shape",
        "excel",
        sheets(
            "rows = tuple(attrs.evolve(one, values=one.values[1:]) for one in sheet.rows)",
            "yield attrs.evolve(sheet, rows=rows)",
        ),
    ),
    Mutation(
        "takes the time",
        "repeats",
        "excel",
        sheets("yield attrs.evolve(sheet, notes=(str(time.time_ns()),))"),
    ),
    Mutation(
        "answers to every topic",
        "sheets-topics",
        "excel",
        sheets("yield sheet").replace(
            "    return mesoformula_sheets",
            "        from mesoformula import Sheet\n        yield Sheet('kit-any', 'Any')\n\n"
            "    return mesoformula_sheets",
        ),
    ),
    Mutation(
        "stumbles over an empty stock",
        "sheets-junk",
        "excel",
        sheets("request.stock is None or request.stock.on_hand[0]", "yield sheet"),
    ),
    Mutation(
        "sleeps over a sheet",
        "sheets-time",
        "excel",
        sheets("time.sleep(sheet.key == 'stock')", "yield sheet"),
    ),
    Mutation(
        "raises as it likes",
        "import-junk",
        "excel",
        "\n\n_strict = _read\n\n\ndef _read(path):\n    try:\n        return _strict(path)\n"
        "    except Exception as err:\n        raise ValueError('no workbook') from err\n",
    ),
    Mutation(
        "reads nothing",
        "import-grids",
        "excel",
        "\n\n_strict = _read\n\n\ndef _read(path):\n    return _strict(path)[:0]\n",
    ),
    Mutation(
        "offers a name of the core",
        "offers",
        "excel",
        EDITED.format(
            hook="mesoformula_importers",
            argument="",
            body="        from mesoformula import Importer\n"
            "        return [Importer('.csv', 'ours', _read)]\n",
        ),
    ),
    Mutation(
        "leaves a check out without a word",
        "checks-sources",
        "safety",
        "Finding('patient-not-asked', Severity.UNCHECKED, situation.subject, 'no')",
        'Finding("patient-not-asked", Severity.UNCHECKED, situation.subject, text, (), facts)',
        "checking.py",
    ),
]


@pytest.mark.parametrize(
    "mutation",
    [pytest.param(one, id=str(one), marks=[pytest.mark.slow] * ("sleep" in one.new)) for one in MUTATIONS],
)
def test_a_plugin_that_breaks_a_rule_fails_it(mutation: Mutation, copy: Copy, tmp_path: Path) -> None:
    new = mutation.new.replace("ml_of_nothing()", "__import__('mesoformula').quantity(0, 'mg')")
    path = copy(mutation.plugin, mutation.file, mutation.old, new)

    found = verdict(path, mutation.rule, tmp_path)

    assert found.state is State.FAILED, found
    assert all(problem.code == mutation.rule for problem in found.problems)
    assert not any("trying the rule ended" in problem.message for problem in found.problems), found.problems


def test_every_rule_that_our_plugins_meet_is_broken_by_a_mutation() -> None:
    """What no plugin of ours is, `test_kit_policies` and `test_kit_classes` break."""
    broken = {one.rule for one in MUTATIONS}
    elsewhere = {one.code for one in rules_of() if one.kind in ("lot choice", "ingredient class")}

    assert {one.code for one in rules_of()} - broken - elsewhere == set()
