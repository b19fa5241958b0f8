"""The convention: its parties, its terms, its signatures, its amendments."""
