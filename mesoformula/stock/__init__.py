"""The stock: an append-only ledger of what came, what is there and where it went."""
