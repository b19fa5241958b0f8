"""The money chain: what is owed, certified, ordered and paid, and to which account."""
