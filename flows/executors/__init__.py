"""Where shards are converted: a pool of processes or threads, or a Dask cluster."""
