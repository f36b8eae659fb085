"""What Prefect shows and is asked: parameters, heartbeats, artifacts, assets, events, concurrency limits, the API's URL."""
