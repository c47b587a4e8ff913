"""The settings of a site: one file, and environment variables that go before it."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from datetime import timedelta, tzinfo
from pathlib import Path
from string import ascii_letters, digits
from typing import TYPE_CHECKING, Any

import attrs

from mesoformula.catalogue.files import CatalogueFile, read_bytes
from mesoformula.catalogue.reading import FAILED, Reader, Where, WrittenField, written_fields
from mesoformula.clock import MachineZone, local_zone_name, zone_named, zone_names
from mesoformula.errors import Problem, SettingsError
from mesoformula.fields import IDENTIFIER, Choice, ListOf, QuantityOf, Text, Whole, written
from mesoformula.words import nearest, shown

if TYPE_CHECKING:
    from mesoformula.units import Quantity

#: What environment variables begin with; the rest is the name of a setting.
PREFIX = "MESOFORMULA_"
#: Names the file with settings.
FILE_VARIABLE = "MESOFORMULA_SETTINGS"

LONGEST_LAPSE = timedelta(days=366)

# GS1 General Specifications: the AI encodable character set 82, of which lot and serial numbers are made.
_IN_LOTS = frozenset("!\"%&'()*+,-./:;<=>?_" + ascii_letters + digits)


class Sharing(enum.StrEnum):
    """What to do where two sessions share a multi-dose container."""

    WARN = "warn"
    FORBID = "forbid"


@attrs.frozen
class Settings:
    """
    What a site has set, and what holds where it has not.

    Attributes:
        time_zone: Name in the IANA tz database of the zone in which the site's days begin and end; None for
            what the machine's operating system says.
        actor: Who records what is written; None for whoever is logged in.
        region: Two letters such as `FR`, for rules of law; None leaves those unchecked.
        language: For people.
        stock: Where the stock is kept; None for the file in the user's data folder.
        lot_policy: Id of the policy that chooses lots.
        minimum_days_left: Lots with fewer days until their last day of use are not picked.
        reservations_lapse_after: How long a pick is kept for its session.
        share_multi_dose: What to do where two sessions share a multi-dose container.
        scanner_separators: What a scanner may type for the separator GS.
        location: Where things are put and taken unless said otherwise.
    """

    time_zone: str | None = attrs.field(
        default=None, metadata=written(Text(example="Europe/Paris", longest=80), "Of the site.")
    )
    actor: str | None = attrs.field(
        default=None, metadata=written(Text(example="n.roux", longest=200), "Who records.")
    )
    region: str | None = attrs.field(
        default=None, metadata=written(Text(r"[A-Z]{2}", "FR"), "Two letters, for rules of law.")
    )
    language: str = attrs.field(
        default="en", metadata=written(Text(r"[a-z]{2,3}(-[A-Z]{2})?", "en"), "For people.")
    )
    stock: str | None = attrs.field(
        default=None, metadata=written(Text(example="/srv/pharmacy/stock.sqlite"), "Path or URL.")
    )
    lot_policy: str = attrs.field(
        default="fefo", metadata=written(Text(IDENTIFIER, "fefo", 60), "How lots are chosen.")
    )
    minimum_days_left: int = attrs.field(
        default=0, metadata=written(Whole(0, 36_500), "Days until the last day of use, at least.")
    )
    reservations_lapse_after: timedelta = attrs.field(
        default=timedelta(hours=24), metadata=written(QuantityOf("time"), "How long a pick is kept.")
    )
    share_multi_dose: Sharing = attrs.field(
        default=Sharing.WARN, metadata=written(Choice(Sharing), "Between two sessions.")
    )
    scanner_separators: tuple[str, ...] = attrs.field(
        default=(), metadata=written(ListOf(Text(r"\S+", "{GS}", 20), 20), "What a scanner types for GS.")
    )
    location: str = attrs.field(
        default="main", metadata=written(Text(example="main", longest=200), "Unless said otherwise.")
    )

    def zone(self) -> tzinfo:
        """
        Return the zone in which the site's days begin and end.

        Returns:
            It; that of the machine if none is set.

        Raises:
            SettingsError: If none of that name is known here.
        """
        if self.time_zone is None:
            return MachineZone()
        zone = zone_named(self.time_zone)
        if zone is None:
            raise SettingsError([Problem("time-zone", _unknown_zone(self.time_zone))])
        return zone


class _Reader(Reader):
    """Reads settings, which stand at the top of their file and not in a record of a section."""

    #: Steps that the reader of catalogues expects above a key.
    TOP: Where = ("settings", 0)

    def problem(self, code: str, message: str, where: Where) -> Any:
        """Note a problem at a place that begins at the top of the file."""
        return super().problem(code, message, where[len(self.TOP) :])


class _RefusedError(Exception):
    """A value that can be read and not be used."""


def load_settings(environ: Mapping[str, str], path: Path | None = None) -> Settings:
    """
    Load the settings.

    Args:
        environ: Environment variables: `MESOFORMULA_` and the name of a setting in capitals goes before the
            file; an empty one does not count. `MESOFORMULA_SETTINGS` names the file.
        path: The file, whatever the environment says.

    Returns:
        What is set, with the machine's own time zone where none is.

    Raises:
        SettingsError: If anything in the file or the environment cannot be used, or a file that was named
            cannot be read; with all problems at once.
    """
    known = {field.key: field for field in written_fields(Settings)}
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    file = _file(environ, path, problems)
    if file is not None:
        reader = _Reader(file, {})
        for key, held in file.tables.items():
            if key in known:
                _take(values, known[key], held, reader, key)
            else:
                close = nearest(key, known)
                hint = (
                    f"did you mean {' or '.join(close)}?" if close else f"known: {', '.join(sorted(known))}"
                )
                message = f"{shown(key)} is no setting; {hint}"
                reader.problem("unknown-key", message, (*_Reader.TOP, key))
        problems += reader.problems
    for field in known.values():
        name = PREFIX + field.key.upper()
        if environ.get(name):
            # It stands in no file: its name is in the message.
            reader = _Reader(CatalogueFile("", {}, None, b""), {})
            _take(values, field, _typed(field, environ[name]), reader, name)
            problems += (attrs.evolve(problem, path=None, line=None) for problem in reader.problems)
    if problems:
        raise SettingsError(problems)
    values.setdefault("time_zone", local_zone_name(environ))
    return Settings(**values)


def _file(environ: Mapping[str, str], path: Path | None, problems: list[Problem]) -> CatalogueFile | None:
    """Parse the file with settings, if there is one."""
    named = path or (Path(environ[FILE_VARIABLE]) if environ.get(FILE_VARIABLE) else None)
    if named is None:
        from platformdirs import user_config_path

        place = user_config_path("mesoformula", appauthor=False) / "settings.toml"
        try:
            place.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError:  # it is there and cannot be seen: reading it says why
            pass
    else:
        place = named
    content = read_bytes(place, str(place))
    if isinstance(content, Problem):
        problems.append(content)
        return None
    # Not by the parser of catalogues, which keeps what it reads on disk: a stock's URL may hold a password.
    file = CatalogueFile(str(place), None, None, content)
    import tomllib

    try:
        _ = file.tables
    except UnicodeDecodeError as err:
        line = content.count(b"\n", 0, err.start) + 1
        problems.append(Problem("encoding", "not UTF-8; save it as UTF-8", str(place), line))
    except tomllib.TOMLDecodeError as err:
        told = str(err).rpartition("(at line ")[2].partition(",")[0]
        line_told = int(told) if told.isdecimal() else None
        problems.append(Problem("toml", f"{err}", str(place), line_told))
    except (RecursionError, ValueError) as err:
        reason = "nested too deeply" if isinstance(err, RecursionError) else err
        problems.append(Problem("toml", f"{reason}; expected one line per setting", str(place)))
    else:
        return file
    return None


def _typed(field: WrittenField, text: str) -> Any:
    """Bring the text of an environment variable to what a file would hold."""
    match field.kind:
        case Whole():
            return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else text
        case ListOf():
            return text.split()
        case _:
            return text


def _take(values: dict[str, Any], field: WrittenField, held: Any, reader: _Reader, name: str) -> None:
    """Read one setting, or note what is wrong with it."""
    where = (*_Reader.TOP, name)
    value = reader.value(field.kind, held, where)
    if value is FAILED:
        return
    try:
        values[field.name] = _CHECKS[field.name](value) if field.name in _CHECKS else value
    except _RefusedError as err:
        reader.problem(field.key.replace("_", "-"), f"{name} = {err}", where)


def _known_zone(name: str) -> str:
    if zone_named(name) is None:
        raise _RefusedError(_unknown_zone(name))
    return name


def _unknown_zone(name: str) -> str:
    names = zone_names()
    if len(names) < 10:
        return f"{shown(name)}: this machine has no tz database; install the package tzdata"
    close = nearest(name, sorted(names))
    hint = f"did you mean {' or '.join(close)}?" if close else "expected such as 'Europe/Paris'"
    return f"{shown(name)}: no zone of the IANA tz database; {hint}"


def _lapse(quantity: Quantity) -> timedelta:
    from mesoformula.units import magnitude, show

    minutes = magnitude(quantity, "min")
    most = LONGEST_LAPSE // timedelta(minutes=1)
    if minutes != int(minutes) or not 1 <= minutes <= most:
        raise _RefusedError(
            f"{show(quantity)}: expected whole minutes, from 1 min to {LONGEST_LAPSE.days} d, such as '24 h'"
        )
    return timedelta(minutes=int(minutes))


def _printing(text: str) -> str:
    if text.strip() != text or not text.isprintable():
        raise _RefusedError(f"{shown(text)}: expected one line without blanks at its ends")
    return text


def _separators(texts: tuple[str, ...]) -> tuple[str, ...]:
    for text in texts:
        bracketed = len(text) > 2 and text[0] + text[-1] in ("<>", "()")
        if not bracketed and _IN_LOTS.issuperset(text):
            raise _RefusedError(
                f"{shown(text)}: a lot number may hold that; expected such as '|' or '{{GS}}'"
            )
    return tuple(dict.fromkeys(texts))


_CHECKS: Mapping[str, Callable[[Any], Any]] = {
    "time_zone": _known_zone,
    "actor": _printing,
    "stock": _printing,
    "location": _printing,
    "reservations_lapse_after": _lapse,
    "scanner_separators": _separators,
}
