"""The ring that remembers: the only session, the only commit."""
