"""The journal as data: what a step changed, added up, read by later laws, decided again, taken back."""
