"""The queries by which the stock is read, each with what is `given`."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BindParameter, ColumnElement, bindparam, func, literal_column, select

from mesoformula.stock.database import schema
from mesoformula.stock.database.statements import Prepared

# A nought that is written out, and not handed over beside, lets a database use the indexes of what is there.
_ZERO: ColumnElement[int] = literal_column("0")
_GIVEN: BindParameter[Any] = bindparam("given", expanding=True)
_lot, _state, _place, _balance = schema.lot, schema.lot_state, schema.location, schema.balance
_opened, _kept, _standing = schema.opened, schema.reservation, schema.standing
_on_hand = (
    select(
        _balance.c.lot,
        _balance.c.location,
        _lot.c.product_hash,
        _lot.c.number,
        _place.c.name,
        _balance.c.containers,
        _balance.c.quarantined,
        _state.c.quarantined,
        _state.c.recalled,
        _state.c.expiry,
        _state.c.received_at,
        _state.c.supplier,
        _state.c.cost_low,
        _state.c.cost_high,
        _state.c.unpriced,
        _state.c.currency,
        _state.c.assay,
        _state.c.remark,
        _lot.c.product_id,
        _lot.c.revision,
        # A lot without expiry comes last: no day begins with a tilde.
        func.coalesce(_state.c.expiry, literal_column("'~'")),
    )
    .select_from(_balance)
    .join(_lot, _lot.c.id == _balance.c.lot)
    .join(_state, _state.c.lot == _balance.c.lot)
    .join(_place, _place.c.id == _balance.c.location)
    .where(_balance.c.containers > _ZERO)
)
ON_HAND = Prepared(_on_hand)
ON_HAND_OF = Prepared(_on_hand.where(_balance.c.lot == bindparam("given")))
RECORD = Prepared(
    select(schema.product_record.c.record).where(schema.product_record.c.hash == bindparam("given"))
)
HEAD = Prepared(select(schema.chain_head.c.seq, schema.chain_head.c.hash))
STANDING = Prepared(
    select(_standing.c.subject, _standing.c.value).where(_standing.c.fact == bindparam("given"))
)
_reserved = select(
    _kept.c.movement, _kept.c.lot, _kept.c.location, _kept.c.opened, _kept.c.containers, _kept.c.nanolitres
)
RESERVED = Prepared(_reserved.where(_kept.c.lapses_at > bindparam("moment")))
_vessels = (
    select(
        _opened,
        _lot.c.product_hash,
        _lot.c.number,
        _place.c.name.label("place"),
        _state.c.expiry,
        _state.c.quarantined.label("lot_quarantined"),
        _state.c.recalled,
    )
    .select_from(_opened)
    .join(_place, _place.c.id == _opened.c.location)
    .outerjoin(_lot, _lot.c.id == _opened.c.lot)
    .outerjoin(_state, _state.c.lot == _opened.c.lot)
    .order_by(_opened.c.id)
)
VESSELS = Prepared(_vessels.where(_opened.c.gone == _ZERO))
VESSELS_OF = Prepared(_vessels.where(_opened.c.id.in_(_GIVEN)))
REMARKS = Prepared(
    select(schema.remark.c.movement, func.max(schema.remark.c.text))
    .where(schema.remark.c.movement.in_(_GIVEN), schema.remark.c.line > _ZERO)
    .group_by(schema.remark.c.movement)
)
