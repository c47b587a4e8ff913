"""The rules for plugins that offer products or check them, tried on those of a small vendor."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from mesoformula.testing import Report, reports_of
from mesoformula.testing.rules import State

PLUGIN = """
    from importlib.resources import files
    from mesoformula import Problem, hookimpl

    @hookimpl
    def mesoformula_catalogues():
        return [files(__name__) / "catalogue.toml"]

    @hookimpl
    def mesoformula_check_product(product):
        if product.vendor.id == "acme" and not product.gtin:
            yield Problem("acme-gtin", f"product {product.id}: our products bear a GTIN")
    """

CATALOGUE = """
    schema = 1

    [vendor]
    id = "acme"
    name = "Acme Laboratories"

    [[product]]
    sku = "c-500"
    name = "Acme Vitamin C 500 mg"

    [[product.part]]
    container = "ampoule"
    form = "solution"
    volume = "5 mL"
    composition = [{ substance = "ascorbic-acid", amount = "500 mg/5 mL" }]

    [[product.source]]
    kind = "IFU"
    where = "https://acme.example/c-500"
    read = 2026-11-23

    [[formula]]
    id = "acme-c"
    name = "Acme C"

    [[formula.line]]
    product = "acme/c-500"
    volume = "2 mL"

    [[formula.source]]
    kind = "IFU"
    where = "https://acme.example/c-500"
    read = 2026-11-23
    """

Tried = Callable[..., Report]


@pytest.fixture
def tried(tmp_path: Path) -> Tried:
    """Tries a vendor's plugin after one edit of its files."""

    def check(old: str = "", new: str = "") -> Report:
        folder = tmp_path / "acme_vendor"
        folder.mkdir()
        for name, text in (("__init__.py", PLUGIN), ("catalogue.toml", CATALOGUE)):
            (folder / name).write_text(dedent(text).replace(old, new) if old else dedent(text), "utf-8")
        (report,) = reports_of(str(folder))
        return report

    return check


def failed(report: Report) -> dict[str, str]:
    return {
        one.rule.code: "\n".join(problem.message for problem in one.problems)
        for one in report.verdicts
        if one.state is State.FAILED
    }


def test_a_right_catalogue_passes_every_rule(tried: Tried) -> None:
    report = tried()

    assert failed(report) == {}
    assert report.hooks == ("mesoformula_catalogues", "mesoformula_check_product")
    assert report.count(State.PASSED) == 20


@pytest.mark.parametrize(
    ("old", "new", "rule", "said"),
    [
        ('volume = "5 mL"', 'volume = "5 mg"', "catalogue-reads", "catalogue.toml:15: [dimension]"),
        ("ascorbic-acid", "ascorbic-acidd", "catalogue-reads", "ascorbic-acidd"),
        ('id = "acme-c"', 'id = "procaine-wheal"', "catalogue-reads", "is also offered by"),
        ('"catalogue.toml"', '"not-there.toml"', "catalogue-reads", "cannot be read"),
        ("not product.gtin", "product.gtin[0]", "checks-junk", "raised TypeError"),
        ('Problem("acme-gtin"', 'Problem("No GTIN!"', "checks-words", "No GTIN!"),
    ],
)
def test_a_wrong_catalogue_or_check_fails_the_rule_that_it_breaks(
    tried: Tried, old: str, new: str, rule: str, said: str
) -> None:
    found = failed(tried(old, new))

    assert said in found[rule]
