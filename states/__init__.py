"""The ring that decides: pure values and functions, no clock, disk, network, SQL or environment."""
