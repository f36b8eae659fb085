"""A shard read back and compared with its receipt, the plan's header and the feature contract."""

from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from imagerecords.schemas.cancellation import check_interrupt
from imagerecords.schemas.errors import CorruptRecord
from imagerecords.schemas.example import contract
from imagerecords.schemas.messages import plural
from imagerecords.schemas.plan import PlanHeader, Shard
from imagerecords.schemas.receipt import WRITTEN, VerifiedShard
from imagerecords.tasks.records.contract import COMPARED, contract_problems, place_problems, row_problems
from imagerecords.tasks.records.example import parse_example
from imagerecords.tasks.records.features import Features
from imagerecords.tasks.records.frames import Frame, read_frames
from imagerecords.tasks.records.image import OBJECT_LABEL, OBJECT_TEXT, SYNSET
from imagerecords.tasks.storage.folders import Folder
from imagerecords.tasks.storage.hashing_file import HashingFile


def verify_shard(output: Folder, shard: Shard, receipt: pa.Table, header: PlanHeader) -> VerifiedShard:
    """Verify a shard against its receipt; raises CorruptRecord, or FileNotFoundError when the shard is missing."""
    path = output.join(shard.name)
    written = receipt.filter(pc.equal(receipt["status"], WRITTEN)).select(COMPARED).to_pylist()
    with output.open(shard.name) as raw:
        file = HashingFile(raw)
        count = 0
        for record in read_frames(file, resume=False):
            check_interrupt()
            row = written[record.number] if record.number < len(written) else None
            for problem in _problems(record, row, header):
                raise CorruptRecord(
                    f"record {record.number} at byte {record.offset} does not read back as it was written: {problem}: {path}. "
                    "Run the build again: it converts this shard again"
                )
            count += 1
    if count != len(written):
        raise CorruptRecord(
            f"a shard must have the {plural(len(written), 'record')} of its receipt, got {count:,}: {path}. Run the build again"
        )
    return VerifiedShard(shard.name, count, file.size, file.sha256.hexdigest())


def _problems(record: Frame, row: dict[str, Any] | None, header: PlanHeader) -> Iterable[str]:
    if record.problem:
        yield record.problem
        return
    if row is None:
        yield "the record is not in the receipt"
        return
    yield from place_problems(record, row, "receipt")
    try:
        features = parse_example(record.data)
    except ValueError as error:
        yield str(error)
        return
    yield from contract_problems(features, contract(header.extras))
    yield from _class_problems(features, header)
    yield from row_problems(features, row, "receipt")
    if header.texts and features.get(SYNSET) != [synset := header.labels[row["label"] - 1].encode()]:
        yield f"{SYNSET} is {features.get(SYNSET)}, in the plan {synset!r}"
    if row["label"] is not None and header.label_text(row["label"]) != row["text"]:
        yield f"label {row['label']} is {header.label_text(row['label'])!r} in the plan, {row['text']!r} in the receipt"


def _class_problems(features: Features, header: PlanHeader) -> Iterable[str]:
    """Where the classes of a record's objects are not those of the plan."""
    labels, texts = features.get(OBJECT_LABEL, []), features.get(OBJECT_TEXT, [])
    most = len(header.labels if header.object_labels is None else header.object_labels)
    if wrong := [label for label in labels if not 1 <= label <= most]:
        yield f"{OBJECT_LABEL} must be 1 to {most}, got {wrong[0]}"
    elif labels and (expected := [header.object_text(label).encode() for label in labels]) != texts:
        yield f"{OBJECT_TEXT} is {texts}, in the plan {expected}"
