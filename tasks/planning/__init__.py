"""The parts of a plan, by pure functions: splits, stratified or by hash, and the fingerprints of shards."""
