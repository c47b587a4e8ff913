"""Fixtures that every test may use."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from mesoformula.catalogue.cache import cache_folder
from mesoformula.formulary import Formulary

# A slow machine is no failure: no test here asserts on time.
settings.register_profile("mesoformula", deadline=None, max_examples=100, print_blob=True)
settings.load_profile("mesoformula")

# Read before the tests' environment is emptied of the user's settings.
_POSTGRES = os.environ.get("MESOFORMULA_TEST_POSTGRES")

pytest_plugins = ["libreoffice"]

_XDG = ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")


@pytest.fixture(scope="session", autouse=True)
def _nothing_of_the_users(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the whole run out of the user's settings, stock and cache."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("MESOFORMULA_")]:
            patch.delenv(name)
        for name in _XDG:
            patch.setenv(name, str(home / name.lower()))
        cache_folder.cache_clear()
        yield
    cache_folder.cache_clear()


_numbers = count()


@pytest.fixture(autouse=True)
def _nothing_of_other_tests(
    _nothing_of_the_users: None, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Give each test a data folder of its own; the cache is by content, and may be shared."""
    folder = tmp_path_factory.getbasetemp() / f"data-{next(_numbers)}"
    monkeypatch.setenv("XDG_DATA_HOME", str(folder))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder))
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a server where databases may be made; without one the tests fail, and are never skipped."""
    given = _POSTGRES
    if given:
        yield given
        return
    with _running_server() as url:
        yield url


@contextmanager
def _empty_database(server: str) -> Iterator[str]:
    import psycopg
    from sqlalchemy.engine import make_url

    name = f"meso_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of an empty PostgreSQL database."""
    with _empty_database(postgres_server) as url:
        yield url


@pytest.fixture
def another_postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of a second one."""
    with _empty_database(postgres_server) as url:
        yield url


@pytest.fixture(scope="session")
def formulary(_nothing_of_the_users: None) -> Formulary:
    """The bundled catalogues, all of them."""
    formulary = Formulary()
    formulary.add_catalogue(files("mesoformula_catalogues"))
    return formulary


@cache
def _tables() -> tuple[dict[str, Any], ...]:
    """Read the bundled files with the standard library alone, to know what must be found in them."""
    root = files("mesoformula_catalogues")
    paths = [path for folder in ("substances", "products") for path in root.joinpath(folder).iterdir()]
    return tuple(
        tomllib.loads(path.read_text(encoding="utf-8"))
        for path in sorted(paths, key=lambda path: path.name)
        if path.name.endswith(".toml")
    )


def _product_ids() -> list[str]:
    return [
        f"{table['vendor']['id']}/{product['sku']}@{product.get('revision', 1)}"
        for table in _tables()
        for product in table.get("product", [])
    ]


def _equivalents() -> list[tuple[str, int, int]]:
    """Product, number of its composition entry, number of the entry's equivalence."""
    found = []
    for table in _tables():
        for product in table.get("product", []):
            name = f"{table['vendor']['id']}/{product['sku']}@{product.get('revision', 1)}"
            entries = [entry for part in product["part"] for entry in part.get("composition", [])]
            entries += product.get("composition", [])
            for number, entry in enumerate(entries):
                found += [(name, number, place) for place in range(len(entry.get("equivalents", [])))]
    return found


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test once for every bundled product, substance or label equivalence that its argument names."""
    wanted: dict[str, Callable[[], list[Any]]] = {
        "product_id": _product_ids,
        "substance_id": lambda: [
            substance["id"] for table in _tables() for substance in table.get("substance", [])
        ],
        "equivalence": _equivalents,
    }
    for name, found in wanted.items():
        if name in metafunc.fixturenames:
            values = found()
            metafunc.parametrize(
                name, values, ids=["-".join(map(str, v)) if isinstance(v, tuple) else v for v in values]
            )


_POSTGRES_PLACES = "/usr/lib/postgresql/*/bin"


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        paths = sorted(Path("/").glob(f"{_POSTGRES_PLACES[1:]}/{name}"), key=lambda path: int(path.parts[-3]))
        found = str(paths[-1]) if paths else None
    if found is None:
        raise FileNotFoundError(
            f"{name} is not on this machine: install PostgreSQL 15 or later (apt-get install postgresql), "
            "or set MESOFORMULA_TEST_POSTGRES to the URL of a server where databases may be made"
        )
    return found


def _whom() -> dict[str, Any]:
    """Choose who runs the server, which refuses to be run by root."""
    if os.geteuid() != 0:
        return {}
    import pwd

    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise LookupError("neither a user `postgres` nor `nobody` is there to run the server")


@contextmanager
def _running_server() -> Iterator[str]:
    """Start a server on a socket of its own, for whoever can read its folder."""
    programs = {name: _program(name) for name in ("initdb", "pg_ctl")}
    whom = _whom()
    # Not below pytest's folder, which is closed to other users, and short: a socket's path has 107 bytes.
    with tempfile.TemporaryDirectory(prefix="meso-pg-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if whom:
            os.chown(folder, whom["user"], whom["group"])
        folder.chmod(0o755)
        data = folder / "data"

        def run(program: str, *arguments: str) -> None:
            with (folder / "said").open("ab") as said:
                done = subprocess.run(
                    [programs[program], "-D", str(data), *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=said,
                    stderr=subprocess.STDOUT,
                    cwd=folder,
                    check=False,
                    timeout=120,
                    **whom,
                )
            if done.returncode:
                what = (folder / "said").read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{program} failed: {what}")

        run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        # One user who needs a password, among all who need none.
        rights = data / "pg_hba.conf"
        rights.write_text(f"local all meso_locked scram-sha-256\n{rights.read_text()}")
        # Whether a disk keeps its word is not tested here, and each database is made for one test.
        settings = "-c listen_addresses='' -c fsync=off -c full_page_writes=off -c autovacuum=off"
        run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", f"{settings} -k {folder}", "start")
        try:
            yield f"postgresql://postgres@/postgres?host={folder}"
        finally:
            run("pg_ctl", "-m", "immediate", "stop")
