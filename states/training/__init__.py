"""The training, its steering committee and its operating result."""
