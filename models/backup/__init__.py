"""A backup: one file with the ledger, seals, letters and documents, and how it is proved before anybody uses it."""
