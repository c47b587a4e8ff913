"""The ledger itself: what is hashed, added up, appended, posted, verified and erased."""
