"""`mesoformula stock`: each verb in a module of its own, imported when it is used."""

from __future__ import annotations

import click

from mesoformula.cli.options import example, lazy_noun

#: Verb, its module (with its name there, if that is not `command`), and its line in the list of commands.
VERBS = {
    "receive": (
        "stock.receiving:receive_stock",
        "Record a delivery, a delivery note, or stock that was there before.",
    ),
    "scan": ("stock.scanning:scan", "Receive packs by scanning their codes."),
    "list": ("stock.listing:list_stock", "List what is there, by lot and place."),
    "level": ("stock.levels:level", "Set and list the least stock of products."),
    "pick": ("stock.picking:pick", "Reserve what a session takes, first expired first out."),
    "release": ("stock.picking:release", "Free a pick, or release a lot from quarantine or recall."),
    "open": ("stock.opening:open_container", "Open a container: its beyond-use clock starts."),
    "mix": ("stock.opening:mix", "Record a mixture made from containers."),
    "use": ("stock.using:use", "Record what a session took."),
    "waste": ("stock.moving:waste", "Record what was thrown away."),
    "return": ("stock.moving:return_stock", "Record what went back to its supplier."),
    "move": ("stock.moving:move", "Move containers from one place to another."),
    "adjust": ("stock.moving:adjust", "Correct a number of containers, with the reason."),
    "reverse": ("stock.moving:reverse", "Take back a movement that should not be there."),
    "quarantine": ("stock.holding:quarantine", "Keep a lot, or what an excursion touched, apart."),
    "recall": ("stock.holding:recall", "Block a recalled lot, and list every session it went to."),
    "fact": ("stock.facts:fact", "Change what is known of a lot: expiry, assay, cost, remark."),
    "count": ("stock.counting:count", "Count the shelf, and post what differs."),
    "history": (
        "stock.history:history",
        "Show what was recorded, by lot, product, session or period.",
    ),
    "value": ("stock.listing:value", "Tell what the stock is worth, and what was wasted."),
    "forecast": ("stock.forecasting:forecast", "Tell what booked sessions run short of, and what to order."),
    "verify": ("stock.verifying:verify", "Check that the ledger still says what was recorded."),
    "backup": ("stock.keeping:backup", "Write a backup."),
    "restore": ("stock.keeping:restore", "Make a stock from a backup."),
    "erase": ("stock.keeping:erase", "Erase a remark."),
}


@click.group("stock", cls=lazy_noun(VERBS), epilog=example("mesoformula stock list"))
def command() -> None:
    """Keep the stock: an append-only ledger, from the delivery to the session and back."""
