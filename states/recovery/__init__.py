"""Money that is taken back."""
