"""What Prefect shows and is asked: artifacts, assets and events, the concurrency limit per output, the API's URL."""
