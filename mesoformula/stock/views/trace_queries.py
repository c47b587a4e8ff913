"""The queries by which lots and sessions are followed, each with what is `given`."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BindParameter, bindparam, literal_column, select

from mesoformula.stock.database import schema
from mesoformula.stock.database.statements import Prepared
from mesoformula.stock.ledger.tally import RECEIPTS

_movement, _line, _place = schema.movement, schema.movement_line, schema.location
_lot, _state, _opened, _kept = schema.lot, schema.lot_state, schema.opened, schema.reservation
_back = _movement.alias("back")
_GIVEN: BindParameter[Any] = bindparam("given", expanding=True)
#: Where in a line some of what it says stands.
MOVEMENT, LINE, KIND, AT, LOT, OPENED, FACT = 0, 1, 2, 3, 5, 6, 10
_LINES = (
    select(
        _line.c.movement,
        _line.c.line,
        _movement.c.kind,
        _movement.c.effective_at,
        _movement.c.session,
        _line.c.lot,
        _line.c.opened,
        _line.c.containers,
        _line.c.nanolitres,
        _line.c.nanograms,
        _line.c.fact,
        _line.c.supplier,
        _line.c.device,
        _line.c.serial,
        _line.c.deviation,
        _place.c.name.label("place"),
        _back.c.seq.label("reversed_by"),
    )
    .select_from(_line)
    .join(_movement, _movement.c.seq == _line.c.movement)
    .outerjoin(_place, _place.c.id == _line.c.location)
    .outerjoin(_back, _back.c.reverses == _line.c.movement)
)
_IN_ORDER = _LINES.order_by(_movement.c.effective_at, _line.c.movement, _line.c.line)
LINES_OF_LOT = Prepared(_IN_ORDER.where(_line.c.lot == bindparam("given")))
LINES_OF_OPENED = Prepared(_LINES.where(_line.c.opened.in_(_GIVEN)))
LINES_OF_SESSION = Prepared(_IN_ORDER.where(_movement.c.session == bindparam("given")))
ARRIVALS = Prepared(_LINES.where(_line.c.lot.in_(_GIVEN), _movement.c.kind.in_(sorted(RECEIPTS))))
_NAMES = (
    select(
        _lot.c.id,
        _lot.c.product_hash,
        _lot.c.number,
        _state.c.expiry,
        _state.c.quarantined,
        _state.c.recalled,
    )
    .join(_state, _state.c.lot == _lot.c.id)
    .order_by(_lot.c.product_id, _lot.c.number, _lot.c.revision)
)
NAMES = Prepared(_NAMES.where(_lot.c.id.in_(_GIVEN)))
NAMES_OF = Prepared(
    _NAMES.where(_lot.c.product_id == bindparam("product"), _lot.c.number == bindparam("number"))
)
VESSELS = Prepared(select(_opened.c.id, _opened.c.name).where(_opened.c.id.in_(_GIVEN)))
THERE = Prepared(select(_opened.c.id).where(_opened.c.id.in_(_GIVEN), _opened.c.gone == literal_column("0")))
_KEPT = (
    select(_kept, _lot.c.product_id, _lot.c.revision, _lot.c.number, _place.c.name)
    .select_from(_kept)
    .join(_place, _place.c.id == _kept.c.location)
    .outerjoin(_lot, _lot.c.id == _kept.c.lot)
    .order_by(_kept.c.movement, _kept.c.line)
)
KEPT_OF_LOT = Prepared(_KEPT.where(_kept.c.lot == bindparam("given")))
KEPT_OF_OPENED = Prepared(_KEPT.where(_kept.c.opened.in_(_GIVEN)))
KEPT_FOR = Prepared(_KEPT.where(_kept.c.session == bindparam("given")))

_sessions = select(_movement.c.session)
KNOWN = Prepared(_sessions.where(_movement.c.session == bindparam("given")).limit(literal_column("1")))
LATEST = Prepared(
    _sessions.where(_movement.c.session.is_not(None))
    .order_by(_movement.c.seq.desc())
    .limit(literal_column("2000"))
)
