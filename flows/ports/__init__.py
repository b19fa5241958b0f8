"""The outside world, one file per thing. What comes in ends in a request; what goes out began in the outbox."""
