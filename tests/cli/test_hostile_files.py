"""Files that mean harm, or are not what their name says: one clear line, soon, and in little memory."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import openpyxl
import pytest

NCTF = "fillmed/nctf-135ha"
MOST_MEMORY = 300_000_000
MOST_SECONDS = 5

#: Runs a command with a ceiling on its memory, and tells what it took; the process does so itself, as what a
#: parent sees of its child begins with the parent's own memory.
RUN = """
import json, resource, sys, time
resource.setrlimit(resource.RLIMIT_AS, (1_500_000_000, 1_500_000_000))
from mesoformula.cli import run
code = run(sys.argv[2:])
with open("/proc/self/status") as status:
    peak = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
with open(sys.argv[1], "w") as file:
    json.dump({"code": code, "memory": peak, "seconds": time.process_time()}, file)
"""


@attrs.frozen
class Took:
    """What a command said, and what it took."""

    code: int
    out: str
    err: str
    memory: int
    seconds: float


@pytest.fixture
def limited(tmp_path: Path) -> Callable[..., Took]:
    def call(*words: str) -> Took:
        told = tmp_path / "took.json"
        done = subprocess.run(
            [sys.executable, "-c", RUN, str(told), *words], capture_output=True, text=True, timeout=120
        )
        assert told.is_file(), done.stderr
        return Took(out=done.stdout, err=done.stderr, **json.loads(told.read_text()))

    return call


def saved(book: openpyxl.Workbook) -> bytes:
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def changed(content: bytes, change: Callable[[str, bytes], bytes], **more: bytes) -> bytes:
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as before,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as after,
    ):
        for name in before.namelist():
            after.writestr(name, change(name, before.read(name)))
        for name, data in more.items():
            after.writestr(name, data)
    return stream.getvalue()


def in_sheet(content: bytes, change: Callable[[bytes], bytes]) -> bytes:
    return changed(content, lambda name, data: change(data) if name == "xl/worksheets/sheet1.xml" else data)


def same(_name: str, data: bytes) -> bytes:
    return data


def entities(content: bytes) -> bytes:
    declared = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    return in_sheet(content, lambda data: data.replace(b"<worksheet", declared + b"<worksheet", 1))


def laughs(content: bytes) -> bytes:
    declared = b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10))
    head = b'<!DOCTYPE x [<!ENTITY a0 "ha">%s]>' % declared
    return in_sheet(content, lambda data: data.replace(b"<worksheet", head + b"<worksheet", 1))


def lying(content: bytes) -> bytes:
    """A part that unpacks to far more than it says."""
    big = bytearray(in_sheet(content, lambda data: data + b" " * 200_000_000))
    with zipfile.ZipFile(io.BytesIO(bytes(big))) as archive:
        size = archive.getinfo("xl/worksheets/sheet1.xml").file_size.to_bytes(4, "little")
    for place in [one.start() for one in re.finditer(re.escape(size), big)]:
        big[place : place + 4] = (500).to_bytes(4, "little")
    return bytes(big)


def rows_of(cells: Callable[[int], str]) -> Callable[[bytes], bytes]:
    """Replace all rows by as many as a sheet has."""

    def change(content: bytes) -> bytes:
        rows = "".join(f'<row r="{n}">{cells(n)}</row>' for n in range(1, 1_048_577)).encode()
        return in_sheet(
            content,
            lambda data: re.sub(
                rb"<sheetData>.*</sheetData>", b"<sheetData>" + rows + b"</sheetData>", data, flags=re.DOTALL
            ),
        )

    return change


PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 4096
LOCKED = OLD + "EncryptedPackage".encode("utf-16-le")

HOSTILE: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "zip bomb": (lambda content: changed(content, same, **{"xl/media/a.xml": b"\0" * 300_000_000}), "[bomb]"),
    "rows that unpack": (lambda content: in_sheet(content, lambda data: data + b" " * 90_000_000), "[bomb]"),
    "lying archive": (lying, "["),
    "external entity": (entities, "[entities]"),
    "billion laughs": (laughs, "[entities]"),
    "a million styled rows": (rows_of(lambda n: f'<c r="A{n}" s="0"/>'), "["),
    "a million filled rows": (rows_of(lambda n: f'<c r="A{n}"><v>1</v></c>'), "[too-large]"),
    "renamed PDF": (lambda _content: PDF, "is no Excel workbook"),
    "old workbook": (lambda _content: OLD, "Excel 97 to 2003"),
    "locked with a password": (lambda _content: LOCKED, "password"),
    "half a workbook": (lambda content: content[: len(content) // 2], "is no Excel workbook"),
    "ten million bytes": (lambda content: content + os.urandom(10_000_000), "larger than 10 MB"),
    "nothing at all": (lambda _content: b"", "is no Excel workbook"),
}

#: What reads a file: the command, and the file's place in it.
COMMANDS = {
    "import": ["sheet", "import", "FILE", "--reason", "May"],
    "receive": ["stock", "receive", "--from", "FILE"],
}


@pytest.fixture
def count(meso: Any) -> bytes:
    """The sheet of a count of one lot."""
    assert meso("stock", "receive", NCTF, "--lot", "A", "--containers", "5", "--expiry", "05/2099").code == 0
    assert meso("sheet", "count", "count.xlsx").code == 0
    return Path("count.xlsx").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_is_one_clear_line(
    meso: Any, count: bytes, limited: Callable[..., Took], command: str, kind: str
) -> None:
    make, said = HOSTILE[kind]
    Path("file.xlsx").write_bytes(make(count))
    before = meso("stock", "verify", "--json").json["anchor"]

    ran = limited(*("file.xlsx" if word == "FILE" else word for word in COMMANDS[command]))

    assert ran.code == 3, ran.out + ran.err
    (line,) = ran.err.splitlines()
    assert line.startswith("file.xlsx: ")
    assert said in line
    assert ran.out == ""
    assert ran.memory < MOST_MEMORY
    assert ran.seconds < MOST_SECONDS
    assert meso("stock", "verify", "--json").json["anchor"] == before


@pytest.mark.parametrize("name", ["file.xls", "file.pdf", "file.xlsm"])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_of_another_kind_is_one_clear_line(
    count: bytes, limited: Callable[..., Took], command: str, name: str
) -> None:
    Path(name).write_bytes(PDF)

    ran = limited(*(name if word == "FILE" else word for word in COMMANDS[command]))

    assert ran.code in (2, 3)
    assert "Traceback" not in ran.err
    assert ran.memory < MOST_MEMORY
    assert ran.seconds < MOST_SECONDS


@pytest.mark.slow
def test_a_million_empty_rows_below_the_table_are_read_as_empty(
    meso: Any, count: bytes, limited: Callable[..., Took]
) -> None:
    book = openpyxl.load_workbook(io.BytesIO(count))
    sheet = book.active
    head = next(row for row in sheet.iter_rows() if "Counted" in [cell.value for cell in row])
    place = [cell.value for cell in head].index("Counted") + 1
    sheet.cell(head[0].row + 1, place).value = 4
    first, end = sheet.max_row + 1, 1_048_577
    content = in_sheet(
        saved(book),
        lambda data: data.replace(
            b"</sheetData>", "".join(f'<row r="{n}"/>' for n in range(first, end)).encode() + b"</sheetData>"
        ),
    )
    Path("file.xlsx").write_bytes(content)

    ran = limited("sheet", "import", "file.xlsx", "--reason", "May")

    assert (ran.code, ran.err) == (0, "")
    assert ran.memory < MOST_MEMORY
    assert ran.seconds < MOST_SECONDS
    (entry,) = meso("stock", "list", "--json").json["on_hand"]
    assert entry["containers"] == 4
