"""The proof that the ledger is what its journal says, and whether the law would decide so again."""
