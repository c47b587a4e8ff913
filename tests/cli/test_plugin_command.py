"""`plugin list` and `plugin hooks`."""

import json
import re

import pytest

from mesoformula.hook_reference import hook_docs, reference

HOOKS = [one.name for one in hook_docs()]

ACME = """
    import click
    from mesoformula import Exporter, IngredientClass, LotPolicy, Zone, hookimpl
    from mesoformula.fields import Text

    mesoformula_contract = "1.0"

    @hookimpl
    def mesoformula_zones():
        return [Zone("acme-one", "one", ()), Zone("acme-two", "two", ())]

    @hookimpl
    def mesoformula_exporters():
        return [Exporter(".acme", "Acme", print)]

    @hookimpl
    def mesoformula_lot_policies():
        return [LotPolicy(name, name, name, print) for name in ("acme-a", "acme-b")]

    @hookimpl
    def mesoformula_commands():
        return [click.Command("acme-prices")]
    """


def listed(ran):
    return {plugin["name"]: plugin for plugin in ran.json["plugins"]}


def test_the_list_says_everything_of_a_plugin(meso, install_plugin):
    install_plugin("acme", ACME)
    ran = meso("plugin", "list", "--json")
    acme = listed(ran)["acme"]
    assert acme.pop("load_ms") > 0
    assert acme == {
        "name": "acme",
        "distribution": "fake-acme",
        "version": "1.0",
        "first_party": False,
        "state": "active",
        "reason": None,
        "contract": "1.0",
        "hooks": [f"mesoformula_{name}" for name in ("commands", "exporters", "lot_policies", "zones")],
        "offers": [
            {"kind": "zone", "count": 2, "names": []},
            {"kind": "exporter", "count": 1, "names": [".acme"]},
            {"kind": "lot policy", "count": 2, "names": ["acme-a", "acme-b"]},
            {"kind": "command", "count": 1, "names": ["acme-prices"]},
        ],
    }
    assert re.fullmatch(r"\d+\.\d+", ran.json["contract"])
    text = meso("plugin", "list").out
    (block,) = [part for part in text.split("\n\n") if part.startswith("acme ")]
    assert re.sub(r"\d+\.\d ms", "… ms", block).splitlines() == [
        "acme (fake-acme 1.0): active",
        "  offers    2 zones, 1 exporter (.acme), 2 lot policies (acme-a, acme-b), 1",
        "            command (acme-prices)",
        "  hooks     commands, exporters, lot_policies, zones",
        "  contract  written for 1.0",
        "  loaded    in … ms",
    ]


def test_the_list_counts_the_records_of_catalogues(meso):
    ran = meso("plugin", "list", "--json")
    counts = {one["kind"]: one["count"] for one in listed(ran)["formulary"]["offers"]}
    products = len(meso("products", "--json").json)
    assert counts["product"] >= products > 100
    assert f"{counts['product']} products" in meso("plugin", "list").said


@pytest.mark.parametrize(
    ("code", "state", "reason"),
    [
        ("raise RuntimeError('out of order')", "failed", "out of order"),
        ('mesoformula_contract = "99.0"', "incompatible", "update mesoformula"),
        (
            "import click\nfrom mesoformula import hookimpl\n"
            "@hookimpl\ndef mesoformula_commands(): return [click.Command('demo')]",
            "conflict",
            "also offered by the core",
        ),
    ],
)
def test_what_is_wrong_stands_with_the_plugin_and_what_to_do(meso, install_plugin, code, state, reason):
    install_plugin("broken", code)
    broken = listed(meso("plugin", "list", "--json"))["broken"]
    assert broken["state"] == state
    assert reason in broken["reason"]
    ran = meso("plugin", "list")
    assert ran.code == 0
    assert f"broken (fake-broken 1.0): {state}\n  reason" in ran.out
    assert reason in ran.said
    assert max(map(len, ran.out.splitlines())) <= 80


def test_text_of_a_plugin_cannot_steer_the_terminal(meso, install_plugin):
    install_plugin(
        "loud",
        "from mesoformula import Exporter, hookimpl\n"
        "@hookimpl\ndef mesoformula_products():\n    raise ValueError('\\x1b[2J')\n",
    )
    out = meso("plugin", "list").out
    assert "\x1b" not in out
    assert "\\x1b[2J" in out


def test_an_incompatible_plugin_is_fatal_if_strict(meso, install_plugin):
    install_plugin("future", 'mesoformula_contract = "99.0"')
    ran = meso("--strict", "plugin", "list")
    assert ran.code == 3
    assert ran.err.startswith("plugin future (fake-future 1.0): [incompatible] was written for contract 99.0")


def test_the_verbs_are_listed_without_importing_them(meso):
    ran = meso("plugin", "-h")
    assert ran.code == 0
    for verb in ("list", "hooks", "check"):
        assert re.search(rf"^  {verb} ", ran.out, re.MULTILINE)
    assert max(map(len, ran.out.splitlines())) <= 80


def test_a_mistyped_verb_is_answered_with_the_nearest(meso):
    ran = meso("plugin", "lsit")
    assert ran.code == 2
    assert "did you mean list?" in ran.err


# ---- hooks ---------------------------------------------------------------------------------------


def test_hooks_are_listed_with_what_they_are_for(meso):
    ran = meso("plugin", "hooks")
    assert ran.code == 0
    for hook in HOOKS:
        assert re.search(rf"^{hook.removeprefix('mesoformula_')} ", ran.out, re.MULTILINE)
    assert [one["name"] for one in meso("plugin", "hooks", "--json").json["hooks"]] == HOOKS


@pytest.mark.parametrize("hook", HOOKS)
def test_one_hook_is_shown_with_its_example(meso, hook):
    ran = meso("plugin", "hooks", hook.removeprefix("mesoformula_"))
    assert ran.out == meso("plugin", "hooks", hook).out
    (shown,) = meso("plugin", "hooks", hook, "--json").json["hooks"]
    assert ran.said.startswith(shown["signature"])
    for line in shown["example"].splitlines():
        assert f"\n    {line}" in ran.out or not line


def test_the_reference_can_be_printed(meso):
    assert meso("plugin", "hooks", "--markdown").out == reference()
    assert meso("plugin", "hooks", "--markdown", "--json").code == 2
    assert meso("plugin", "hooks", "zones", "--markdown").code == 2


def test_a_mistyped_hook_is_answered_with_the_nearest(meso):
    ran = meso("plugin", "hooks", "check_sesion")
    assert ran.code == 2
    assert "did you mean mesoformula_check_session" in ran.err


# ---- tracing -------------------------------------------------------------------------------------


def test_calls_are_traced_on_the_error_stream(process, monkeypatch):
    ran = process("zones", "face", "--json", MESOFORMULA_TRACE="1")
    assert ran.returncode == 0
    assert json.loads(ran.stdout)
    lines = ran.stderr.decode().splitlines()
    assert all(line.startswith("trace: ") and line.endswith(" ms") for line in lines)
    assert any("mesoformula_catalogues of formulary (mesoformula " in line for line in lines)
    assert process("zones", "face").stderr == b""


# ---- commands of plugins -------------------------------------------------------------------------

COMMANDS = """
    import sys
    import click
    from mesoformula import QuantityError, hookimpl

    @click.group("acme")
    def acme():
        "Do things."

    @acme.command()
    @click.argument("how")
    def act(how):
        match how:
            case "fail": raise ValueError("\\x1b[2Jboom")
            case "refuse": raise QuantityError("not so")
            case "misuse": raise click.UsageError("not like this")
            case "stop": click.get_current_context().exit(7)
            case "leave": sys.exit(5)
            case "interrupt": raise KeyboardInterrupt
        click.echo(how)

    @hookimpl
    def mesoformula_commands():
        return [acme]
    """


@pytest.mark.parametrize(
    ("how", "code", "said"),
    [
        ("go", 0, ""),
        (
            "fail",
            3,
            "plugin acme (fake-acme 1.0): [raised] command 'acme' raised ValueError: '\\x1b[2Jboom'; ",
        ),
        ("refuse", 2, "mesoformula: not so"),
        ("misuse", 2, "mesoformula acme act: not like this"),
        ("stop", 7, ""),
        (
            "interrupt",
            130,
            "interrupted\nplugin acme (fake-acme 1.0) was running command 'acme'; "
            "MESOFORMULA_BLOCK_PLUGINS=acme leaves the plugin out",
        ),
    ],
)
def test_a_command_of_a_plugin_ends_as_one_of_ours_and_its_mistakes_are_its_own(
    meso, install_plugin, how, code, said
):
    install_plugin("acme", COMMANDS)
    ran = meso("acme", "act", how)
    assert (ran.code, ran.out) == (code, "go\n" if how == "go" else "")
    assert ran.err.startswith(said)
    assert bool(ran.err) == bool(said)


UNHELPFUL = """
    import click
    from mesoformula import hookimpl

    class Unhelpful(click.Command):
        def get_short_help_str(self, limit=45):
            raise ValueError("no help")

        def get_help(self, ctx):
            raise ValueError("no help")

        def parse_args(self, ctx, args):
            return super().parse_args(ctx, args if args != ["odd"] else 5)

    @hookimpl
    def mesoformula_commands():
        return [Unhelpful("acme")]
    """


@pytest.mark.parametrize("words", [("acme", "--help"), ("acme", "odd")])
def test_a_command_whose_help_or_arguments_fail_names_its_plugin(meso, install_plugin, words):
    install_plugin("acme", UNHELPFUL)
    ran = meso(*words)
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.startswith("plugin acme (fake-acme 1.0): [raised] arguments of command 'acme' raised ")


def test_a_command_whose_help_fails_stays_in_the_list_of_all(meso, install_plugin):
    install_plugin("acme", UNHELPFUL)
    ran = meso("--help")
    assert ran.code == 0
    assert "cannot be shown: plugin acme (fake-acme 1.0)" in ran.said
    assert "demo" in ran.out


def test_a_conflict_is_said_once_for_each_party(meso, install_plugin):
    for name in ("acme", "belle"):
        install_plugin(name, "import click, mesoformula\n@mesoformula.hookimpl\n"
                             "def mesoformula_commands():\n    return [click.Command('same')]\n")  # fmt: skip
    ran = meso("plugin", "list")
    assert ran.said.count("command 'same' is also offered by belle") == 2
    assert "Problems" not in ran.out


def test_a_command_of_a_plugin_may_leave_the_program(meso, install_plugin):
    install_plugin("acme", COMMANDS)
    with pytest.raises(SystemExit) as left:
        meso("acme", "act", "leave")
    assert left.value.code == 5
