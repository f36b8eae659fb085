"""Every flip of a bit or loss of a tail in a built shard is found, and none crashes the audit.

The sample is seeded; `python -m tests.tasks.test_audit_fuzz FOLDER SHARD SCRATCH 10000` takes a larger one of any data set.
"""

import random
import shutil
import sys
from pathlib import Path

from imagerecords.schemas.audit import AuditOptions
from imagerecords.tasks.audit.file import audit_file
from imagerecords.tasks.audit.manifest import read_by_shard
from imagerecords.tasks.storage.folders import open_folder

STRUCTURE = AuditOptions(digests=False)  # else the file's digest alone would find everything


def damaged(data, draw):
    """The data with one byte changed, or cut."""
    if draw.random() < 0.2:
        return data[: draw.randrange(len(data))]
    position = draw.randrange(len(data))
    return data[:position] + bytes([data[position] ^ draw.randrange(1, 256)]) + data[position + 1 :]


def not_found(folder, shard, scratch, count):
    """The numbers of the damages in which the audit finds nothing."""
    manifest, _ = read_by_shard(open_folder(str(folder), {}), digests=False)
    rows, data = manifest.rows_of(shard), (Path(folder) / shard).read_bytes()
    output, target = open_folder(str(scratch), {}), Path(scratch) / shard
    draw = random.Random(20_240_229)
    missed = []
    for number in range(count):
        target.write_bytes(damaged(data, draw))
        if not audit_file(output, shard, rows, STRUCTURE).problems:
            missed.append(number)
    return missed


def test_damage_is_found_and_crashes_nothing(small, tmp_path):
    assert not_found(small, "train-00000-of-00003", tmp_path, 1000) == []


def test_the_undamaged_shard_has_no_problems(small, tmp_path):
    """Else the test above could not fail."""
    manifest, _ = read_by_shard(open_folder(str(small), {}), digests=False)
    shard = "train-00000-of-00003"
    shutil.copy(small / shard, tmp_path / shard)
    assert audit_file(open_folder(str(tmp_path), {}), shard, manifest.rows_of(shard), STRUCTURE).problems == []


if __name__ == "__main__":
    _, folder, shard, scratch, count = sys.argv
    print(f"{count} damages, {len(not_found(folder, shard, scratch, int(count)))} not found")
