"""The operators' desk in Prefect: pages, forms, automations."""
