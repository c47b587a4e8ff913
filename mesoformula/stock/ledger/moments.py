"""Moments as the ledger keeps them: microseconds since 1970, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_moment(microseconds: int) -> datetime:
    """
    Read a moment as the ledger keeps it.

    Args:
        microseconds: Since 1970, in UTC.

    Returns:
        The moment in UTC.
    """
    return _EPOCH + microseconds * _MICROSECOND


def from_moment(moment: datetime) -> int:
    """
    Write a moment as the ledger keeps it.

    Args:
        moment: With a time zone.

    Returns:
        Microseconds since 1970, in UTC.
    """
    return (moment - _EPOCH) // _MICROSECOND
