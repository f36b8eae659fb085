"""validate: read a shard back and hold it against its receipt, the plan and the feature contract."""

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from imagerecords.schemas.boxes import CORNERS
from imagerecords.schemas.cancellation import check_interrupt
from imagerecords.schemas.errors import CorruptRecord
from imagerecords.schemas.example import BOXES, CONSTANTS, EXTRAS, Feature, contract
from imagerecords.schemas.frame import OVERHEAD
from imagerecords.schemas.plan import PlanHeader, Shard
from imagerecords.schemas.receipt import WRITTEN, Verdict
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.dataset.plan_file import read_plan_header
from imagerecords.tasks.dataset.receipts import read_receipt
from imagerecords.tasks.images.jpeg import START
from imagerecords.tasks.records.example import Record, parse_example, read_records
from imagerecords.tasks.storage.folders import Folder, open_folder
from imagerecords.tasks.storage.hashing_file import HashingFile

# The columns of a receipt that a record is held against.
COMPARED = ["label", "path", "text", "offset", "size", "crc32c", "height", "width", "boxes"]


def validate_shard(shard: Shard, settings: BuildSettings) -> Verdict:
    """The verdict on a shard in the output; raises CorruptRecord naming file, record and byte offset of the first fault."""
    output = open_folder(settings.output_directory, settings.storage_options)
    receipt = read_receipt(output, shard.name)
    if receipt is None:
        raise CorruptRecord(f"a shard must have a receipt, got none: {output.join(shard.name)}. Run the build again")
    return verify_shard(output, shard, receipt, read_plan_header(output))


def verify_shard(output: Folder, shard: Shard, receipt: pa.Table, header: PlanHeader) -> Verdict:
    """The verdict on a shard whose receipt is at hand; raises CorruptRecord, or FileNotFoundError when it is missing."""
    path = output.join(shard.name)
    written = receipt.filter(pc.equal(receipt["status"], WRITTEN)).select(COMPARED).to_pylist()
    with output.open(shard.name) as raw:
        file = HashingFile(raw)
        count = 0
        for record in read_records(file):
            check_interrupt()
            row = written[record.number] if record.number < len(written) else None
            for problem in _problems(record, row, header):
                raise CorruptRecord(
                    f"record {record.number} at byte {record.offset} must read back as it was written, got: {problem}: {path}. "
                    "Run the build again: it is converted anew"
                )
            count += 1
    if count != len(written):
        raise CorruptRecord(f"a shard must hold the {len(written)} records of its receipt, got {count}: {path}. Build it again")
    return Verdict(shard.name, count, file.size, file.sha256.hexdigest())


def _problems(record: Record, row: dict[str, Any] | None, header: PlanHeader) -> Iterable[str]:
    if record.fault:
        yield record.fault
        return
    if row is None:
        yield "the receipt knows no such record"
        return
    place = {"offset": record.offset, "size": len(record.data) + OVERHEAD, "crc32c": record.crc}
    for name, value in place.items():
        if row[name] != value:
            yield f"{name} {value}, in the receipt {row[name]}"
    try:
        features = parse_example(record.data)
    except ValueError as error:
        yield str(error)
        return
    yield from contract_problems(features, contract(header.extras))
    expected = {
        "image/class/label": row["label"],
        "image/class/text": row["text"].encode(),
        "image/filename": row["path"].rpartition("/")[2].encode(),
        "image/height": row["height"],
        "image/width": row["width"],
    }
    if header.texts:
        expected["image/class/synset"] = header.labels[row["label"] - 1].encode()
    boxes = len(features.get("image/object/bbox/label", ())) if header.boxes else None
    if boxes != row["boxes"]:
        yield f"it has {boxes} boxes, in the receipt {row['boxes']}"
    for key, value in expected.items():
        if features.get(key) != [value]:
            yield f"{key} is {features.get(key)}, in the receipt {value!r}"
    if header.label_text(row["label"]) != row["text"]:
        yield f"label {row['label']} is {header.label_text(row['label'])!r} in the plan, {row['text']!r} in the receipt"


def contract_problems(features: dict[str, list[Any]], promised: Mapping[str, Feature]) -> Iterable[str]:
    """Where an Example breaks the feature contract: its keys, their types, one value each or a list, a JPEG that says so."""
    if features.keys() != promised.keys():
        missing, extra = sorted(promised.keys() - features.keys()), sorted(features.keys() - promised.keys())
        yield f"missing features {missing}, unknown features {extra}"
    for key, (kind, is_list) in promised.items():
        match features.get(key, []):
            case values if is_list:
                if not all(isinstance(value, kind) for value in values):
                    yield f"{key} must be a list of {kind.__name__}"
            case [value] if isinstance(value, kind) and value == CONSTANTS.get(key, value):
                pass
            case [value] if isinstance(value, kind):
                yield f"{key} must be {CONSTANTS[key]!r}, got {value!r}"
            case values:
                yield f"{key} must be one {kind.__name__}, got {len(values)} values"
    match features.get("image/encoded"):
        case [bytes(encoded)] if not encoded.startswith(START):
            yield "image/encoded must start as a JPEG"
    if EXTRAS[BOXES].keys() <= promised.keys():
        yield from _box_problems(features)


def _box_problems(features: dict[str, list[Any]]) -> Iterable[str]:
    """Where the five lists of an image's boxes do not tell boxes inside it."""
    corners = [features.get(f"image/object/bbox/{corner}", []) for corner in CORNERS]
    counts = [len(values) for values in (*corners, features.get("image/object/bbox/label", []))]
    if len(set(counts)) > 1:
        yield f"image/object/bbox/* must be lists of one length, got {counts}"
        return
    for number, (xmin, ymin, xmax, ymax) in enumerate(zip(*corners, strict=True)):
        if not (0 <= xmin <= xmax <= 1 and 0 <= ymin <= ymax <= 1):
            yield f"box {number} must lie in the image, got {xmin:g}, {ymin:g}, {xmax:g}, {ymax:g}"
