"""convert: one shard from its planned images, with its index and receipt; a finished shard is verified and reused.

The receipt is written last: a shard without one is built again.
"""

import hashlib
import socket
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from imagerecords.schemas.boxes import EMPTY, INVERSE_ROTATION, Boxes, problems_of
from imagerecords.schemas.cancellation import check_interrupt
from imagerecords.schemas.current_image import begin_image
from imagerecords.schemas.errors import CorruptRecord, ShardFailed
from imagerecords.schemas.example import LabelledImage, encode_example, source_id_of
from imagerecords.schemas.known import UPRIGHT
from imagerecords.schemas.labels import NO_LABEL
from imagerecords.schemas.output_files import index_path, index_text, receipt_path
from imagerecords.schemas.plan import DROP, PlanHeader, Shard
from imagerecords.schemas.receipt import COLUMNS, REJECTED, WRITTEN, Reason, Rejected, ShardOutcome, VerifiedShard
from imagerecords.schemas.settings import BuildSettings
from imagerecords.schemas.version import VERSION
from imagerecords.tasks.dataset.known_lookup import known_images
from imagerecords.tasks.dataset.known_outcomes import Read, with_outcomes
from imagerecords.tasks.dataset.known_rows import with_origin
from imagerecords.tasks.dataset.plan_file import read_shard_plan
from imagerecords.tasks.dataset.receipts import read_receipt, receipt_fingerprint, write_receipt
from imagerecords.tasks.dataset.removals import REMOVED_MESSAGE, holds_any, removed_paths
from imagerecords.tasks.dataset.shard_check import verify_shard
from imagerecords.tasks.images.decoders import origin_now
from imagerecords.tasks.images.opening import INSTALL_HEIC, register_heic
from imagerecords.tasks.images.process import RgbJpeg, process_image
from imagerecords.tasks.records.writer import RecordWriter
from imagerecords.tasks.sources.fetch import Fetched, PlannedImage, fetch_images, planned_images
from imagerecords.tasks.storage.folders import Folder, open_folder, open_output
from imagerecords.tasks.storage.lock import refuse_if_lock_lost

NOT_READ = (Reason.UNREADABLE.value, Reason.CHANGED_DURING_BUILD.value)
KILLED = "a worker process died at this image at each try"


def convert_shard(shard: Shard, settings: BuildSettings) -> ShardOutcome:
    """Build one shard, or reuse it when its receipt, fingerprint and file already agree; safe to repeat at any time."""
    began = time.time()
    output = open_output(settings)
    header, rows = read_shard_plan(output, shard)
    _refuse_other_version(header)
    removed = removed_paths(output, shard.fingerprint)
    root = header.roots.get(shard.split) or header.roots["data"]
    finished = _finished(output, shard, header, removed)
    if finished is not None and (settings.append or not _can_be_read_now(root, settings, finished[0])):
        receipt, verified = finished
        return _outcome(shard, began, receipt, verified)
    refuse_if_lock_lost(output, shard.build)
    output.remove(receipt_path(shard.name))
    source = open_folder(root, settings.storage_options)
    known = known_images(settings, shard.build)
    with output.write_whole(shard.name) as file:
        target = _Target(RecordWriter(file), header, settings)
        receipts = []
        for each in with_outcomes(_planned_images(source, rows, settings), known, settings):
            check_interrupt()
            begin_image(shard.name, each.image.path)
            killed = each.image.path in shard.killers
            read = each._replace(data=Rejected(Reason.KILLED_WORKER, KILLED), outcome=None) if killed else each
            about = {"split": shard.split, "shard": shard.name} | _labels_row(read.image, header)
            if read.image.path in removed:
                receipts.append(about | _removed_row(read))
                continue
            receipts.append(about | _write_image(target, read))
        begin_image(shard.name, "")
        refuse_if_lock_lost(output, shard.build)
    refuse_if_lock_lost(output, shard.build)  # an upload takes long
    orientations = [row.pop("orientation", UPRIGHT) for row in receipts]
    count = sum(row.pop("known", False) for row in receipts)
    receipt = with_origin(pa.Table.from_pylist(receipts, COLUMNS), origin_now(settings), orientations)
    output.write(index_path(shard.name), _index(receipt))
    write_receipt(output, shard.name, shard.fingerprint, receipt)
    return replace(_outcome(shard, began, receipt, None), known=count)


@dataclass(frozen=True, slots=True)
class _Target:
    """The shard that is written, and the plan's header and settings by which it is."""

    writer: RecordWriter
    header: PlanHeader
    settings: BuildSettings


def _planned_images(source: Folder, rows: pa.Table, settings: BuildSettings) -> Iterator[Fetched]:
    """Each planned image with its bytes, or with the reason why it is excluded; dropped duplicates are not read."""
    drop = rows[DROP.name]
    dropped = iter(planned_images(rows.filter(pc.is_valid(drop))))
    fetched = fetch_images(source, rows.filter(pc.is_null(drop)), settings)
    for why in drop.to_pylist():
        yield next(fetched) if why is None else (next(dropped), Rejected(Reason.DUPLICATE, why))
    yield from fetched  # yields nothing more, but ends its threads


def _write_image(target: _Target, read: Read) -> dict[str, Any]:
    """Write an image unless it is rejected; returns its row of the receipt, with `orientation` and whether it was `known`."""
    header, settings = target.header, target.settings
    image, data, _, outcome = read
    row = _row(read) | {"known": outcome is not None}
    try:
        if isinstance(data, Rejected):
            raise data
        if isinstance(outcome, Rejected):
            raise outcome
        jpeg = outcome or process_image(data, settings)
    except MemoryError as error:
        raise MemoryError(
            f"too little memory to convert {image.path}: pass fewer --workers or a lower --max_image_memory"
        ) from error
    except Rejected as rejected:
        return row | {"status": REJECTED, "reason": rejected.reason.value, "message": rejected.message}
    example = _example(image, jpeg, header)
    if jpeg.kept != (1, 1) and example.boxes and (problems_of(example.boxes.corners) == EMPTY).any():
        # An object stood in what partial_blocks=trim has cut off.
        jpeg = process_image(data, settings.model_copy(update={"partial_blocks": "re-encode"}))
        example = _example(image, jpeg, header)
    row |= target.writer.append(encode_example(example.features()))
    untouched = jpeg.encoded is data
    row["encoded_sha256"] = row["sha256"] if untouched else hashlib.sha256(jpeg.encoded).hexdigest()
    if jpeg.figures:
        row |= jpeg.figures._asdict()
    return row | {
        "status": WRITTEN,
        "height": jpeg.height,
        "width": jpeg.width,
        "source_format": jpeg.source_format,
        "boxes": None if example.boxes is None else len(example.boxes.labels),
        "odd_header": jpeg.is_odd,
        "has_gps": jpeg.has_gps,
        "has_thumbnail": jpeg.has_thumbnail,
        "orientation": jpeg.orientation,
    }


def _row(read: Read) -> dict[str, Any]:
    """What a receipt's row has of every image."""
    image, digest = read.image, read.digest
    return {
        "path": image.path,
        "label": image.label or None,
        "source_size": image.size,
        "sha256": digest.hex() if digest else None,
    }


def _labels_row(image: PlannedImage, header: PlanHeader) -> dict[str, Any]:
    """What the receipt says of an image's labels beside the id of the first."""
    texts = None if image.labels is None else [header.label_text(label) for label in image.labels]
    text = None if image.label == NO_LABEL else header.label_text(image.label)
    return {"text": text, "labels": image.labels, "texts": texts}


def _removed_row(read: Read) -> dict[str, Any]:
    """The receipt's row of an image that was removed from the data set, as `remove` itself writes it."""
    return _row(read) | {"status": REJECTED, "reason": Reason.REMOVED.value, "message": REMOVED_MESSAGE}


def _example(image: PlannedImage, jpeg: RgbJpeg, header: PlanHeader) -> LabelledImage:
    """What is written of an image; its boxes are rotated with it, unless they were drawn in display orientation."""
    boxes = None if image.boxes is None else Boxes.planned(image.boxes, image.objects)
    if boxes is not None:
        boxes = _placed(boxes, jpeg, upright=header.boxes_in_display_orientation)
    return LabelledImage(
        encoded=jpeg.encoded,
        height=jpeg.height,
        width=jpeg.width,
        filename=image.path.rpartition("/")[2],
        label=image.label,
        text=header.label_text(image.label),
        synset=header.synset(image.label),
        boxes=boxes,
        labels=None if image.labels is None else tuple(image.labels),
        texts=() if image.labels is None else tuple(map(header.label_text, image.labels)),
        source_id=source_id_of(image.path) if header.for_detection else None,
        object_texts=tuple(map(header.object_text, boxes.objects.labels.tolist())) if boxes and boxes.objects else (),
    )


def _placed(boxes: Boxes, jpeg: RgbJpeg, *, upright: bool) -> Boxes:
    """Boxes of the image as stored, or as displayed where they are `upright`, in the image as written."""
    if jpeg.kept != (1, 1):
        stored = boxes.rotated(INVERSE_ROTATION.get(jpeg.orientation, jpeg.orientation)) if upright else boxes
        return stored.cropped(*jpeg.kept).rotated(jpeg.orientation)
    return boxes if upright else boxes.rotated(jpeg.orientation)


def _refuse_other_version(header: PlanHeader) -> None:
    """Raise ShardFailed in a worker on another machine whose imagerecords is of another version than the build's."""
    if header.version != VERSION:
        raise ShardFailed(
            f"the worker must have imagerecords {header.version}, as the plan, got {VERSION}: {socket.gethostname()}. Install "
            "the same wheel there"
        )


def _finished(output: Folder, shard: Shard, header: PlanHeader, removed: set[str]) -> tuple[pa.Table, VerifiedShard] | None:
    """The receipt of a shard that needs no more work, and the result of verifying it; None for other shards."""
    receipt = read_receipt(output, shard.name)
    if receipt is None or receipt_fingerprint(receipt) != shard.fingerprint:
        return None
    if removed and holds_any(receipt, removed):  # `remove` was stopped before this shard
        return None
    if _has_a_decoder_now(receipt):
        return None
    try:
        if output.read(index_path(shard.name)) != _index(receipt):
            return None
        return receipt, verify_shard(output, shard, receipt, header)
    except (CorruptRecord, FileNotFoundError):
        return None


def _has_a_decoder_now(receipt: pa.Table) -> bool:
    """Whether images were rejected for want of the decoder for HEIC, which is installed by now."""
    return bool(pc.any(pc.starts_with(receipt["message"], INSTALL_HEIC)).as_py()) and register_heic()


def _can_be_read_now(root: str, settings: BuildSettings, receipt: pa.Table) -> bool:
    """Whether an image can be read that was gone or unreadable then: a mount is back, or its permissions were corrected.

    Not asked with append, which changes no shard, and whose inputs may be gone.
    """
    paths = receipt.filter(pc.is_in(receipt["reason"], pa.array(NOT_READ, pa.string())))["path"].to_pylist()
    return bool(paths) and any(map(open_folder(root, settings.storage_options).can_be_read, paths))


def _index(receipt: pa.Table) -> bytes:
    places = zip(receipt["offset"].drop_null().to_pylist(), receipt["size"].drop_null().to_pylist(), strict=True)
    return index_text(places).encode()


def _outcome(shard: Shard, began: float, receipt: pa.Table, verified: VerifiedShard | None) -> ShardOutcome:
    rejected = Counter(receipt["reason"].drop_null().to_pylist())
    size = sum(receipt["size"].drop_null().to_pylist())
    written = receipt.num_rows - rejected.total()
    return ShardOutcome(shard.name, receipt.num_rows, written, size, began, dict(sorted(rejected.items())), verified)
