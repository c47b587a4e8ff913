"""Finding products and substances by what people call them."""

from __future__ import annotations

from typing import Any

import pytest


def ids(found: list[dict[str, Any]]) -> list[str]:
    return [one["id"] for one in found]


@pytest.mark.parametrize(
    ("typed", "first", "kind"),
    [
        ("Chanel injection", "fillmed/nctf-135", "nickname"),
        ("chanél INJECTION", "fillmed/nctf-135", "nickname"),
        ("profilo", "ibsa/profhilo-1ml", "name"),
        ("05060131261973", "torbay/magnesium-sulfate-50-10ml", "GTIN"),
        ("50-81-7", "phoenix-labs/ascorbic-acid-500", "CAS"),
        ("soluvit", "fresenius-kabi/soluvit-n", "name"),
        ("Kalceks", "kalceks/magnesium-sulfate-50-10ml", "vendor"),
    ],
)
def test_a_product_is_found_and_what_matched_is_said(meso: Any, typed: str, first: str, kind: str) -> None:
    found = meso("products", typed, "--json").json

    assert found[0]["id"] == first
    assert found[0]["matched"]["kind"] == kind


def test_a_nickname_lists_all_who_bear_it(meso: Any) -> None:
    found = ids(meso("products", "Chanel injection", "--json").json)

    assert {"fillmed/nctf-135", "fillmed/nctf-135ha"} <= set(found)


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("vitamin C", "ascorbic-acid"),
        ("ascorbate", "sodium-ascorbate"),
        ("50-81-7", "ascorbic-acid"),
        ("Ascorbic acid", "ascorbic-acid"),
        ("hyaluornic acid", "hyaluronic-acid"),
        ("S270N0TRQY", "hyaluronic-acid"),
    ],
)
def test_the_best_substance_comes_first(meso: Any, typed: str, first: str) -> None:
    assert meso("substances", typed, "--json").json[0]["id"] == first


def test_what_holds_a_substance_is_listed_with_how_much(meso: Any) -> None:
    found = meso("products", "--substance", "ascorbic-acid", "--json").json
    (soluvit,) = [one for one in found if one["id"] == "fresenius-kabi/soluvit-n"]

    assert soluvit["holds"] == [
        {
            "substance": "sodium-ascorbate",
            "part": None,
            "per_container": {"kind": "stated", "value": "113", "unit": "mg"},
            "per_mL": {"kind": "stated", "value": "11.3", "unit": "mg/mL"},
            "as_published": soluvit["holds"][0]["as_published"],
        }
    ]
    text = meso("products", "--substance", "ascorbic-acid").out
    assert "113 mg" in text
    assert "11.3 mg/mL" in text


def test_products_are_narrowed_by_route_region_and_what_is_known(meso: Any) -> None:
    intradermal = meso("products", "--route", "intradermal", "--json").json
    unsaid = meso("products", "--route", "not-stated", "--json").json
    disputed = meso("products", "--disputed", "--json").json
    hidden = meso("products", "--undisclosed", "--json").json
    france = meso("products", "--region", "gb", "--json").json

    assert intradermal
    assert all("intradermal" in one["routes"] for one in intradermal)
    assert unsaid
    assert all(one["routes"] == [] for one in unsaid)
    assert "ibsa/profhilo-structura" in ids(disputed)
    assert all(one["amounts"]["disputed"] for one in disputed)
    assert "fillmed/nctf-135ha" in ids(hidden)
    assert all(one["amounts"]["undisclosed"] for one in hidden)
    assert all("GB" in one["regions"] for one in france)


def test_an_unknown_substance_or_route_is_refused_with_what_is_near(meso: Any) -> None:
    substance = meso("products", "--substance", "ascorbic-acit")
    route = meso("products", "--route", "dermal")

    assert (substance.code, route.code) == (2, 2)
    assert "ascorbic-acid" in substance.err
    assert "intradermal" in route.err
