"""The short name of an output, for what Prefect keeps per data set: artifacts' keys, and the concurrency limit."""

import hashlib
import re

from imagerecords.tasks.storage.folders import Folder

LONGEST = 40


def output_name(output: Folder) -> str:
    """The last words of an output's place, and eight digits of its whole URL: `records-flowers-1a2b3c4d`."""
    url = output.canonical_url
    words = re.sub(r"[^a-z0-9]+", "-", "-".join(url.split("://")[-1].split("/")[-2:]).lower()).strip("-")
    return f"{words[-LONGEST:].strip('-')}-{hashlib.sha256(url.encode()).hexdigest()[:8]}".lstrip("-")
