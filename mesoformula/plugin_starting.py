"""The files that a plugin begins with, right as they stand: an example of every kind of plugin."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from importlib.resources import files
from string import Template

import attrs

from mesoformula.catalogue.starting import starter
from mesoformula.catalogue.toml_text import quoted
from mesoformula.contract_version import written
from mesoformula.hookspecs import CONTRACT_VERSION

#: Longer names make longer names of what is offered than are safe to type.
LONGEST_NAME = 40

_SUFFIX = 10
_WIDTH = 100


@attrs.frozen
class _Kind:
    """
    One kind of thing that a plugin may offer.

    Attributes:
        offers: What that is, in words.
        module: The file of the package that makes it.
        about: What that file is, in words.
        conformance: The class of the kit that tests it.
        hook_names: What its hook takes from `mesoformula`, beside `hookimpl`.
        test_names: What its test takes from `mesoformula`.
        test_imports: What else its test imports: names by modules.
    """

    offers: str
    module: str
    about: str
    conformance: str
    hook_names: tuple[str, ...]
    test_names: tuple[str, ...]
    test_imports: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)


_KINDS = {
    "catalogue": _Kind(
        "its own products",
        "catalogue/products.toml",
        "your products; nothing in it is ever executed",
        "CatalogueConformance",
        (),
        ("Formulary",),
    ),
    "check": _Kind(
        "a check of sessions",
        "checks.py",
        "what must not pass without a second look",
        "ChecksConformance",
        ("Finding", "Session", "SessionQuantities"),
        (
            *("ContainerKind", "Form", "Formula", "Keep", "Line", "LineKind", "LineQuantities", "Part"),
            *("Product", "Session", "SessionQuantities", "Vendor", "quantity"),
        ),
        {"$module.checks": ("SOURCE",)},
    ),
    "class": _Kind(
        "a class of ingredients",
        "classes.py",
        "a class of ingredients that the core does not have",
        "IngredientClassConformance",
        ("IngredientClass",),
        (),
    ),
    "exporter": _Kind(
        "a format for sheets",
        "exporting.py",
        "writes sheets in a format of its own",
        "ExporterConformance",
        ("Exporter",),
        ("Column", "Row", "Sheet"),
        {"pathlib": ("Path",), "mesoformula.sheets": ("Holds",)},
    ),
    "policy": _Kind(
        "a way of choosing lots",
        "choosing.py",
        "which lots to take",
        "LotPolicyConformance",
        ("LotPolicy",),
        ("Candidate", "Choice", "Need"),
        {"datetime": ("UTC", "datetime")},
    ),
    "quantities": _Kind(
        "the working out of a formula",
        "quantities.py",
        "how much a session takes, where the bundled arithmetic does not fit",
        "QuantitiesConformance",
        ("Session", "SessionQuantities"),
        ("Formula", "Session", "quantity"),
    ),
    "sheets": _Kind(
        "a sheet for the stock workbook",
        "sheets.py",
        "a sheet for the stock workbook",
        "SheetsConformance",
        ("Sheet", "SheetRequest"),
        ("SheetRequest",),
        {"datetime": ("UTC", "datetime"), "mesoformula.stock.records": ("StockView",)},
    ),
}

#: What a plugin may be written with.
KINDS = tuple(_KINDS)

#: What it is written with where nobody says.
USUAL_KINDS = ("catalogue", "check")


def module_of(name: str) -> str:
    """
    Name the package of a plugin.

    Args:
        name: Of the plugin, lower-case words joined by '-'.

    Returns:
        Such as `mesoformula_acme_labs`.
    """
    return f"mesoformula_{name.replace('-', '_')}"


def distribution_of(name: str) -> str:
    """
    Name the distribution of a plugin.

    Args:
        name: Of the plugin, lower-case words joined by '-'.

    Returns:
        Such as `mesoformula-acme-labs`.
    """
    return f"mesoformula-{name}"


def project(
    name: str,
    title: str,
    *,
    today: date,
    kinds: Collection[str] = USUAL_KINDS,
    synonyms: tuple[str, ...] = (),
) -> dict[str, str]:
    """
    Write a distribution to begin with.

    Args:
        name: Of the plugin and its vendor: lower-case words joined by '-', at most `LONGEST_NAME` characters.
        title: Of the vendor, for people.
        today: The day that the sources are said to be read on.
        kinds: What the plugin offers, of `KINDS`.
        synonyms: Other names of the vendor, where it is known already.

    Returns:
        Texts by their paths within the project; as they stand they pass their own tests.
    """
    chosen = [kind for kind in KINDS if kind in kinds]
    module = module_of(name)
    values = {
        "name": name,
        "module": module,
        "word": name.replace("-", "_"),
        "distribution": distribution_of(name),
        "description": quoted(f"Plugin of {title} for mesoformula"),
        "contract": written(CONTRACT_VERSION),
        "class_id": "_".join([*re.findall("[a-z]+", name), "active"]),
        "suffix": name.replace("-", "")[:_SUFFIX],
        "offers": _listed([_KINDS[kind].offers for kind in chosen]),
        "files": "\n".join(_described(module, _KINDS[kind]) for kind in chosen),
        "try_it": _try_it(name, chosen),
        "classes": "\n".join(
            f"    {name}," for name in ("PluginConformance", *(_KINDS[kind].conformance for kind in chosen))
        ),
        "year": str(today.year),
        "month": str(today.month),
        "day": str(today.day),
    }
    written_files = {
        "pyproject.toml": _filled("pyproject", values),
        "README.md": _filled("readme", values),
        ".gitignore": _filled("gitignore", values),
        f"{module}/py.typed": "",
        f"{module}/__init__.py": _filled("package", {**values, "imports": _hook_imports(chosen)})
        + "".join(_filled(f"{kind}-hook", values) for kind in chosen),
        f"tests/test_{values['word']}.py": _tests(chosen, values),
    }
    for kind in chosen:
        path = f"{module}/{_KINDS[kind].module}"
        if kind == "catalogue":
            written_files[path] = starter(name, title, today=today, synonyms=synonyms, file=path)
        else:
            written_files[path] = _filled(f"{kind}-module", values)
    return written_files


def _filled(template: str, values: Mapping[str, str]) -> str:
    text = files("mesoformula").joinpath("plugin_templates", f"{template}.txt").read_text(encoding="utf-8")
    return Template(text).substitute(values)


def _listed(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else words[0]


def _described(module: str, kind: _Kind) -> str:
    return f"| `{module}/{kind.module}` | {kind.about} |"


def _try_it(name: str, chosen: list[str]) -> str:
    """Write the command that shows what the plugin does."""
    commands = {
        "catalogue": f"mesoformula products {name}",
        "class": "mesoformula classes",
        "sheets": "mesoformula sheet stock stock.xlsx",
        "exporter": f"mesoformula sheet stock stock.{name.replace('-', '')[:_SUFFIX]}",
        "policy": f"mesoformula stock pick fillmed/nctf-135ha=2 --policy {name}-largest   # once it is there",
    }
    return "\n".join(commands[kind] for kind in chosen if kind in commands) or "mesoformula plugin list"


def _hook_imports(chosen: list[str]) -> str:
    found: dict[str, set[str]] = {"mesoformula": {"hookimpl"}}
    for kind in chosen:
        found["mesoformula"].update(_KINDS[kind].hook_names)
    if "catalogue" in chosen:
        found["importlib.resources"] = {"files"}
        found["importlib.resources.abc"] = {"Traversable"}
    return "\n".join(_imports(found, ""))


def _tests(chosen: list[str], values: Mapping[str, str]) -> str:
    module = values["module"]
    found: dict[str, set[str]] = {"types": {"ModuleType"}, "mesoformula": set()}
    found["mesoformula.testing"] = {"PluginConformance", *(_KINDS[kind].conformance for kind in chosen)}
    for kind in chosen:
        found["mesoformula"].update(_KINDS[kind].test_names)
        for home, names in _KINDS[kind].test_imports.items():
            found.setdefault(home.replace("$module", module), set()).update(names)
    text = _filled("tests", {**values, "imports": "\n".join(_imports(found, module))})
    if "quantities" in chosen:
        text += _filled("quantities-fixture", values)
    return text + "".join(_filled(f"{kind}-test", values) for kind in chosen)


def _imports(found: Mapping[str, set[str]], module: str) -> Iterator[str]:
    """Write imports in the usual order: the standard library, then what is installed, then one's own."""
    homes = sorted(home for home, names in found.items() if names)
    own = [home for home in homes if module and home.startswith(f"{module}.")]
    installed = [home for home in homes if home.partition(".")[0] == "mesoformula"]
    yield from (_import(home, found[home]) for home in homes if home not in (*own, *installed))
    yield ""
    if module:
        yield "import pytest"
    yield from (_import(home, found[home]) for home in installed)
    if module:
        yield f"\nimport {module}"
    yield from (_import(home, found[home]) for home in own)


def _import(home: str, names: Collection[str]) -> str:
    """Write one import, classes before functions; many names on lines of their own."""
    ordered = sorted(names, key=lambda name: (not name.isupper(), name[0].islower(), name))
    line = f"from {home} import {', '.join(ordered)}"
    if len(line) <= _WIDTH:
        return line
    return "\n".join([f"from {home} import (", *(f"    {name}," for name in ordered), ")"])
