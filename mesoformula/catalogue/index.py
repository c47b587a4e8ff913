"""What a catalogue file holds, by name alone: enough to offer its records without reading them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

SCHEMA = 1

#: Sections of a file that are lists of records.
SECTIONS = (
    "substance",
    "product",
    "technique",
    "zone",
    "syringe",
    "needle",
    "formula",
    "protocol",
    "beyond_use",
    "sharing",
    "rule",
    "condition",
    "allergen",
)

_KNOWN = frozenset(("schema", "vendor", *SECTIONS))


class Index(TypedDict):
    """
    The names in one file.

    Attributes:
        vendor: The table of its vendor, as it stands there.
        names: Of the records by section, in order; of products with their revision.
    """

    vendor: Any
    names: dict[str, list[str]]


def index_of(tables: Mapping[str, Any]) -> Index | None:
    """
    List the names in one file.

    Args:
        tables: What the file holds.

    Returns:
        The names; None if anything about them is not as it should be, so that somebody must look closer.
    """
    if tables.get("schema") != SCHEMA or not _KNOWN.issuperset(tables):
        return None
    if "product" in tables and "vendor" not in tables:
        return None
    names: dict[str, list[str]] = {}
    for section in SECTIONS:
        if section not in tables:
            continue
        records = tables[section]
        if not isinstance(records, list):
            return None
        found = [_name_of(section, record) for record in records]
        if None in found:
            return None
        names[section] = [name for name in found if name is not None]
    return {"vendor": tables.get("vendor"), "names": names}


def _name_of(section: str, record: Any) -> str | None:
    if not isinstance(record, dict):
        return None
    if section == "product":
        return product_name(record)
    name = record.get("id")
    return name if isinstance(name, str) else None


def product_name(record: Mapping[str, Any]) -> str | None:
    """
    Name a product within its vendor's.

    Args:
        record: Its table.

    Returns:
        Such as `soluvit-n@1`; None if it has no sku.
    """
    sku, revision = record.get("sku"), record.get("revision", 1)
    if not isinstance(sku, str):
        return None
    return f"{sku}@{revision if type(revision) is int else 1}"
