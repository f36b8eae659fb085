"""The order of the steps, who conducts them, where they run, and the command line. The only place that knows Prefect."""
