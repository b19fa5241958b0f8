"""What is read of the ledger. Nothing is changed here, but that the list puts counters together which lie too far apart."""
