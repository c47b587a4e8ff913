"""Find a plugin by its name, or where its code lies, installed or not."""

from __future__ import annotations

import importlib
import os
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs

from mesoformula.errors import PluginLoadError, Problem, UnknownNameError
from mesoformula.hookspecs import PROJECT
from mesoformula.provenance import PluginInfo, candidates, normalised, said
from mesoformula.testing.effects import silenced
from mesoformula.words import nearest, shown


@attrs.frozen(eq=False)
class Located:
    """
    A plugin that was found.

    Attributes:
        info: Who it is.
        reference: `module` or `module:attribute`.
        plugin: What that names; None if it could not be imported.
        failure: Why it could not.
    """

    info: PluginInfo
    reference: str
    plugin: object = None
    failure: str = ""


@contextmanager
def located(target: str) -> Iterator[tuple[Located, ...]]:
    """
    Find plugins and import them.

    Args:
        target: Name of an installed plugin, distribution or module; or a path to a `.py` file, to the folder
            of a package, or to the folder of a project with `pyproject.toml`, which need not be installed.

    Yields:
        The plugins, of a distribution or project all of them. Afterwards modules of a path are forgotten.

    Raises:
        UnknownNameError: If no installed plugin is called so; with those that come near.
        PluginLoadError: If the path holds no plugin.
    """
    path = Path(target).expanduser()
    if (
        os.sep in target
        or target.endswith(".py")
        or target in (".", "..")
        or (path.is_dir() and not _is_installed(target))
    ):
        wanted, roots = _in_path(path)
        with _importable(roots, [reference.partition(":")[0] for _info, reference in wanted]):
            yield tuple(_imported(info, reference, roots) for info, reference in wanted)
    else:
        yield tuple(_imported(info, reference, ()) for info, reference in _installed(target))


def _is_installed(name: str) -> bool:
    return any(normalised(name) in names for names, _info, _reference in _names())


def _names() -> list[tuple[set[str], PluginInfo, str]]:
    found, _problems = candidates()
    return [
        (
            {normalised(name) for name in (one.plugin.name, one.plugin.distribution or "", one.module)},
            one.plugin,
            one.entry_point.value.replace(" ", ""),
        )
        for one in found
    ]


def _installed(name: str) -> list[tuple[PluginInfo, str]]:
    known = _names()
    named = [
        (info, reference) for _names_, info, reference in known if normalised(info.name) == normalised(name)
    ]
    named = named or [(info, reference) for names, info, reference in known if normalised(name) in names]
    if not named:
        words = sorted({info.name for _names_, info, _reference in known})
        raise UnknownNameError("installed plugin", name, nearest(name, words) or words[:5])
    return named


# ---- what lies somewhere --------------------------------------------------------------------------------


def _in_path(path: Path) -> tuple[list[tuple[PluginInfo, str]], tuple[Path, ...]]:
    """List the plugins that lie in a path, and the folders from which their modules are imported."""
    path = Path(os.path.abspath(path))  # noqa: PTH100 (links stay: the name of the folder is the module's)
    if path.is_file() and path.suffix == ".py":
        if path.name == "__init__.py":
            return _in_path(path.parent)
        return [(PluginInfo(path.stem), _importable_name(path))], (path.parent,)
    if not path.is_dir():
        what = "is no .py file" if path.exists() else "is not there"
        raise _refusal(path, f"{what}; expected a .py file, the folder of a package, or of a project")
    project = path / "pyproject.toml"
    if project.is_file():
        return _in_project(project)
    if (path / "__init__.py").is_file():
        return [(PluginInfo(path.name), _importable_name(path))], (path.parent,)
    raise _refusal(
        path, "holds neither __init__.py nor pyproject.toml; name the folder of a package or project"
    )


def _importable_name(path: Path) -> str:
    if not path.stem.isidentifier():
        raise _refusal(path, f"{shown(path.stem)} is no name for a module; rename it, without hyphens")
    return path.stem


def _in_project(project: Path) -> tuple[list[tuple[PluginInfo, str]], tuple[Path, ...]]:
    try:
        table: Any = tomllib.loads(project.read_text(encoding="utf-8"))
    except (OSError, ValueError) as err:
        raise _refusal(project, f"cannot be read ({said(err)}); correct it") from err
    about = table.get("project")
    about = about if isinstance(about, dict) else {}
    groups = about.get("entry-points")
    points = groups.get(PROJECT) if isinstance(groups, dict) else None
    if not isinstance(points, dict) or not points or not all(isinstance(one, str) for one in points.values()):
        raise _refusal(
            project,
            f'names no plugin; add [project.entry-points.{PROJECT}] with a line such as acme = "acme_plugin"',
        )
    name, version = (one if isinstance(one := about.get(key), str) else None for key in ("name", "version"))
    found = [
        (PluginInfo(point, name, version), reference.replace(" ", ""))
        for point, reference in sorted(points.items())
    ]
    homes = {_home_of(project.parent, reference) for _info, reference in found}
    return found, tuple(sorted(home for home in homes if home is not None))


def _home_of(folder: Path, reference: str) -> Path | None:
    """Find the folder that holds a module: the project's own, `src`, or any other right below it."""
    top = reference.partition(":")[0].partition(".")[0]
    below = sorted(one for one in folder.iterdir() if one.is_dir() and not one.name.startswith("."))
    for home in (folder, folder / "src", *below):
        if (home / f"{top}.py").is_file() or (home / top / "__init__.py").is_file():
            return home
    return None


def _refusal(path: Path, message: str) -> PluginLoadError:
    return PluginLoadError(Problem("no-plugin", message, str(path)))


# ---- importing ------------------------------------------------------------------------------------------


def _imported(info: PluginInfo, reference: str, roots: tuple[Path, ...]) -> Located:
    module, _colon, attribute = reference.partition(":")
    try:
        with silenced():
            plugin: Any = importlib.import_module(module)
            origin = getattr(plugin, "__file__", None)
            for name in filter(None, attribute.split(".")):
                plugin = getattr(plugin, name)
    except KeyboardInterrupt:
        raise
    except BaseException as err:
        return Located(
            info, reference, failure=f"{shown(reference)} cannot be imported ({said(err)}); mend it"
        )
    if roots and origin is not None and not any(Path(origin).is_relative_to(root) for root in roots):
        failure = f"{shown(module)} is another module's name already, of {origin}; rename yours"
        return Located(info, reference, failure=failure)
    return Located(info, reference, plugin)


@contextmanager
def _importable(roots: tuple[Path, ...], modules: list[str]) -> Iterator[None]:
    """Put folders first on the path, and forget what was imported from there, or under these names."""
    tops = {module.partition(".")[0] for module in modules}
    before = {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] in tops}
    kept = list(sys.path)
    sys.path[:0] = [str(root) for root in roots]
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path[:] = kept
        for name in [name for name in sys.modules if name.partition(".")[0] in tops]:
            del sys.modules[name]
        sys.modules.update(before)
