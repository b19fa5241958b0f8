"""The register of people and their one-time codes."""
