"""What is read of the ledger; nothing here writes."""
