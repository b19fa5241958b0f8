"""The ledger: the one door for change, and the journal that it writes."""
