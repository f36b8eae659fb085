"""The order of the steps, how they run (directly or through Prefect), where they run, and the command line."""
