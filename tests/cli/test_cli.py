"""What holds for every command: help, exit codes, and what a terminal or a pipe may do to it."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from mesoformula import __version__
from mesoformula.app import App
from mesoformula.cli import COMMANDS, cli, main

SCRIPT = Path(sys.executable).with_name("mesoformula")

BROKEN = "raise RuntimeError('out of order')"


def every_command() -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        found.append((name,))
        if isinstance(command, click.Group):
            found += [(name, verb) for verb in command.list_commands(context)]
    return found


@pytest.mark.parametrize("words", [(), *every_command()], ids=" ".join)
def test_every_help_has_an_example_that_starts_as_it_is_typed(meso, words):
    ran = meso(*words, "-h")
    assert ran.code == 0
    assert "Example:" in ran.out
    assert f"mesoformula {' '.join(words)}".strip() in ran.out.partition("Example:")[2]


@pytest.mark.parametrize("words", [(), *every_command()], ids=" ".join)
def test_every_help_fits_80_columns(meso, words):
    assert max(map(len, meso(*words, "--help").out.splitlines())) <= 80


def test_the_list_of_commands_cuts_no_sentence_short(meso):
    for group in ((), ("formula",), ("stock",), ("sheet",), ("plugin",)):
        assert "..." not in meso(*group, "-h").out.partition("Commands:")[2]


def test_the_version_is_the_packages(meso):
    assert meso("--version").out == f"mesoformula {__version__}\n"


def test_no_command_shows_the_help(meso):
    ran = meso()
    assert ran.code in (0, 2)  # click 8.1 calls it done, later ones wrong usage
    assert (ran.out + ran.err).startswith("Usage: mesoformula")
    assert "session" in ran.out + ran.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["sesion", "x"], "no command is called 'sesion'; did you mean session?"),
        (["zzz"], "no command is called 'zzz'; see 'mesoformula -h'"),
        (["stock", "recieve"], "did you mean receive?"),
        (["formula", "zzz"], "known: check, new, show"),
        (["--bogus"], "--bogus"),
        (["session", "--bogus"], "see 'mesoformula session -h' for an example"),
        (["session"], "FORMULA"),
        (["session", "a", "b"], "(b); see 'mesoformula session -h'"),
        (["convert", "5 mg"], "--substance"),
    ],
)
def test_a_mistyped_command_is_wrong_usage_and_one_line_says_what_to_do(meso, words, said):
    ran = meso(*words)
    assert ran.code == 2
    assert said in ran.err
    assert ran.err.count("\n") == 1
    assert ran.out == ""


def test_an_internal_error_is_one_line_and_asks_to_be_reported(meso, monkeypatch):
    monkeypatch.setattr(App, "formula", lambda self, name: 1 // 0)
    ran = meso("session", "x")
    assert ran.code == 3
    assert ran.err.count("\n") == 1
    assert "internal error: ZeroDivisionError" in ran.err
    assert "please report it" in ran.err


def test_an_internal_error_shows_where_on_request(meso, monkeypatch):
    monkeypatch.setattr(App, "formula", lambda self, name: 1 // 0)
    monkeypatch.setenv("MESOFORMULA_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        meso("session", "x")


def test_an_interruption_says_so(meso, monkeypatch):
    def interrupt(self, name):
        raise KeyboardInterrupt

    monkeypatch.setattr(App, "formula", interrupt)
    ran = meso("session", "x")
    assert (ran.code, ran.err) == (130, "interrupted\n")


def test_what_a_user_typed_cannot_steer_the_terminal(meso):
    for words in (
        ["product", "a\x1b[31mb"],
        ["products", "\x1b[31m"],
        ["session", "\x1b[31m"],
        ["stock", "list", "\x1b[31m"],
    ):
        ran = meso(*words)
        assert "\x1b" not in ran.out + ran.err
    assert "a\\x1b[31mb" in meso("product", "a\x1b[31mb").err


def test_a_broken_plugin_is_a_warning_and_the_rest_works(meso, install_plugin):
    install_plugin("broken", BROKEN)
    ran = meso("products", "nctf")
    assert ran.code == 0
    assert "fillmed/nctf-135ha" in ran.out
    assert "warning: plugin broken (fake-broken 1.0)" in ran.err


def test_a_broken_plugin_is_fatal_under_strict(meso, install_plugin):
    install_plugin("broken", BROKEN)
    ran = meso("--strict", "products", "nctf")
    assert ran.code == 3
    assert "broken (fake-broken 1.0)" in ran.err
    assert ran.out == ""


def test_strict_holds_also_where_a_plugin_has_the_command(meso, install_plugin):
    install_plugin("broken", BROKEN)
    assert meso("--strict", "zzz").code == 3


def test_what_is_not_found_names_the_plugin_that_failed(meso, install_plugin):
    install_plugin("broken", BROKEN)
    ran = meso("product", "acme/one")
    assert ran.code == 2
    assert "warning: plugin broken" in ran.err
    assert "(plugin broken has failed)" in ran.err


def test_a_plugin_may_add_a_command(meso, install_plugin):
    install_plugin(
        "greets",
        """
        import click
        from mesoformula import hookimpl

        @click.command("greet", short_help="Greet.")
        def greet():
            click.echo("good evening")
            return 1

        @hookimpl
        def mesoformula_commands():
            return [greet]
        """,
    )
    assert (meso("greet").code, meso("greet").out) == (1, "good evening\n")
    assert "greet       Greet." in meso("-h").out


def test_a_catalogue_of_the_users_own_is_read_too(meso, write):
    path = write(
        "acme.toml",
        """
        schema = 1

        [vendor]
        id = "acme"
        name = "Acme"

        [[product]]
        sku = "one"
        name = "Acme One"
        part = [{ container = "vial", form = "solution", volume = "2 mL" }]
        [[product.source]]
        kind = "IFU"
        where = "leaflet"
        read = 2026-01-02
        """,
    )
    ran = meso("--catalogue", str(path), "product", "acme/one")
    assert (ran.code, ran.err) == (0, "")
    assert "Acme One — Acme" in ran.out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "nope.toml: [file] cannot be read"),
        ("schema = 2", "nope.toml:1: [schema]"),
        ("schema =", "nope.toml:1: [toml]"),
        ("schema = 1\n[vendors]", "nope.toml:2: [unknown-key]"),
    ],
)
def test_a_catalogue_that_the_user_named_and_that_is_bad_is_bad_data(meso, write, text, said):
    if text is not None:
        write("nope.toml", text)
    ran = meso("--catalogue", "nope.toml", "products")
    assert ran.code == 3
    assert said in ran.err
    assert ran.out == ""


# ---- as a process -----------------------------------------------------------------------------------------


def test_exit_codes_reach_the_shell(process):
    assert process("--version").returncode == 0
    assert process("product", "nope").returncode == 2
    assert process("session", "nope.toml").returncode == 3


def test_a_negative_quantity_reaches_the_grammar_from_a_shell(process):
    ran = process("convert", "-3 mL", "--substance", "retinol", "--to", "mg")
    assert ran.returncode == 2
    assert ran.stderr.decode() == (
        "mesoformula convert: '-3 mL': a negative amount; expected one above zero such as '3 mL'\n"
    )


@pytest.mark.parametrize("words", ["products", "session teaching-all-lines --explain", "substances --json"])
def test_a_reader_that_leaves_early_is_no_error(words):
    with subprocess.Popen(
        [SCRIPT, *words.split()], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as started:
        assert started.stdout is not None
        assert started.stderr is not None
        started.stdout.close()
        assert started.stderr.read() == b""
        assert started.wait(60) == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_said():
    with Path("/dev/full").open("wb") as full:
        ran = subprocess.run([SCRIPT, "classes"], stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert ran.returncode == 3
    assert b"No space left on device" in ran.stderr
    assert b"Traceback" not in ran.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_a_terminal_without_our_signs_gets_them_escaped(process, encoding):
    ran = process("products", "nctf", PYTHONIOENCODING=encoding, PYTHONUTF8="0")
    assert ran.returncode == 0
    assert b"fillmed/nctf-135ha" in ran.stdout
    assert b"Traceback" not in ran.stderr
    refused = process("session", "x", "--volume", "💉", PYTHONIOENCODING=encoding, PYTHONUTF8="0")
    assert refused.returncode == 2


def test_it_runs_in_the_c_locale_without_a_home_or_a_cache(tmp_path):
    (tmp_path / "file").touch()
    environment = {"LC_ALL": "C", "PATH": os.environ["PATH"], "XDG_CACHE_HOME": str(tmp_path / "file" / "x")}
    words = ["convert", "5000 IU", "--substance", "retinol", "--to", "µg"]
    ran = subprocess.run([SCRIPT, *words], capture_output=True, env=environment, timeout=60)
    assert ran.returncode == 0, ran.stderr
    assert b"1500.00" in ran.stdout


def test_formula_new_asks_on_a_terminal_and_asks_again(tmp_path):
    answers = ["", "nonsense", "acme/none=1 mL", "phoenix-labs/ascorbic-acid-500=5,5 mL"]
    answers += ["phoenix-labs/ascorbic-acid-500=1 mL", "", "My mix", ""]
    said, code = on_a_terminal(["formula", "new", "mix.toml"], "\n".join(answers) + "\n")
    assert code == 0
    assert "A formula needs at least one line." in said
    assert "'nonsense' is no line" in said
    assert "no product is called 'acme/none'" in said
    assert "a decimal comma; write '5.5 mL'" in said
    text = Path("mix.toml").read_text(encoding="utf-8")
    assert 'name = "My mix"' in text
    assert 'volume = "1 mL"' in text


@pytest.mark.parametrize("key", ["\x03", "\x04"])
def test_formula_new_can_be_left_on_a_terminal_and_writes_nothing(key):
    said, code = on_a_terminal(["formula", "new", "mix.toml"], key)
    assert code == 130
    assert said.endswith("interrupted\r\n")
    assert not Path("mix.toml").exists()


def on_a_terminal(words: list[str], typed: str) -> tuple[str, int]:
    """Run a command on a terminal of its own, and type when it asks for the first line."""
    master, slave = pty.openpty()
    with subprocess.Popen(
        [SCRIPT, *words],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        preexec_fn=_take_terminal,
    ) as started:
        os.close(slave)
        said = b""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            if _is_there(master, 0.3):
                try:
                    said += os.read(master, 1024)
                except OSError:  # the other end is closed
                    break
            elif started.poll() is not None:
                break
            elif said.endswith((b"Line 1: ", b"^C")):
                # Silence: it waits. A signal may come just before it listens, hence perhaps a second one.
                os.write(master, typed.encode())
        else:
            started.kill()
            pytest.fail(f"it waits for ever after {said!r}")
        code = started.wait(60)
    os.close(master)
    return said.decode(), code


def _is_there(master: int, seconds: float) -> bool:
    return bool(select.select([master], [], [], seconds)[0])


def _take_terminal() -> None:
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def test_main_leaves_with_the_exit_code(capsys):
    with pytest.raises(SystemExit) as left:
        main(["product", "nope"])
    assert left.value.code == 2
