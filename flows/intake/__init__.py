"""What comes in as files or in words, until it is a request."""
