"""What a session may name is listed, with who says so."""

from __future__ import annotations

from typing import Any

import pytest

LISTS = ["formulas", "zones", "techniques", "protocols", "syringes"]


@pytest.mark.parametrize("command", LISTS)
def test_every_list_prints_text_and_json(meso: Any, command: str) -> None:
    text, data = meso(command), meso(command, "--json").json

    assert (text.code, text.err) == (0, "")
    assert data
    for one in data:
        assert one["id"] in text.out


@pytest.mark.parametrize("command", LISTS)
def test_lines_fit_the_terminal_but_for_addresses(meso: Any, command: str) -> None:
    long = [line for line in meso(command).out.splitlines() if len(line) > 80]

    assert all("http" in line or "/" in line for line in long)


def test_conflicting_sources_of_a_technique_stand_side_by_side(meso: Any) -> None:
    out = " ".join(meso("techniques", "nappage").out.split())

    assert "2 mm to 4 mm deep" in out
    assert "two thirds of the bevel" in out
    assert out.index("beautytrainingportal") < out.index("mesoderm.es") < out.index("The first source gives")


def test_no_zone_has_an_area_and_the_hand_has_an_aid_with_its_source(meso: Any) -> None:
    zones = meso("zones", "--json").json
    hands = " ".join(meso("zones", "hand").out.split())

    assert not any("area" in key for zone in zones for key in zone)
    assert "0.87 % of the body surface" in hands
    assert "https://pubmed.ncbi.nlm.nih.gov/23448271/" in hands


def test_a_protocol_says_how_often_how_far_apart_and_who_says_so(meso: Any) -> None:
    out = " ".join(meso("protocols", "meso-lift").out.split())

    assert "4 to 6 sessions, 2 weeks apart, then every 1 month" in out
    assert "steps: remove make-up; cleanse" in out
    assert "CLINIC:" in out


def test_a_product_lists_its_protocols_and_formulas(meso: Any) -> None:
    out = " ".join(meso("product", "ibsa/profhilo-2ml").out.split())

    assert "profhilo-bap" in out
    assert "Formulas with it: profhilo-2ml-session" in out


def test_formulas_are_found_by_the_products_in_them(meso: Any) -> None:
    found = [one["id"] for one in meso("formulas", "profhilo", "--json").json]

    assert "profhilo-2ml-session" in found


def test_what_is_not_found_leads_back_to_the_list(meso: Any) -> None:
    nothing = meso("zones", "xyzzy")

    assert nothing.code == 0
    assert nothing.out == "no zone found; list them all with: mesoformula zones\n"
