"""The Prefect server and its processes: started, stopped and examined."""
