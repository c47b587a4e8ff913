"""Settings are read strictly: what cannot be used is named with its line or its variable, all at once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, timedelta
from pathlib import Path
from textwrap import dedent
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoformula.clock import MachineZone
from mesoformula.errors import CatalogueError, Problem, SettingsError
from mesoformula.settings import FILE_VARIABLE, PREFIX, Settings, Sharing, load_settings

Write = Callable[[str], Path]
#: Keeps the machine's own zone out of the answers.
HERE = {"TZ": "Europe/Rome"}


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def put(text: str) -> Path:
        path = tmp_path / "settings.toml"
        path.write_text(dedent(text), encoding="utf-8")
        return path

    return put


def refused(environ: dict[str, str], path: Path | None = None) -> list[tuple[int | None, str, str]]:
    with pytest.raises(SettingsError) as caught:
        load_settings(environ, path)
    return [(one.line, one.code, one.message) for one in caught.value.problems]


EVERYTHING = """
    # our site
    time_zone = "Europe/Paris"
    actor = "n.roux"
    region = "FR"
    language = "fr"
    stock = "/srv/stock.sqlite"
    lot_policy = "strict"
    minimum_days_left = 30
    reservations_lapse_after = "36 h"
    share_multi_dose = "forbid"
    scanner_separators = ["|", "{GS}", "<GS>", "|"]
    location = "fridge 2"
"""
ALL = Settings(
    time_zone="Europe/Paris",
    actor="n.roux",
    region="FR",
    language="fr",
    stock="/srv/stock.sqlite",
    lot_policy="strict",
    minimum_days_left=30,
    reservations_lapse_after=timedelta(hours=36),
    share_multi_dose=Sharing.FORBID,
    scanner_separators=("|", "{GS}", "<GS>"),
    location="fridge 2",
)


def test_without_any_setting_the_defaults_hold() -> None:
    settings = load_settings(HERE)

    assert settings == Settings(time_zone="Europe/Rome")
    assert (settings.lot_policy, settings.minimum_days_left, settings.location) == ("fefo", 0, "main")
    assert settings.reservations_lapse_after == timedelta(hours=24)
    assert settings.share_multi_dose is Sharing.WARN
    assert settings.region is None


def test_the_file_sets_everything(write: Write) -> None:
    assert load_settings(HERE, write(EVERYTHING)) == ALL


def test_the_environment_sets_everything() -> None:
    environ = {
        "TIME_ZONE": "Europe/Paris",
        "ACTOR": "n.roux",
        "REGION": "FR",
        "LANGUAGE": "fr",
        "STOCK": "/srv/stock.sqlite",
        "LOT_POLICY": "strict",
        "MINIMUM_DAYS_LEFT": "30",
        "RESERVATIONS_LAPSE_AFTER": "36 h",
        "SHARE_MULTI_DOSE": "forbid",
        "SCANNER_SEPARATORS": "| {GS}  <GS>",
        "LOCATION": "fridge 2",
    }

    assert load_settings({PREFIX + name: text for name, text in environ.items()}) == ALL


def test_the_environment_goes_before_the_file_and_an_empty_variable_does_not_count(write: Write) -> None:
    environ = {"MESOFORMULA_REGION": "UK", "MESOFORMULA_ACTOR": "", "MESOFORMULA_MINIMUM_DAYS_LEFT": "7"}

    settings = load_settings(environ, write(EVERYTHING))

    assert settings == attrs.evolve(ALL, region="UK", minimum_days_left=7)


def test_the_environment_names_the_file(write: Write, tmp_path: Path) -> None:
    environ = {FILE_VARIABLE: str(write('region = "FR"'))}
    other = tmp_path / "other.toml"
    other.write_text('region = "KR"', encoding="utf-8")

    assert load_settings(environ).region == "FR"
    assert load_settings(environ, other).region == "KR"


def test_without_a_name_the_file_lies_in_the_users_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "mesoformula").mkdir()
    (tmp_path / "mesoformula" / "settings.toml").write_text('region = "FR"', encoding="utf-8")

    assert load_settings(HERE).region == "FR"


def test_a_byte_order_mark_and_windows_lines_are_read(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(b'\xef\xbb\xbf# ours\r\nregion = "FR"\r\nlanguage = 5\r\n')

    assert refused(HERE, path) == [(3, "type", "language = 5 (a bare number): expected text such as 'en'")]


def test_everything_that_is_wrong_is_said_at_once_with_its_line_or_variable(write: Write) -> None:
    path = write(
        """\
        time_zone = "Europe/Pari"
        actor = " n.roux"
        region = "France"
        langage = "fr"
        stock = 5
        lot_policy = "FEFO!"
        minimum_days_left = 2.5
        reservations_lapse_after = "24"
        share_multi_dose = "allow"
        scanner_separators = [
            "|",
            "GS",
            7,
        ]
        [location]
        name = "main"
        """
    )
    environ = {"MESOFORMULA_MINIMUM_DAYS_LEFT": "-3", "MESOFORMULA_TIME_ZONE": "Mars/Olympus"}

    with pytest.raises(CatalogueError) as caught:
        load_settings(environ, path)

    problems = caught.value.problems
    assert [(one.line, one.code) for one in problems] == [
        (1, "time-zone"),
        (2, "actor"),
        (3, "text"),
        (4, "unknown-key"),
        (5, "type"),
        (6, "text"),
        (7, "type"),
        (8, "bare"),
        (9, "word"),
        (13, "type"),
        (15, "type"),
        (None, "time-zone"),
        (None, "type"),
    ]
    assert {one.path for one in problems[:-2]} == {str(path)}
    assert "did you mean Europe/Paris" in problems[0].message
    assert problems[3].message == "'langage' is no setting; did you mean language?"
    assert problems[9].message == "scanner_separators 3 = 7 (a bare number): expected text such as '{GS}'"
    assert problems[-2].message.startswith("MESOFORMULA_TIME_ZONE = 'Mars/Olympus': no zone")
    assert problems[-1].message == (
        "MESOFORMULA_MINIMUM_DAYS_LEFT = '-3': expected a whole number from 0 to 36500"
    )
    assert problems[-1].path is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('reservations_lapse_after = "0 h"', "zero"),
        ('reservations_lapse_after = "30 s"', "reservations-lapse-after"),
        ('reservations_lapse_after = "90.5 min"', "reservations-lapse-after"),
        ('reservations_lapse_after = "9999 d"', "reservations-lapse-after"),
        ('reservations_lapse_after = "5 mL"', "dimension"),
        ('scanner_separators = ["-"]', "scanner-separators"),
        ('scanner_separators = ["GS"]', "scanner-separators"),
        ('scanner_separators = [" "]', "text"),
        ('scanner_separators = "|"', "type"),
        ("minimum_days_left = 99999999999", "range"),
        ("minimum_days_left = true", "type"),
        ('actor = ""', "text"),
        ('location = "a\\nb"', "location"),
        ('location = "\\u001b[2J"', "text"),
        ('time_zone = "../../etc/passwd"', "time-zone"),
        ("region = ", "toml"),
        ("region = 99999999999999999999", "toml"),
        ('region = "FR"\nregion = "UK"', "toml"),
        ("a = " + "[" * 5000, "toml"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused(write: Write, text: str, code: str) -> None:
    ((line, found, message),) = refused(HERE, write(text))

    assert found == code
    assert message.isprintable()
    assert line in (1, 2, None)


def test_a_file_that_is_not_utf_8_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(b'region = "FR"\nactor = "Ren\xe9"\n')

    assert refused(HERE, path) == [(2, "encoding", "not UTF-8; save it as UTF-8")]


def test_a_file_that_was_named_and_is_not_there_is_refused(tmp_path: Path) -> None:
    missing = tmp_path / "missing.toml"

    for found in (refused(HERE, missing), refused({FILE_VARIABLE: str(missing)})):
        assert found == [(None, "file", "cannot be read: No such file or directory")]


@pytest.mark.parametrize("path", ["/dev/zero", "/dev"])
def test_what_is_no_regular_file_is_refused(path: str) -> None:
    ((_line, code, message),) = refused(HERE, Path(path))

    assert (code, "no regular file" in message) == ("file", True)


def test_a_file_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(b"#" * 6_000_000)

    ((_line, code, message),) = refused(HERE, path)
    assert (code, "larger than" in message) == ("file", True)


def test_settings_are_not_kept_in_the_cache(tmp_path: Path) -> None:
    """A stock's URL may hold a password."""
    path = tmp_path / "settings.toml"
    path.write_text('stock = "postgresql://us:hunter2@db/stock"\n', encoding="utf-8")
    program = (
        "import os, pathlib; from mesoformula.settings import load_settings;"
        "print(load_settings(os.environ).stock)"
    )
    places = {name: str(tmp_path / name) for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME")}
    environ = {**os.environ, **places, FILE_VARIABLE: str(path)}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environ
    )

    assert "hunter2" in done.stdout
    assert [one for one in tmp_path.rglob("*") if one.is_file()] == [path]


def test_defaults_are_loaded_without_anything_heavy() -> None:
    program = (
        "import sys; from mesoformula.settings import load_settings; load_settings({'TZ': ''}).zone();"
        "print(sorted({'pint', 'sqlalchemy', 'tomllib', 'click'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_the_zone_is_the_named_one_or_that_of_the_machine() -> None:
    assert Settings(time_zone="Europe/Paris").zone() == ZoneInfo("Europe/Paris")
    assert Settings(time_zone="UTC").zone() is UTC
    assert isinstance(Settings().zone(), MachineZone)
    assert load_settings({"TZ": "CET-1CEST,M3.5.0,M10.5.0/3"}).time_zone is None


def test_a_zone_that_is_not_known_is_never_replaced() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings(time_zone="Europe/Pari").zone()

    assert caught.value.problems[0].code == "time-zone"


@given(
    st.dictionaries(
        st.sampled_from([PREFIX + one.name.upper() for one in attrs.fields(Settings)]), st.text(max_size=40)
    )
)
def test_whatever_the_environment_holds_settings_are_loaded_or_refused(environ: dict[str, str]) -> None:
    problems: tuple[Problem, ...] = ()
    try:
        load_settings({**HERE, **environ})
    except SettingsError as err:
        problems = err.problems

    assert all(problem.message.isprintable() for problem in problems)


@given(st.binary(max_size=60))
def test_whatever_the_file_holds_settings_are_loaded_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any-settings.toml"
    path.write_bytes(content)

    with suppress(SettingsError):
        load_settings(HERE, path)
