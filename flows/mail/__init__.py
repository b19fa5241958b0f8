"""Letters: their words, and the courier who delivers what the outbox holds."""
