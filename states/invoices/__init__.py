"""The invoices of the university."""
