"""What a GTIN stands for: a product and a number of containers, by catalogue or as the stock was taught."""

from __future__ import annotations

import enum
import json
import re
from typing import TYPE_CHECKING, Any

import attrs
from sqlalchemy import Connection, select

from mesoformula.catalogue.checks import gtin_is_valid
from mesoformula.errors import LedgerError, OrderError, Problem
from mesoformula.stock.database import schema
from mesoformula.stock.database.store import Store
from mesoformula.stock.ledger.appending import Entry
from mesoformula.stock.ledger.chain import canonical
from mesoformula.stock.ledger.orders import check_order, containers_objections
from mesoformula.stock.ledger.posting import Posting, carry_out
from mesoformula.stock.records import MovementKind, Order, Receipt
from mesoformula.stock.views.reading import standing
from mesoformula.words import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mesoformula.formulary import Formulary
    from mesoformula.products import Product

#: The fact under which the ledger keeps what a GTIN stands for.
FACT = "gtin"

_DIGITS = re.compile(r"[0-9]{8}|[0-9]{12,14}")


class Level(enum.StrEnum):
    """What a GTIN is printed on."""

    CONTAINER = "container"
    PACK = "pack"
    CASE = "case"


@attrs.frozen
class KnownGtin:
    """
    What a GTIN stands for.

    Attributes:
        gtin: 14 digits.
        product: `vendor/sku`, in whichever revision arrives.
        containers: How many containers (of a kit: kits) are in it; None if nobody has said so yet.
        level: What it is printed on.
    """

    gtin: str
    product: str
    containers: int | None
    level: Level


def read_gtin(text: str) -> str:
    """
    Read a trade item number.

    Args:
        text: 8, 12, 13 or 14 digits.

    Returns:
        14 digits.

    Raises:
        OrderError: If it is none, or its check digit is wrong.
    """
    digits = text.strip(" ")
    if not _DIGITS.fullmatch(digits) or not digits.strip("0"):
        message = f"{shown(text)} is no GTIN; expected 8, 12, 13 or 14 digits"
        raise OrderError([Problem("gtin", message)])
    if not gtin_is_valid(digits):
        message = f"GTIN {digits}: the check digit is wrong; compare it with the pack"
        raise OrderError([Problem("checksum", message)])
    return digits.zfill(14)


def known_gtins(store: Store) -> dict[str, KnownGtin]:
    """
    Read what the stock was taught.

    Args:
        store: The stock; one that does not exist yet knows nothing.

    Returns:
        What each GTIN stands for, by its 14 digits.

    Raises:
        LedgerError: If it cannot be read.
    """
    with store.reading() as connection:
        values = standing(connection, FACT) if connection is not None else {}
    try:
        return {gtin: _from_text(gtin, value) for gtin, value in sorted(values.items())}
    except (ValueError, TypeError, KeyError) as err:
        raise LedgerError(f"{store}: what a GTIN stands for cannot be read; run verify") from err


def received_before(store: Store, gtin: str, serial: str) -> int | None:
    """
    Find the movement that received a pack.

    Args:
        store: The stock.
        gtin: Of the pack, 14 digits.
        serial: Its serial number.

    Returns:
        The number of the movement; None if the pack is not in the stock.
    """
    table = schema.pack_serial
    with store.reading() as connection:
        if connection is None:
            return None
        found = connection.execute(
            select(table.c.movement).where(table.c.device == gtin, table.c.serial == serial)
        ).scalar_one_or_none()
    return None if found is None else int(found)


def in_catalogue(formulary: Formulary, gtin: str) -> tuple[Product, ...]:
    """
    Find the products that bear a GTIN in their catalogue, which is that of the pack.

    Args:
        formulary: The products.
        gtin: 14 digits.

    Returns:
        The products; more than one is a mistake of the catalogues.
    """
    if not gtin.strip("0"):
        return ()
    # Catalogues write it in 8 to 14 digits, and the index looks for what a text holds.
    return tuple(
        found.record
        for found in formulary.find_products(gtin.lstrip("0"))
        if found.record.gtin is not None and found.record.gtin.zfill(14) == gtin
    )


def meaning_of(formulary: Formulary, known: Mapping[str, KnownGtin], gtin: str) -> KnownGtin | None:
    """
    Find out what a GTIN stands for.

    Args:
        formulary: The products; its catalogues go before what the stock was taught.
        known: What the stock was taught.
        gtin: 14 digits.

    Returns:
        What it stands for; None if nobody knows.

    Raises:
        OrderError: If the catalogues contradict each other, or what the stock was taught.
    """
    products = in_catalogue(formulary, gtin)
    taught = known.get(gtin)
    if not products:
        return taught
    if len(products) > 1:
        names = " and ".join(sorted(product.id for product in products))
        message = f"GTIN {gtin} is that of {names} in their catalogues; correct one of them"
        raise OrderError([Problem("gtin", message)])
    (product,) = products
    if taught is None:
        return KnownGtin(gtin, product.id, product.containers_per_pack, Level.PACK)
    problems = _contradictions(product, taught)
    if problems:
        raise OrderError(problems)
    return taught


def teach(
    store: Store,
    formulary: Formulary,
    gtin: str,
    product: str,
    *,
    containers: int,
    level: Level,
    order: Order,
) -> Receipt:
    """
    Record what a GTIN stands for.

    Args:
        store: The stock; made if it does not exist yet.
        formulary: The products.
        gtin: 8, 12, 13 or 14 digits.
        product: Its id.
        containers: How many containers (of a kit: kits) are in what bears it.
        level: What it is printed on.
        order: Who says so, when and why.

    Returns:
        The movement, with the anchor to keep.

    Raises:
        OrderError: If anything stands against it, a catalogue that says otherwise included.
        UnknownNameError: If no product bears that id.
        StockError: If the store cannot be opened or written to.
    """
    item = formulary.product(product)
    problems: list[Problem] = []
    order = check_order(problems, order, store.moment())
    try:
        number = read_gtin(gtin)
    except OrderError as err:
        problems += err.problems
        number = ""
    problems += check_meaning(formulary, KnownGtin(number, item.id, containers, level))
    if problems:
        raise OrderError(problems)
    meaning = _to_text(KnownGtin(number, item.id, containers, level))

    def work(posting: Posting) -> None:
        before = _taught(posting.connection, number)
        if before == meaning:
            raise OrderError([Problem("same", f"GTIN {number} stands for that already; nothing to record")])
        posting.post(MovementKind.SETTING, [Entry(subject=number, fact=FACT, old=before, new=meaning)])

    content = {"kind": MovementKind.SETTING.value, "fact": FACT, "gtin": number, "meaning": meaning}
    return carry_out(store, order, content, work)


def check_meaning(formulary: Formulary, meaning: KnownGtin) -> list[Problem]:
    """
    Say what is wrong with what a GTIN should stand for.

    Args:
        formulary: The products.
        meaning: What is to be taught.

    Returns:
        Everything that stands against it.
    """
    problems = [Problem(code, message) for code, message in containers_objections(meaning.containers)]
    if not problems and meaning.level is Level.CONTAINER and meaning.containers != 1:
        message = f"a single container holds 1, not {meaning.containers}; is it the GTIN of a pack or a case?"
        problems.append(Problem("containers", message))
    if not problems and meaning.gtin:
        for product in in_catalogue(formulary, meaning.gtin):
            problems += _contradictions(product, meaning)
    return problems


def _contradictions(product: Product, taught: KnownGtin) -> list[Problem]:
    """Compare what is taught with the catalogue, where the GTIN is that of the pack."""
    where = f"GTIN {taught.gtin}: the catalogue says that it is that of"
    mend = "look at the pack; if the catalogue is wrong, correct it"
    if product.id != taught.product:
        return [Problem("gtin", f"{where} {product.id}, not of {taught.product}; {mend}")]
    packed = product.containers_per_pack
    if packed is not None and packed != taught.containers:
        message = f"{where} a pack of {packed}, not of {taught.containers}; {mend}"
        return [Problem("gtin", message)]
    if taught.level is not Level.PACK and packed != 1:
        return [Problem("gtin", f"{where} a pack of {product.id}, not of a {taught.level}; {mend}")]
    return []


def _taught(connection: Connection, gtin: str) -> str | None:
    table = schema.standing
    found = connection.execute(
        select(table.c.value).where(table.c.fact == FACT, table.c.subject == gtin)
    ).scalar_one_or_none()
    return None if found is None else str(found)


def _to_text(meaning: KnownGtin) -> str:
    plain = {"product": meaning.product, "containers": meaning.containers, "level": meaning.level.value}
    return canonical(plain).decode()


def _from_text(gtin: str, text: str) -> KnownGtin:
    plain: dict[str, Any] = json.loads(text)
    return KnownGtin(gtin, str(plain["product"]), int(plain["containers"]), Level(plain["level"]))
