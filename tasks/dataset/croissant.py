"""croissant.json (MLCommons Croissant 1.0): every shard with its SHA-256, and record sets that Croissant's programs can load.

Croissant has no way to read TFRecord, so the record set `images` is the manifest: what each image is, and which shard has its
record. Croissant recommends a license, a citation and a date of publication; only the data's owner knows them, so they are
there where settings give them.

No field refers to the record sets of splits and labels, though `references` is made for that: mlcroissant 1.1.1 reads a record
set with references once, and gives nothing the second time, without an error.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from imagerecords.schemas.about import About
from imagerecords.schemas.errors import CorruptRecord
from imagerecords.schemas.json_text import parse_json
from imagerecords.schemas.messages import plural
from imagerecords.schemas.output_files import CROISSANT, MANIFEST, ShardName
from imagerecords.schemas.plain_words import plain_words
from imagerecords.schemas.receipt import VerifiedShard
from imagerecords.tasks.dataset.tfds import json_text
from imagerecords.tasks.storage.folders import Folder

TFRECORD = "application/x-tfrecord"
TEXT, INTEGER = "sc:Text", "sc:Integer"

# The context of the 1.0 specification, whole: its validator warns of any other.
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}

# The manifest's columns in the record set.
COLUMNS = {
    "split": TEXT,
    "path": TEXT,
    "label": INTEGER,
    "text": TEXT,
    "status": TEXT,
    "reason": TEXT,
    "shard": TEXT,
    "record": INTEGER,
    "offset": INTEGER,
    "size": INTEGER,
    "height": INTEGER,
    "width": INTEGER,
    "encoded_sha256": TEXT,
}


@dataclass(frozen=True)
class Classes:
    """What a data set's classes are beside labels: files that name those of objects, these where they are others, lists."""

    files: Mapping[str, bytes] = field(default_factory=dict)
    objects: tuple[str, ...] | None = None
    several: bool = False


def croissant_json(
    labels: tuple[str, ...],
    splits: dict[str, list[VerifiedShard]],
    manifest_sha256: str,
    about: About,
    classes: Classes = Classes(),
) -> bytes:
    """The file's content; shards by split, in their order."""
    counts = ", ".join(f"{sum(shard.records for shard in shards)} {split}" for split, shards in splits.items())
    return json_text(
        {
            "@context": CONTEXT,
            "@type": "sc:Dataset",
            "conformsTo": "http://mlcommons.org/croissant/1.0",
            "name": about.name,
            "version": about.version,
            "description": about.description or f"Images of {plural(len(labels), 'label')} as TFRecord files: {counts}.",
            **({"license": about.license} if about.license else {}),
            **({"citeAs": about.citation} if about.citation else {}),
            **({"datePublished": about.date_published} if about.date_published else {}),
            "distribution": [
                _file(MANIFEST, "application/x-parquet", manifest_sha256),
                *(_file(name, "text/plain", hashlib.sha256(text).hexdigest()) for name, text in classes.files.items()),
                *(item for split, shards in splits.items() for item in _shards(split, shards)),
            ],
            "recordSet": [
                _splits(splits),
                _labels("labels", labels),
                *([] if classes.objects is None else [_labels("object_labels", classes.objects)]),
                _images(several=classes.several),
            ],
        }
    )


class ListedFile(NamedTuple):
    """A file's entry in croissant.json: its SHA-256, and its size as text, `100 B`, empty where there is none."""

    sha256: str
    size: str


def read_croissant(folder: Folder) -> dict[str, ListedFile]:
    """The files that a folder's croissant.json lists. Raises CorruptRecord when it is no JSON."""
    try:
        return listed_files(parse_json(folder.read(CROISSANT)))
    except ValueError as error:
        raise CorruptRecord(
            f"{CROISSANT} must be JSON, got: {plain_words(error)}: {folder.join(CROISSANT)}. Build again, or move it away"
        ) from error


def listed_files(croissant: Any) -> dict[str, ListedFile]:
    """The files with a SHA-256 in the content of a croissant.json, by imagerecords or not, by name and in its order."""
    entries = croissant.get("distribution") if isinstance(croissant, dict) else None
    objects = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    return {
        str(entry.get("contentUrl")): ListedFile(str(entry["sha256"]), str(entry.get("contentSize", "")))
        for entry in objects
        if entry.get("sha256")
    }


def _file(name: str, encoding: str, sha256: str) -> dict[str, Any]:
    about = {"name": name, "contentUrl": name, "encodingFormat": encoding, "sha256": sha256}
    return {"@type": "cr:FileObject", "@id": name, **about}


def _shards(split: str, shards: list[VerifiedShard]) -> Iterable[dict[str, Any]]:
    """A FileObject per shard, and a FileSet of them all."""
    for shard in shards:
        yield {**_file(shard.shard, TFRECORD, shard.sha256), "contentSize": f"{shard.bytes} B"}
    yield {
        "@type": "cr:FileSet",
        "@id": f"{split}-shards",
        "name": f"{split}-shards",
        "containedIn": [{"@id": shard.shard} for shard in shards],
        "encodingFormat": TFRECORD,
        "includes": f"{split}-*-of-{ShardName(split, 0, len(shards)).count:05d}",
    }


def _splits(splits: Iterable[str]) -> dict[str, Any]:
    name = _field("splits/name", TEXT)
    return _record_set("splits", ["splits/name"], [name], dataType="cr:Split", data=[{"splits/name": name} for name in splits])


def _labels(name: str, labels: tuple[str, ...]) -> dict[str, Any]:
    fields = [_field(f"{name}/id", INTEGER), _field(f"{name}/name", TEXT)]
    data = [{f"{name}/id": number, f"{name}/name": label} for number, label in enumerate(labels, start=1)]
    return _record_set(name, [f"{name}/id"], fields, dataType="sc:Enumeration", data=data)


def _images(*, several: bool) -> dict[str, Any]:
    """The manifest's rows; with `several` labels, all of each image too."""
    fields = [
        _field(f"images/{column}", kind, source={"fileObject": {"@id": MANIFEST}, "extract": {"column": column}})
        for column, kind in COLUMNS.items()
    ]
    for column, kind in (("labels", INTEGER), ("texts", TEXT)) if several else ():
        source = {"fileObject": {"@id": MANIFEST}, "extract": {"column": column}}
        fields.append(_field(f"images/{column}", kind, source=source, repeated=True))
    return _record_set("images", ["images/split", "images/path"], fields)


def _field(name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"@type": "cr:Field", "@id": name, "name": name, "dataType": kind, **more}


def _record_set(name: str, key: list[str], fields: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {"@type": "cr:RecordSet", "@id": name, "name": name, "key": [{"@id": each} for each in key], "field": fields, **more}
