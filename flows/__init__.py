"""The ring that acts: Prefect flows, the command line, and the ports to the outside world."""
