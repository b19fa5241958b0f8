"""The engine: how a row of the table is asked, weighed, decided; it knows no row by name."""
