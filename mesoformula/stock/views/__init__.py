"""What the ledger says: now, on any day, of one lot, for one session, in money."""
