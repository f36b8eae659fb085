"""All findings as a table, one row per finding and image: what findings.parquet holds."""

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from imagerecords.tasks.dataset.findings_file import COLUMNS
from imagerecords.tasks.dataset.manifest import read_numbered
from imagerecords.tasks.findings.duplicate_groups import Found

OF_IMAGE = ["split", "path", "label", "text", "shard", "record", "sha256"]

Beyond = tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]  # rows of a manifest, and the metric of each


def list_findings(parquet: pq.ParquetFile, groups: Mapping[str, Found], quality: Mapping[str, Beyond]) -> pa.Table:
    """Groups of duplicates by kind, then the images of doubtful quality by kind, in the manifest's order each."""
    parts = list(_parts(groups, quality))
    rows = np.concatenate([np.empty(0, np.int64), *(row for row, _ in parts)])
    found = pa.concat_tables([COLUMNS.empty_table().select(["kind"]), *(part for _, part in parts)], promote_options="default")
    images = read_numbered(parquet, rows, OF_IMAGE)
    for name in OF_IMAGE:
        kind = COLUMNS.field(name).type
        found = found.append_column(name, images[name].cast(kind))
    missing = [name for name in COLUMNS.names if name not in found.column_names]
    for name in missing:
        found = found.append_column(name, pa.nulls(len(rows), COLUMNS.field(name).type))
    return found.select(COLUMNS.names)


def _parts(groups: Mapping[str, Found], quality: Mapping[str, Beyond]) -> Iterator[tuple[npt.NDArray[np.int64], pa.Table]]:
    """Rows of the manifest, and beside each its finding."""
    for kind, found in groups.items():
        members = found.members
        columns = {
            "kind": pa.array([kind] * len(members.row), pa.string()),
            "group": pa.array(members.group, pa.int64()),
            "across_splits": pa.array(members.across_splits),
            "across_labels": pa.array(members.across_labels),
        }
        yield members.row, pa.table(columns)
    for kind, (row, value) in quality.items():
        names = pa.array([kind] * len(row), pa.string())
        yield row, pa.table({"kind": names, "value": pa.array(value, pa.float32())})
