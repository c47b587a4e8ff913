"""The file that a vendor begins with is right as it stands, and still is with every field switched on."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mesoformula.catalogue.files import CatalogueFile, parse
from mesoformula.catalogue.starting import starter
from mesoformula.errors import Problem
from mesoformula.formulary import Formulary

TODAY = date(2026, 11, 23)
BUNDLED = Path(__file__).parents[2] / "catalogues" / "mesoformula_catalogues"


def checked(text: str) -> list[Problem]:
    formulary = Formulary()
    formulary.add_catalogue(BUNDLED)
    parsed = parse(text.encode(), "acme.toml")
    assert isinstance(parsed, CatalogueFile), parsed
    formulary.add_file(parsed)
    return [problem for problem in formulary.check([parsed]) if problem.path == "acme.toml"]


def switched_on(text: str) -> str:
    return re.sub(r"^#(?=[^ #\n]|  \{)", "", text, flags=re.MULTILINE)


def test_it_passes_the_check_as_it_stands() -> None:
    assert checked(starter("acme", "Acme", today=TODAY)) == []


def test_it_passes_the_check_with_every_field_switched_on() -> None:
    text = switched_on(starter("acme", "Acme", today=TODAY))

    assert checked(text) == []
    assert [product["sku"] for product in tomllib.loads(text)["product"]] == [
        "example",
        "example-powder",
        "example-kit",
    ]


def test_every_field_that_matters_stands_in_it() -> None:
    text = switched_on(starter("acme", "Acme", today=TODAY))
    fields = (
        "containers_per_pack routes kind status doses in_use_period stability_after_preparation mixing gtin "
        "storage volume mass reconstitution composition undisclosed disputed auxiliaries source revision "
        "corrected nicknames contraindications warnings"
    )

    assert [word for word in fields.split() if not re.search(rf"\b{word}\b", text)] == []


def test_no_amount_is_switched_on() -> None:
    (product,) = tomllib.loads(starter("acme", "Acme", today=TODAY))["product"]
    (part,) = product["part"]

    assert part == {"container": "not stated", "form": "not stated"}


@given(st.text(min_size=1, max_size=60).filter(str.isprintable), st.lists(st.text(max_size=20), max_size=2))
def test_any_name_stands_in_it_as_it_is(name: str, synonyms: list[str]) -> None:
    text = starter("acme", name, today=TODAY, synonyms=synonyms, file=f"{name}.toml")
    vendor: dict[str, Any] = tomllib.loads(text)["vendor"]

    assert vendor["name"] == name
    assert vendor.get("synonyms", []) == synonyms


def test_a_name_that_looks_like_a_mark_is_not_filled_in(make_catalogue: Callable[..., Any]) -> None:
    made = make_catalogue(starter("acme", "{TODAY} {ID}", today=TODAY))

    assert made.formulary.vendors[0].name == "{TODAY} {ID}"
