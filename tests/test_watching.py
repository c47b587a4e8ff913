"""Code of plugins that takes long is named, can be interrupted, and can be traced."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import pytest

from mesoformula.errors import GridError, PluginResultError, Problem
from mesoformula.grids import Importer
from mesoformula.hookspecs import hookimpl
from mesoformula.plugins import PluginInfo, PluginManager
from mesoformula.sheets import Exporter
from mesoformula.stock.picks.policies import LotPolicy, Need
from mesoformula.treatments import Zone
from mesoformula.watching import PATIENCE, TRACE_VARIABLE, Watch, interrupted_in

SCRIPT = Path(sys.executable).with_name("mesoformula")
ACME = PluginInfo("acme", "fake-acme", "1.2")


def nothing() -> list[Any]:
    return []


def plugin(**hooks: Callable[..., Any]) -> ModuleType:
    module = ModuleType("made_for_a_test")
    for name, function in hooks.items():
        setattr(module, f"mesoformula_{name}", hookimpl(function))
    return module


def manager_with(one: ModuleType, *, first_party: bool = False, **watch: Any) -> PluginManager:
    manager = PluginManager(discovers=False, watch=Watch(**watch))
    manager.register(one, "acme", distribution="fake-acme", version="1.2", first_party=first_party)
    return manager


def wait_for(condition: Callable[[], object]) -> None:
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.005)


# ---- slow code -----------------------------------------------------------------------------------


def test_a_call_that_takes_long_is_named_once_while_it_runs(capsys: pytest.CaptureFixture[str]) -> None:
    said: list[str] = []

    def zones() -> Any:
        def look() -> bool:
            said.append(capsys.readouterr().err)
            return bool("".join(said))

        wait_for(look)
        time.sleep(0.05)
        yield Zone("late", "late", ())

    manager = manager_with(plugin(zones=zones), patience=0.02)

    assert [one.value.id for one in manager.zones()] == ["late"]
    assert "".join([*said, capsys.readouterr().err]) == (
        "mesoformula: waiting for plugin acme (fake-acme 1.2), whose mesoformula_zones takes more than "
        "0.02 s; Ctrl-C ends it; MESOFORMULA_BLOCK_PLUGINS=acme leaves the plugin out\n"
    )


def test_a_fast_call_is_not_named(capsys: pytest.CaptureFixture[str]) -> None:
    manager = manager_with(plugin(zones=nothing, techniques=nothing))
    manager.zones()
    manager.techniques()

    assert capsys.readouterr() == ("", "")


def test_the_watch_rests_when_nothing_runs_and_starts_again(capsys: pytest.CaptureFixture[str]) -> None:
    watch = Watch(patience=0.01)
    for _ in range(2):
        with watch.over(ACME, "something"):
            wait_for(lambda: "something" in capsys.readouterr().err)
        wait_for(lambda: watch._thread is None)


def test_calls_within_calls_and_at_once_are_all_named(capsys: pytest.CaptureFixture[str]) -> None:
    watch = Watch(patience=0.01)
    said: list[str] = []

    def both() -> bool:
        said.append(capsys.readouterr().err)
        return "outer" in "".join(said) and "inner" in "".join(said)

    with watch.over(ACME, "outer"), watch.over(ACME, "inner"), watch.over(ACME, "patient", may_last=True):
        wait_for(both)
    assert "patient" not in "".join(said)


def test_two_seconds_are_the_limit() -> None:
    assert PATIENCE == 2


# ---- tracing -------------------------------------------------------------------------------------


def traced(capsys: pytest.CaptureFixture[str]) -> list[str]:
    lines = capsys.readouterr().err.splitlines()
    assert all(line.startswith("trace: ") and line.endswith(" ms") for line in lines)
    return [line.removeprefix("trace: ").rpartition(" in ")[0] for line in lines]


def test_every_call_is_told_with_plugin_and_size(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    def boom() -> None:
        raise ValueError("\x1b[2Jboom")

    manager = manager_with(
        plugin(
            zones=lambda: [Zone("a", "a", ()), Zone("b", "b", ())],
            techniques=lambda: None,
            products=boom,
            check_product=lambda: (Problem("x", "x") for _ in range(1)),
            work_out_session=lambda: None,
            exporters=lambda: [Exporter(".acme", "Acme", lambda sheets, path: None)],
            importers=lambda: [Importer(".acme", "Acme", lambda path: ())],
            lot_policies=lambda: [LotPolicy("mine", "mine", "mine", lambda need, candidates: ())],
        ),
        traces=True,
    )
    manager.zones()
    manager.techniques()
    manager.products()
    manager.check_product(cast("Any", SimpleNamespace(id="x")))
    with pytest.raises(Exception, match="nobody"):
        manager.work_out_session(cast("Any", None), cast("Any", None))
    manager.exporters()[0].value.write((), tmp_path)
    manager.importers()[0].value.read(tmp_path)
    assert manager.lot_policies()[0].value.choose(Need("p", 1), ()) == ()

    who = "of acme (fake-acme 1.2)"
    assert traced(capsys) == [
        f"mesoformula_zones {who}: 2 things",
        f"mesoformula_techniques {who}: nothing",
        f"mesoformula_products {who}: raised ValueError: '\\x1b[2Jboom'",
        f"mesoformula_check_product {who}: 1 thing",
        f"mesoformula_work_out_session {who}: nothing",
        f"mesoformula_exporters {who}: 1 thing",
        f"exporter '.acme' {who}: done",
        f"mesoformula_importers {who}: 1 thing",
        f"importer '.acme' {who}: nothing",
        f"mesoformula_lot_policies {who}: 1 thing",
        f"lot policy 'mine' {who}: nothing",
    ]


@pytest.mark.parametrize(("value", "traces"), [("1", True), ("yes", True), ("0", False), ("", False)])
def test_the_environment_says_whether_to_trace(
    monkeypatch: pytest.MonkeyPatch, value: str, traces: bool
) -> None:
    monkeypatch.setenv(TRACE_VARIABLE, value)

    assert Watch().traces is traces


def test_a_name_that_would_steer_a_terminal_is_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    manager = PluginManager(discovers=False, watch=Watch(traces=True))
    manager.register(plugin(zones=nothing), "\x1b[2J\nacme")
    manager.zones()

    assert "of \\x1b[2J\\x0aacme: nothing" in capsys.readouterr().err


# ---- exporters and importers ---------------------------------------------------------------------


@pytest.mark.parametrize("err", [ValueError("boom"), SystemExit(3), AssertionError()])
def test_an_exporter_that_fails_is_named_with_its_plugin(err: BaseException, tmp_path: Path) -> None:
    def write(sheets: object, path: object) -> None:
        raise err

    manager = manager_with(plugin(exporters=lambda: [Exporter(".acme", "Acme", write)]))
    with pytest.raises(PluginResultError) as caught:
        manager.exporters()[0].value.write((), tmp_path)

    assert caught.value.problem.plugin == "acme (fake-acme 1.2)"
    assert "exporter '.acme' raised" in caught.value.problem.message
    assert caught.value.__cause__ is err
    assert manager.report()[0].state == "failed"


@pytest.mark.parametrize("err", [PermissionError("no"), GridError([Problem("x", "x")])])
def test_a_refusal_of_an_exporter_or_importer_passes_unchanged(err: Exception, tmp_path: Path) -> None:
    def refuse(*_: object) -> Any:
        raise err

    manager = manager_with(
        plugin(
            exporters=lambda: [Exporter(".acme", "Acme", refuse)],
            importers=lambda: [Importer(".acme", "Acme", refuse)],
        )
    )
    for call in (
        lambda: manager.exporters()[0].value.write((), tmp_path),
        lambda: manager.importers()[0].value.read(tmp_path),
    ):
        with pytest.raises(type(err)) as caught:
            call()
        assert caught.value is err
    assert manager.problems == ()


# ---- Ctrl-C --------------------------------------------------------------------------------------


def test_only_the_innermost_plugin_is_said_to_have_been_interrupted() -> None:
    watch = Watch()
    with (
        pytest.raises(KeyboardInterrupt) as caught,
        watch.over(PluginInfo("outer"), "this"),
        watch.over(ACME, "that"),
    ):
        raise KeyboardInterrupt

    assert interrupted_in(caught.value) == (
        "plugin acme (fake-acme 1.2) was running that; MESOFORMULA_BLOCK_PLUGINS=acme leaves the plugin out",
    )


HANGS = {
    "hook": """
        import time
        from mesoformula import hookimpl

        @hookimpl
        def mesoformula_products():
            {wait}
            yield
        """,
    "import": """
        import time
        {wait}
        """,
}


@pytest.mark.parametrize(
    ("where", "wait", "what"),
    [
        ("hook", "time.sleep(60)", "mesoformula_products"),
        ("hook", "while True: pass", "mesoformula_products"),
        ("import", "time.sleep(60)", "import of 'fake_hanging'"),
    ],
)
def test_ctrl_c_ends_a_slow_plugin_and_says_how_to_leave_it_out(
    where: str, wait: str, what: str, tmp_path: Path
) -> None:
    information = tmp_path / "fake_hanging-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: fake-hanging\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[mesoformula]\nhanging = fake_hanging\n")
    (tmp_path / "fake_hanging.py").write_text(dedent(HANGS[where]).format(wait=wait))
    command = [str(SCRIPT), "products", "nctf"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    ) as process:
        assert process.stderr is not None
        named = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)

    who = "plugin hanging (fake-hanging 1.0)"
    assert named.startswith(
        f"mesoformula: waiting for {who}, whose {what} takes more than 2 s; Ctrl-C ends it"
    )
    assert process.returncode == 130
    assert (out, err) == (
        "",
        f"interrupted\n{who} was running {what}; MESOFORMULA_BLOCK_PLUGINS=hanging leaves the plugin out\n",
    )


def test_what_a_hook_prints_does_not_spoil_what_programs_read(capsys: pytest.CaptureFixture[str]) -> None:
    watch = Watch()
    with watch.over(ACME, "hook"), watch.over(ACME, "another within"):
        print("rude")
    print("polite")
    with watch.over(ACME, "command", may_last=True):
        print("a command's own")

    assert tuple(capsys.readouterr()) == ("polite\na command's own\n", "rude\n")
