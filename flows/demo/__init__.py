"""`jalon demo`: the real convention, played on a server of its own."""
