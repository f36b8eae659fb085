"""Rows of a manifest whose images do not exist, for sizes that no disk here holds."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from imagerecords.schemas.receipt import COLUMNS


def digests_of(texts: Iterable[object]) -> list[str]:
    """The SHA-256 of each text."""
    return [hashlib.sha256(str(text).encode()).hexdigest() for text in texts]


def written_rows(draw: np.random.Generator, shard: tuple[str, str], given: Mapping[str, Any]) -> pa.Table:
    """The rows of a shard, (split, name), in which all images are written JPEGs; `given` has some columns, `sha256` among them.

    The others are drawn, in one order: the same generator gives the same rows.
    """
    count = len(given["sha256"])
    split, name = shard
    sizes = draw.integers(20_000, 220_000, count)
    columns: dict[str, Any] = {
        "split": [split] * count,
        "shard": [name] * count,
        "status": ["written"] * count,
        "record": np.arange(count),
        "offset": np.cumsum(sizes) - sizes,
        "size": sizes,
        "crc32c": draw.integers(0, 2**32, count),
        "height": draw.integers(200, 600, count),
        "width": draw.integers(200, 600, count),
        "source_format": ["JPEG"] * count,
        "source_size": sizes,
        "encoded_sha256": given["sha256"],
        "brightness": draw.uniform(0, 1, count).astype(np.float32),
        **given,
    }
    if "contrast" not in given:
        columns["contrast"] = draw.uniform(0.05, 0.3, count).astype(np.float32)
    columns["sharpness"] = draw.uniform(0, 0.1, count).astype(np.float32)
    if "dhash" not in given:
        columns["dhash"] = draw.integers(1, 2**64 - 1, count, dtype=np.uint64)
    known = [columns.get(field.name, pa.nulls(count, field.type)) for field in COLUMNS]
    return pa.table(known, schema=COLUMNS)
