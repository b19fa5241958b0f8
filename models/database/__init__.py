"""The database itself: opened, asserted, migrated; its two dialects and its faults."""
