"""The digest of a data set.

A decision that binds users' data: SHA-256 over one line per shard, `sha256  name`, in the order of splits and shards, as
sha256sum prints them. It depends on the bytes of all records, and on nothing else of the data set. A change of the formula
would give equal data sets different digests.
"""

import hashlib
from collections.abc import Iterable


def dataset_digest(shards: Iterable[tuple[str, str]]) -> str:
    """The digest of a data set of these shards, each its name and SHA-256."""
    return hashlib.sha256("".join(f"{sha256}  {name}\n" for name, sha256 in shards).encode()).hexdigest()
