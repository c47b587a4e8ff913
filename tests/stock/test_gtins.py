"""What a GTIN stands for."""

from __future__ import annotations

import attrs
import pytest
from biip.gtin import Gtin

from mesoformula.errors import OrderError, UnknownNameError
from mesoformula.formulary import Formulary
from mesoformula.stock.arrivals.gtins import (
    KnownGtin,
    Level,
    in_catalogue,
    known_gtins,
    meaning_of,
    read_gtin,
    received_before,
    teach,
)
from mesoformula.stock.arrivals.receiving import receive
from mesoformula.stock.ledger.verifying import verify
from mesoformula.stock.records import Delivery, Order
from mesoformula.stock.views.reading import stock_view

WHO = Order("ana")
#: GS1's own numbers for examples.
FREE = "09506000134352"
OTHER = "09506000134369"


@attrs.define
class Products:
    """As much of a formulary as is asked here: products by id, found by what their GTIN holds."""

    known: dict

    def product(self, name):
        if name not in self.known:
            raise UnknownNameError("product", name)
        return self.known[name]

    def find_products(self, text):
        return [
            attrs.make_class("Found", ["record"])(one)
            for one in self.known.values()
            if text in (one.gtin or "")
        ]


@pytest.fixture
def products(make_product):
    plain = make_product()
    packed = make_product("packed", gtin="5060131261973", containers_per_pack=5)
    open_ = make_product("open", gtin="4012345678901")
    return Products({one.id: one for one in (plain, packed, open_)})


def refused(call):
    with pytest.raises(OrderError) as caught:
        call()
    return [problem.message for problem in caught.value.problems]


@pytest.fixture
def learn(store, products):
    def call(gtin=FREE, product="acme/c-500", containers=2, level=Level.PACK, order=WHO):
        return teach(store, products, gtin, product, containers=containers, level=level, order=order)

    yield call
    assert verify(store).problems == ()


@pytest.mark.parametrize("text", ["9506000134352", "09506000134352", " 09506000134352 ", "96385074"])
def test_a_gtin_is_read_in_14_digits(text):
    assert read_gtin(text) == Gtin.parse(text.strip()).as_gtin_14()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("09506000134353", "the check digit is wrong; compare it with the pack"),
        ("0950600013435", "the check digit is wrong"),
        ("123", "'123' is no GTIN; expected 8, 12, 13 or 14 digits"),
        ("0950600013435²", "is no GTIN"),
        ("0" * 14, "is no GTIN"),
        ("x\x1b[31m" * 999, "is no GTIN"),
    ],
)
def test_what_is_no_gtin_is_refused(text, said):
    (message,) = refused(lambda: read_gtin(text))
    assert said in message
    assert message.isprintable()


def test_what_is_taught_is_known_from_then_on(store, learn, products):
    assert known_gtins(store) == {}
    learn("9506000134352")
    meaning = KnownGtin(FREE, "acme/c-500", 2, Level.PACK)
    assert known_gtins(store) == {FREE: meaning}
    assert meaning_of(products, known_gtins(store), FREE) == meaning
    learn(containers=20, level=Level.CASE)
    assert known_gtins(store)[FREE] == KnownGtin(FREE, "acme/c-500", 20, Level.CASE)
    learn(OTHER, containers=1, level=Level.CONTAINER)
    assert set(known_gtins(store)) == {FREE, OTHER}


def test_the_same_request_twice_changes_nothing(store, learn):
    once = attrs.evolve(WHO, request_id="g")
    first = learn(order=once)
    assert learn(order=once) == attrs.evolve(first, repeated=True)
    assert "stands for that already" in refused(learn)[0]


def test_the_catalogue_knows_the_gtin_of_the_pack(products):
    (packed,) = in_catalogue(products, "05060131261973")
    assert packed.id == "acme/packed"
    assert in_catalogue(products, FREE) == in_catalogue(products, "0" * 14) == ()
    assert meaning_of(products, {}, "05060131261973") == KnownGtin(
        "05060131261973", "acme/packed", 5, Level.PACK
    )
    assert meaning_of(products, {}, "04012345678901") == KnownGtin(
        "04012345678901", "acme/open", None, Level.PACK
    )
    assert meaning_of(products, {}, FREE) is None


def test_how_many_are_in_a_pack_can_be_taught_where_the_catalogue_does_not_say(store, learn, products):
    learn("4012345678901", "acme/open", 12)
    assert meaning_of(products, known_gtins(store), "04012345678901").containers == 12


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"product": "acme/c-500"}, "the catalogue says that it is that of acme/packed, not of acme/c-500"),
        ({"containers": 4}, "that of a pack of 5, not of 4"),
        ({"level": Level.CASE, "containers": 5}, "that of a pack of acme/packed, not of a case"),
    ],
)
def test_what_contradicts_the_catalogue_is_refused(store, learn, changes, said):
    given = {"gtin": "5060131261973", "product": "acme/packed", "containers": 5, **changes}
    (message,) = refused(lambda: learn(**given))
    assert said in message
    assert stock_view(store).anchor is None


def test_a_catalogue_that_says_otherwise_later_is_not_passed_over(store, learn, products, make_product):
    learn()
    products.known["acme/new"] = make_product("new", gtin=FREE)
    (message,) = refused(lambda: meaning_of(products, known_gtins(store), FREE))
    assert "the catalogue says that it is that of acme/new, not of acme/c-500" in message
    products.known["acme/twin"] = make_product("twin", gtin=FREE)
    (message,) = refused(lambda: meaning_of(products, {}, FREE))
    assert "is that of acme/new and acme/twin in their catalogues" in message


def test_everything_that_is_wrong_is_said_at_once(learn):
    messages = refused(lambda: learn("1", containers=0, order=Order("")))
    assert [message.split()[0] for message in messages] == ["the", "'1'", "containers"]
    assert (
        "a single container holds 1, not 3" in refused(lambda: learn(containers=3, level=Level.CONTAINER))[0]
    )
    with pytest.raises(UnknownNameError):
        learn(product="acme/none")


def test_a_pack_that_was_received_is_found_by_its_serial_number(store, make_product):
    assert received_before(store, FREE, "S1") is None
    receive(store, [Delivery(make_product(), "A", 1, None, device=FREE, serial="S1")], actor="ana")
    assert received_before(store, FREE, "S1") == 1
    assert received_before(store, OTHER, "S1") is None


def test_the_bundled_catalogue_is_searched_by_gtin():
    from mesoformula.app import App

    formulary = App().formulary
    assert isinstance(formulary, Formulary)
    assert [one.id for one in in_catalogue(formulary, "05060131261973")] == [
        "torbay/magnesium-sulfate-50-10ml"
    ]
