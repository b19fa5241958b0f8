"""Who may act, and how that changes: a journal of the house, decided by rules as a dossier is."""
