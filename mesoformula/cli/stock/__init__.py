"""`mesoformula stock`: each verb in a module of its own, imported when it is used."""

from __future__ import annotations

from importlib import import_module

import click

from mesoformula.cli.options import NounGroup, example

#: Verb, its module (with its name there, if that is not `command`), and its line in the list of commands.
VERBS = {
    "receive": (
        "receiving:receive_stock",
        "Record a delivery, a delivery note, or stock that was there before.",
    ),
    "scan": ("scanning:scan", "Receive packs by scanning their codes."),
    "list": ("listing:list_stock", "List what is there, by lot and place."),
    "level": ("levels:level", "Set and list the least stock of products."),
    "pick": ("picking:pick", "Reserve what a session takes, first expired first out."),
    "release": ("picking:release", "Free a pick, or release a lot from quarantine or recall."),
    "open": ("opening:open_container", "Open a container: its beyond-use clock starts."),
    "mix": ("opening:mix", "Record a mixture made from containers."),
    "use": ("using:use", "Record what a session took."),
    "waste": ("moving:waste", "Record what was thrown away."),
    "return": ("moving:return_stock", "Record what went back to its supplier."),
    "move": ("moving:move", "Move containers from one place to another."),
    "adjust": ("moving:adjust", "Correct a number of containers, with the reason."),
    "reverse": ("moving:reverse", "Take back a movement that should not be there."),
    "quarantine": ("holding:quarantine", "Keep a lot, or what an excursion touched, apart."),
    "recall": ("holding:recall", "Block a recalled lot, and list every session it went to."),
    "fact": ("facts:fact", "Change what is known of a lot: expiry, assay, cost, remark."),
    "count": ("counting:count", "Count the shelf, and post what differs."),
    "history": ("history:history", "Show what was recorded, by lot, product, session, person or period."),
    "value": ("listing:value", "Tell what the stock is worth, and what was wasted."),
    "forecast": ("forecasting:forecast", "Tell what booked sessions run short of, and what to order."),
    "verify": ("verifying:verify", "Check that the ledger still says what was recorded."),
    "backup": ("keeping:backup", "Write a backup."),
    "restore": ("keeping:restore", "Make a stock from a backup."),
    "erase": ("keeping:erase", "Erase a remark."),
}


class StockGroup(NounGroup):
    """The verbs, imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's)
        """List the verbs in the order of the work."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a verb."""
        if cmd_name not in VERBS:
            return None
        home, _, name = VERBS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(f"mesoformula.cli.stock.{home}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of verbs without importing their modules."""
        with formatter.section("Commands"):
            formatter.write_dl([(verb, text) for verb, (_home, text) in VERBS.items()])


@click.group("stock", cls=StockGroup, epilog=example("mesoformula stock list"))
def command() -> None:
    """Keep the stock: an append-only ledger, from the delivery to the session and back."""
