"""The parts of Prefect beside the flow: artifacts, assets and events, the concurrency limit per output, the API's URL."""
