"""`catalogue check` says all that is wrong with files, whatever they are; `catalogue schema` their format."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from mesoformula.catalogue.jsonschema import json_schema

ROOT = Path(__file__).parents[2]
BUNDLED = ROOT / "catalogues" / "mesoformula_catalogues"
BROKEN = ROOT / "tests" / "data" / "broken"

VENDOR = """
schema = 1

[vendor]
id = "{0}"
name = "{0}"

[[product]]
sku = "one"
name = "{0} One"
part = [{{ container = "vial", form = "solution", volume = "2 mL" }}]
{1}
source = [{{ kind = "IFU", where = "leaflet", read = 2026-01-02 }}]
"""


@pytest.fixture
def vendor(write):
    return lambda name, more="": write(f"{name}.toml", VENDOR.format(name, more))


def test_the_bundled_catalogues_pass(meso):
    ran = meso("catalogue", "check", str(BUNDLED))
    files = len(list(BUNDLED.rglob("*.toml")))
    products = sum(path.read_text("utf-8").count("\n[[product]]\n") for path in BUNDLED.rglob("*.toml"))

    assert (ran.code, ran.err) == (0, "")
    assert ran.out == f"{files} files, {products} products, 0 problems\n"


def test_a_file_that_is_loaded_already_is_not_loaded_twice(meso, vendor):
    path = vendor("acme")
    for words in (("--catalogue", str(path)), ("--catalogue", str(path.parent)), ()):
        ran = meso(*words, "catalogue", "check", path.name, str(path), ".")
        assert (ran.code, ran.out) == (0, "1 file, 1 product, 0 problems\n")


def test_problems_of_all_files_are_said_sorted_by_path_and_line(meso, vendor):
    vendor("b", 'doses = "multi"\nmixing = "perhaps"')
    vendor("a", 'gtin = "05060131261974"\nroute = []\nin_use_period = "5,5 d"')
    ran = meso("catalogue", "check", ".")

    assert ran.code == 3
    assert [line.partition("]")[0] for line in ran.out.splitlines()] == [
        "a.toml:11: [gtin",
        "a.toml:12: [unknown-key",
        "a.toml:13: [decimal-comma",
        "b.toml:12: [word",
        "2 files, 2 products, 4 problems",
    ]
    assert "did you mean routes" in ran.out


def test_only_what_was_named_is_checked(meso, vendor):
    vendor("bad", 'mixing = "perhaps"')
    good = vendor("good")

    assert meso("catalogue", "check", good.name).code == 0


def test_a_product_of_one_file_may_hold_what_another_describes(meso, write, vendor):
    part = 'composition = [{{ substance = "{}", undisclosed = true }}]'
    held = VENDOR.replace('volume = "2 mL"', 'volume = "2 mL", ' + part.replace("{", "{{").replace("}", "}}"))
    for name in ("ascorbic-acid", "acmeine", "unheard-of"):
        write(f"{name}.toml", held.format(name, "").replace("{}", name).replace("{{", "{").replace("}}", "}"))
    write("substances.toml", 'schema = 1\n[[substance]]\nid = "acmeine"\nname = "Acmeine"\n')

    ran = meso("catalogue", "check", ".")
    assert ran.code == 3
    assert [line for line in ran.out.splitlines() if "[unknown-substance]" in line] == ran.out.splitlines()[
        :1
    ]
    assert ran.out.endswith("4 files, 3 products, 1 problem\n")


@pytest.mark.parametrize("path", sorted(BROKEN.glob("*.toml")), ids=lambda path: path.stem)
def test_every_broken_file_is_bad_data(meso, path):
    ran = meso("catalogue", "check", str(path))

    assert ran.code == 3
    assert ran.err == ""
    *lines, _counts = ran.out.splitlines()
    assert lines
    for line in lines:
        assert line.startswith(str(path))
        assert "[" in line


def test_json_tells_the_same(meso, vendor):
    vendor("acme", 'doses = "multi"')
    ran = meso("catalogue", "check", "acme.toml", "--json")

    assert ran.code == 3
    (problem,) = ran.json["problems"]
    assert (ran.json["files"], ran.json["products"]) == (1, 1)
    assert (problem["code"], problem["path"], problem["line"]) == ("in-use", "acme.toml", 11)
    assert "how long it keeps" in problem["message"]


class TestJunk:
    def test_what_is_not_there_is_a_problem(self, meso):
        ran = meso("catalogue", "check", "none.toml", "nor/this")

        assert ran.code == 3
        assert ran.out.splitlines()[0].startswith("none.toml: [file] cannot be read")
        assert ran.out.splitlines()[1].startswith("nor/this: [file] cannot be read")

    @pytest.mark.parametrize(
        "content",
        [b"\xff\xfe\x00", b"\x00", b"", b"schema", b"PK\x03\x04", b"schema = 1\nschema = 1", b"[" * 50_000],
        ids=lambda content: repr(content[:8]),
    )
    def test_bytes_are_a_problem(self, meso, write, content):
        path = write("junk.toml", "")
        path.write_bytes(content)
        ran = meso("catalogue", "check", "junk.toml")

        assert ran.code == 3
        assert ran.out.startswith("junk.toml")
        assert ran.out.endswith("1 file, 0 products, 1 problem\n")
        assert ran.err == ""

    def test_a_large_file_is_a_problem(self, meso, write):
        with write("large.toml", "").open("wb") as stream:
            stream.truncate(100_000_000)
        ran = meso("catalogue", "check", ".")

        assert ran.code == 3
        assert "large.toml: [file] larger than 5 MB" in ran.out

    def test_folders_without_a_catalogue_or_named_like_one_are_a_problem(self, meso):
        Path("empty").mkdir()
        Path("folder.toml").mkdir()
        ran = meso("catalogue", "check", "empty", ".")

        assert ran.code == 3
        assert "empty: [file] holds no .toml file" in ran.out
        assert "folder.toml: [file] no regular file" in ran.out
        assert ran.out.endswith("0 files, 0 products, 2 problems\n")

    def test_a_device_is_a_problem_and_never_an_end(self, meso):
        assert meso("catalogue", "check", "/dev/zero").code == 3

    def test_names_of_files_cannot_steer_a_terminal(self, meso):
        Path("a\x1b[31m.toml").write_text("schema = 2")
        ran = meso("catalogue", "check", ".")

        assert ran.code == 3
        assert "\x1b" not in ran.out

    def test_nothing_at_all_is_wrong_usage(self, meso):
        assert meso("catalogue", "check").code == 2


class TestPlugins:
    CHECKS = """
        from mesoformula import Problem, hookimpl

        @hookimpl
        def mesoformula_check_product(product):
            if product.vendor.id == "acme":
                yield Problem("too-dear", "costs too much")
    """

    def test_their_checks_count_and_are_placed_at_the_product(self, meso, vendor, install_plugin):
        install_plugin("prices", self.CHECKS)
        vendor("acme")
        vendor("belle")
        ran = meso("catalogue", "check", ".")

        assert ran.code == 3
        assert ran.out.splitlines()[0] == (
            "acme.toml:7: [too-dear] product acme/one: costs too much (plugin prices (fake-prices 1.0))"
        )
        assert meso("catalogue", "check", "belle.toml").code == 0

    def test_a_check_that_fails_is_said(self, meso, vendor, install_plugin):
        install_plugin("prices", self.CHECKS.replace("yield", "1 / 0; yield"))
        vendor("acme")
        ran = meso("catalogue", "check", "acme.toml")

        assert ran.code == 3
        (line,) = ran.out.splitlines()[:-1]
        assert "[check-failed] product acme/one: a check of plugin prices" in line
        assert (line.count("acme/one"), line.count("(fake-prices 1.0)")) == (1, 1)
        assert "ZeroDivisionError" in ran.err

    def test_their_classes_stand_in_the_schema(self, meso, install_plugin):
        install_plugin(
            "peptides",
            """
            import attrs
            from mesoformula import IngredientClass, hookimpl
            from mesoformula.fields import Text, written

            @attrs.frozen
            class Peptide:
                sequence: str = attrs.field(default=None, metadata=written(Text(), "Its amino acids."))

            @hookimpl
            def mesoformula_ingredient_classes():
                return [IngredientClass("peptide", "peptide", "signals", Peptide)]
            """,
        )
        schema = meso("catalogue", "schema").json

        assert schema["$defs"]["Substance"]["properties"]["peptide"] == {"$ref": "#/$defs/Peptide"}


class TestSchema:
    def test_it_is_printed(self, meso):
        assert meso("catalogue", "schema").json == json_schema()

    def test_it_is_written_and_never_over_something_else_unasked(self, meso):
        assert meso("catalogue", "schema", "out.json").code == 0
        assert json.loads(Path("out.json").read_text("utf-8")) == json_schema()
        Path("out.json").write_text("mine")
        ran = meso("catalogue", "schema", "out.json")
        assert ran.code == 2
        assert "--replace" in ran.err
        assert Path("out.json").read_text("utf-8") == "mine"
        assert meso("catalogue", "schema", "out.json", "--replace").code == 0
        assert Path("out.json").read_text("utf-8") != "mine"

    def test_a_folder_is_wrong_usage(self, meso):
        assert meso("catalogue", "schema", ".").code == 2

    def test_where_nothing_can_be_written_is_one_line(self, meso):
        ran = meso("catalogue", "schema", "none/out.json")

        assert ran.code == 3
        assert ran.err.count("\n") == 1


def test_a_changed_copy_of_a_bundled_file_is_a_double(meso):
    shutil.copy(BUNDLED / "zones.toml", "zones.toml")
    ran = meso("catalogue", "check", "zones.toml")

    assert ran.code == 3
    assert "[duplicate] zone 'face' is also offered by" in ran.out
