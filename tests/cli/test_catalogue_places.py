"""A folder of TOML files is enough: named in a variable or on the command line, or dropped in its place."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mesoformula.catalogue.places import VARIABLE, named_in, own_folder

PRODUCT = """
schema = 1
[vendor]
id = "{0}"
name = "{1}"
[[product]]
sku = "one"
name = "{1} One"
part = [{{ container = "vial", form = "solution", volume = "2 mL" }}]
source = [{{ kind = "IFU", where = "leaflet", read = 2026-01-02 }}]
"""


@pytest.fixture
def acme(write: Callable[[str, str], Path]) -> Path:
    return write("acme.toml", PRODUCT.format("acme", "Acme"))


@pytest.fixture
def dropped() -> Path:
    folder = own_folder()
    folder.mkdir(parents=True)
    return folder


def test_the_variable_names_files_and_folders(
    meso: Any, acme: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "more"
    folder.mkdir()
    (folder / "belle.toml").write_text(PRODUCT.format("belle", "Belle"))
    monkeypatch.setenv(VARIABLE, f"{acme}{os.pathsep}{os.pathsep} {folder}")

    assert "acme/one" in meso("products", "acme").out
    assert "belle/one" in meso("products", "belle").out


def test_a_home_folder_may_be_written_as_in_a_shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))

    assert named_in({VARIABLE: f"~/a{os.pathsep}~nobody-of-that-name/b"}) == (
        tmp_path / "a",
        Path("~nobody-of-that-name/b"),
    )
    assert named_in({}) == ()


def test_the_option_may_be_given_again(meso: Any, acme: Path, write: Any) -> None:
    belle = write("belle.toml", PRODUCT.format("belle", "Belle"))
    ran = meso("--catalogue", str(acme), "--catalogue", str(belle), "product", "belle/one", "--json")

    assert ran.code == 0
    assert ran.json["id"] == "belle/one"


def test_what_the_variable_names_and_nothing_holds_is_fatal_and_says_where_it_is_named(
    meso: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "nowhere.toml")
    ran = meso("products", "acme")

    assert ran.code == 3
    assert "nowhere.toml: [file] cannot be read" in ran.err
    assert f"({VARIABLE} names it)" in ran.err


def test_a_broken_file_that_the_variable_names_is_fatal_with_its_line(
    meso: Any, write: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("broken.toml", "schema = 1\nx = \n")
    monkeypatch.setenv(VARIABLE, "broken.toml")
    ran = meso("products", "biotin")

    assert ran.code == 3
    assert ran.err.startswith("broken.toml:2: [toml]")


def test_a_file_dropped_into_the_data_folder_is_read(meso: Any, dropped: Path, acme: Path) -> None:
    (dropped / "vendors").mkdir()
    acme.rename(dropped / "vendors" / "acme.toml")
    ran = meso("products", "acme")

    assert (ran.code, ran.err) == (0, "")
    assert "acme/one" in ran.out


def test_without_such_a_folder_or_with_an_empty_one_nothing_is_wrong(meso: Any) -> None:
    assert meso("zones").err == ""
    own_folder().mkdir(parents=True)
    assert meso("zones").err == ""


def test_a_broken_file_that_was_dropped_is_reported_and_the_rest_goes_on(
    meso: Any, dropped: Path, acme: Path
) -> None:
    acme.rename(dropped / "acme.toml")
    (dropped / "broken.toml").write_text("schema = 1\nx = \n")
    (dropped / "strange.toml").write_bytes(b"\xff")
    ran = meso("products", "acme")

    assert ran.code == 0
    assert "acme/one" in ran.out
    assert f"warning: {dropped / 'broken.toml'}:2: [toml]" in ran.err
    assert f"warning: {dropped / 'strange.toml'}:1: [encoding]" in ran.err


def test_where_everything_must_be_right_a_broken_file_that_was_dropped_is_fatal(
    meso: Any, dropped: Path
) -> None:
    (dropped / "broken.toml").write_text("schema = 1\nx = \n")
    ran = meso("--strict", "products", "acme")

    assert ran.code == 3
    assert f"{dropped / 'broken.toml'}:2: [toml]" in ran.err


def test_an_id_that_two_files_have_names_both_and_the_one_named_stands(
    meso: Any, dropped: Path, acme: Path
) -> None:
    (dropped / "other.toml").write_text(PRODUCT.format("acme", "Acme"))
    ran = meso("--catalogue", str(acme), "products", "acme")

    assert ran.code == 0
    assert (
        f"{dropped / 'other.toml'}:6: [duplicate] product 'acme/one@1' is also offered by {acme}:5" in ran.err
    )


def test_a_vendor_that_two_files_describe_differently_names_both(
    meso: Any, dropped: Path, acme: Path
) -> None:
    (dropped / "other.toml").write_text(PRODUCT.format("acme", "Acme Ltd").replace('"one"', '"two"'))
    ran = meso("--catalogue", str(acme), "products", "acme")

    assert (
        f"{dropped / 'other.toml'}:3: [duplicate] vendor 'acme' is described differently in {acme}:2"
        in ran.err
    )


def test_one_file_found_in_two_ways_is_read_once(
    meso: Any, dropped: Path, acme: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = acme.rename(dropped / "acme.toml")
    monkeypatch.setenv(VARIABLE, str(dropped))
    ran = meso("--catalogue", str(path), "products", "acme")

    assert (ran.code, ran.err) == (0, "")
