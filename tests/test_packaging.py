"""The wheel holds what the tree holds, and works outside the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


def shipped(root: Path) -> set[str]:
    return {
        str(path.relative_to(root))
        for path in root.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_holds_every_file_of_the_three_roots(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    expected = {f"mesoformula/{name}" for name in shipped(ROOT / "mesoformula")}
    for root in ("plugins", "catalogues"):
        for package in (ROOT / root).iterdir():
            if package.is_dir():
                expected |= {f"{package.name}/{name}" for name in shipped(package)}

    assert expected - names == set()
    assert {name for name in names if ".dist-info/" not in name} == expected


def test_the_wheel_installs_only_packages_of_ours(wheel: Path) -> None:
    top = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}

    assert {name for name in top if not name.startswith("mesoformula")} == set()


def test_every_first_party_plugin_has_its_entry_point(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("entry_points.txt")]
        text = archive.read(name).decode()
    for package in sorted((ROOT / "plugins").glob("mesoformula_*")):
        assert f"= {package.name}\n" in text


@pytest.mark.slow
def test_the_installed_wheel_runs_the_demo_outside_the_checkout(wheel: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([str(python), "-m", "pip", "install", "-q", str(wheel)], check=True, capture_output=True)
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    home = {"HOME": str(tmp_path / "home"), "PATH": os.environ["PATH"]}
    command = [str(tmp_path / "venv" / "bin" / "mesoformula"), "--strict", "demo"]
    done = subprocess.run(command, cwd=folder, env=home, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert (folder / "mesoformula-demo-stock.xlsx").stat().st_size > 5_000
    assert not list((tmp_path / "home").rglob("*.sqlite"))


@pytest.mark.slow
def test_the_sdist_builds_the_same_wheel(tmp_path: Path, wheel: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (sdist,) = tmp_path.glob("*.tar.gz")
    subprocess.run([sys.executable, "-m", "tarfile", "-e", str(sdist), str(tmp_path / "src")], check=True)
    (source,) = (tmp_path / "src").iterdir()
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")],
        cwd=source,
        check=True,
        capture_output=True,
    )
    (again,) = (tmp_path / "dist").glob("*.whl")

    assert sorted(zipfile.ZipFile(again).namelist()) == sorted(zipfile.ZipFile(wheel).namelist())
