"""The fingerprint of a shard: by it a build knows whether a finished shard is still the one that is planned."""

import hashlib

import pyarrow as pa
import pyarrow.compute as pc

from imagerecords.schemas.example import ENCODER_VERSION
from imagerecords.schemas.listing import Listing
from imagerecords.schemas.plan import DROP, extras
from imagerecords.schemas.settings import BuildSettings


def fingerprint(rows: pa.Table, root: str, listing: Listing, settings: BuildSettings) -> str:
    """A digest of all that a shard's bytes and receipt depend on."""
    more = extras(listing, settings.content())
    content = settings.fingerprint_content()
    digest = hashlib.sha256(f"{ENCODER_VERSION}\0{root}\0{content}\0{more}\0{listing.boxes_in_display_orientation}\0".encode())
    labels = [f"{label}\0{text}" for label, text in zip(listing.labels, listing.texts or listing.labels, strict=True)]
    columns = [rows[name].to_pylist() for name in ("label", "path", "size", "version", DROP.name)]
    digest.update(
        "\n".join(
            f"{label}\0{labels[label - 1] if label else ''}\0{path}\0{size}\0{version}" + (f"\0{drop}" if drop else "")
            for label, path, size, version, drop in zip(*columns, strict=True)
        ).encode()
    )
    if settings.labels == "many":
        several = [[labels[label - 1] for label in of_image] for of_image in rows["labels"].to_pylist()]
        digest.update(repr([rows["labels"].to_pylist(), several]).encode())
    if listing.boxes:
        boxes = rows["boxes"].combine_chunks()
        *corners, label = boxes.flatten().flatten()
        for numbers, kind in ((pc.list_value_length(boxes), "<i4"), (label, "<i4"), *((corner, "<f4") for corner in corners)):
            digest.update(numbers.to_numpy().astype(kind).tobytes())
    if listing.boxes and settings.features == "detection":
        digest.update(_objects_content(rows, listing.object_labels))
    return digest.hexdigest()


def _objects_content(rows: pa.Table, object_labels: tuple[str, ...] | None) -> bytes:
    """What detection's records say of objects, for a fingerprint: with lists of their own, classes by name."""
    label, crowd, difficult, area = rows["objects"].combine_chunks().flatten().flatten()
    numbers = [
        pc.fill_null(column.cast(pa.float32()), float("nan")).to_numpy().astype("<f4") for column in (area, crowd, difficult)
    ]
    ids = label.to_pylist()
    classes = ids if object_labels is None else [object_labels[number - 1] for number in ids]
    return b"".join([*(column.tobytes() for column in numbers), "\0".join(map(str, classes)).encode()])
