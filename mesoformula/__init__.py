"""
mesoformula: cocktails, sessions and stock for mesotherapy.

Everything public is importable from here, but for a few modules that `mesoformula.hookspecs` lists; names are
resolved on first use, so that importing the package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mesoformula.catalogue.checks import check_line as check_line
    from mesoformula.contents import Auxiliary as Auxiliary
    from mesoformula.contents import Content as Content
    from mesoformula.conversions import convert as convert
    from mesoformula.conversions import convert_strength as convert_strength
    from mesoformula.conversions import iu_per_mg as iu_per_mg
    from mesoformula.conversions import moiety_factor as moiety_factor
    from mesoformula.errors import CatalogueError as CatalogueError
    from mesoformula.errors import ChoiceError as ChoiceError
    from mesoformula.errors import ConversionError as ConversionError
    from mesoformula.errors import FormulaError as FormulaError
    from mesoformula.errors import GridError as GridError
    from mesoformula.errors import MesoformulaError as MesoformulaError
    from mesoformula.errors import Problem as Problem
    from mesoformula.errors import QuantityError as QuantityError
    from mesoformula.errors import SheetError as SheetError
    from mesoformula.errors import StockError as StockError
    from mesoformula.errors import UnknownNameError as UnknownNameError
    from mesoformula.findings import Finding as Finding
    from mesoformula.findings import Missing as Missing
    from mesoformula.findings import Override as Override
    from mesoformula.findings import Severity as Severity
    from mesoformula.formulary import Formulary as Formulary
    from mesoformula.formulas import Formula as Formula
    from mesoformula.formulas import Line as Line
    from mesoformula.formulas import LineKind as LineKind
    from mesoformula.grids import Cell as Cell
    from mesoformula.grids import Grid as Grid
    from mesoformula.grids import Importer as Importer
    from mesoformula.hookspecs import hookimpl as hookimpl
    from mesoformula.ingredients import IngredientClass as IngredientClass
    from mesoformula.ingredients import Range as Range
    from mesoformula.ingredients import Substance as Substance
    from mesoformula.products import ContainerKind as ContainerKind
    from mesoformula.products import Doses as Doses
    from mesoformula.products import Form as Form
    from mesoformula.products import Method as Method
    from mesoformula.products import Part as Part
    from mesoformula.products import Permission as Permission
    from mesoformula.products import Product as Product
    from mesoformula.products import ProductKind as ProductKind
    from mesoformula.products import Route as Route
    from mesoformula.products import Status as Status
    from mesoformula.products import Vendor as Vendor
    from mesoformula.rules import Allergen as Allergen
    from mesoformula.rules import Condition as Condition
    from mesoformula.rules import Cross as Cross
    from mesoformula.rules import Limit as Limit
    from mesoformula.rules import LooksAt as LooksAt
    from mesoformula.rules import Per as Per
    from mesoformula.rules import Period as Period
    from mesoformula.rules import Presence as Presence
    from mesoformula.rules import Rule as Rule
    from mesoformula.rules import Selector as Selector
    from mesoformula.rules import SelectorKind as SelectorKind
    from mesoformula.sessions import Amount as Amount
    from mesoformula.sessions import AmountKind as AmountKind
    from mesoformula.sessions import Dose as Dose
    from mesoformula.sessions import Keep as Keep
    from mesoformula.sessions import LineQuantities as LineQuantities
    from mesoformula.sessions import LotAssay as LotAssay
    from mesoformula.sessions import PastDose as PastDose
    from mesoformula.sessions import Session as Session
    from mesoformula.sessions import SessionQuantities as SessionQuantities
    from mesoformula.sessions import Step as Step
    from mesoformula.sheets import Column as Column
    from mesoformula.sheets import Exporter as Exporter
    from mesoformula.sheets import Row as Row
    from mesoformula.sheets import Sheet as Sheet
    from mesoformula.sheets import SheetRequest as SheetRequest
    from mesoformula.sources import Source as Source
    from mesoformula.sources import SourceKind as SourceKind
    from mesoformula.stock.picks.policies import Candidate as Candidate
    from mesoformula.stock.picks.policies import Choice as Choice
    from mesoformula.stock.picks.policies import LotPolicy as LotPolicy
    from mesoformula.stock.picks.policies import Need as Need
    from mesoformula.treatments import Geometry as Geometry
    from mesoformula.treatments import Needle as Needle
    from mesoformula.treatments import Syringe as Syringe
    from mesoformula.treatments import Technique as Technique
    from mesoformula.treatments import Zone as Zone
    from mesoformula.units import Quantity as Quantity
    from mesoformula.units import Strength as Strength
    from mesoformula.units import Unit as Unit
    from mesoformula.units import magnitude as magnitude
    from mesoformula.units import parse_quantity as parse_quantity
    from mesoformula.units import parse_strength as parse_strength
    from mesoformula.units import plain as plain
    from mesoformula.units import quantities_in as quantities_in
    from mesoformula.units import quantity as quantity
    from mesoformula.units import registry as registry
    from mesoformula.units import show as show
    from mesoformula.units import symbol as symbol
    from mesoformula.units import unit as unit

__version__ = "0.1.0"

_HOMES = {
    "catalogue.checks": ("check_line",),
    "contents": ("Auxiliary", "Content"),
    "conversions": ("convert", "convert_strength", "iu_per_mg", "moiety_factor"),
    "errors": (
        "CatalogueError",
        "ChoiceError",
        "ConversionError",
        "FormulaError",
        "GridError",
        "MesoformulaError",
        "Problem",
        "QuantityError",
        "SheetError",
        "StockError",
        "UnknownNameError",
    ),
    "findings": ("Finding", "Missing", "Override", "Severity"),
    "formulary": ("Formulary",),
    "formulas": ("Formula", "Line", "LineKind"),
    "grids": ("Cell", "Grid", "Importer"),
    "hookspecs": ("hookimpl",),
    "ingredients": ("IngredientClass", "Range", "Substance"),
    "products": (
        "ContainerKind",
        "Doses",
        "Form",
        "Method",
        "Part",
        "Permission",
        "Product",
        "ProductKind",
        "Route",
        "Status",
        "Vendor",
    ),
    "rules": (
        "Allergen",
        "Condition",
        "Cross",
        "Limit",
        "LooksAt",
        "Per",
        "Period",
        "Presence",
        "Rule",
        "Selector",
        "SelectorKind",
    ),
    "sessions": (
        "Amount",
        "AmountKind",
        "Dose",
        "Keep",
        "LineQuantities",
        "LotAssay",
        "PastDose",
        "Session",
        "SessionQuantities",
        "Step",
    ),
    "sheets": ("Column", "Exporter", "Row", "Sheet", "SheetRequest"),
    "sources": ("Source", "SourceKind"),
    "stock.picks.policies": ("Candidate", "Choice", "LotPolicy", "Need"),
    "treatments": ("Geometry", "Needle", "Syringe", "Technique", "Zone"),
    "units": (
        "Strength",
        "magnitude",
        "parse_quantity",
        "parse_strength",
        "plain",
        "quantities_in",
        "quantity",
        "registry",
        "show",
        "symbol",
        "unit",
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = ["Quantity", "Unit", "__version__", *_HOME_OF]


def __getattr__(name: str) -> Any:
    if name in ("Quantity", "Unit"):
        return getattr(import_module("mesoformula.units").registry(), name)
    try:
        home = _HOME_OF[name]
    except KeyError:
        raise AttributeError(f"module 'mesoformula' has no attribute {name!r}") from None
    value = getattr(import_module(f"mesoformula.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
