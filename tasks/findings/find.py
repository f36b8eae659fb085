"""findings: duplicates, image quality and label counts of a data set, from manifest.parquet alone, in bounded memory.

A few narrow columns are held as arrays; paths are read only for what is found. Rules and thresholds: schemas/findings.py.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from imagerecords.schemas.example import SEVERAL
from imagerecords.schemas.findings import (
    BLANK_CONTRAST,
    BLURRED_MIN_SIDE,
    BLURRED_SHARPNESS,
    BRIGHT_BRIGHTNESS,
    DARK_BRIGHTNESS,
    EXTREME_ASPECT,
    FEW_IMAGES,
    TINY_SIDE,
    DuplicateExamples,
    FindingCounts,
    Findings,
    GroupExample,
    ImageReference,
    LabelExample,
)
from imagerecords.schemas.labels import NO_LABEL_TEXT
from imagerecords.schemas.plan import EXTRAS_KEY
from imagerecords.schemas.receipt import NOTES, WRITTEN
from imagerecords.schemas.splits import EVERY_SPLIT, FOLDS
from imagerecords.tasks.dataset.findings_file import COLUMNS as FINDING_COLUMNS
from imagerecords.tasks.dataset.label_columns import each_label, has_several
from imagerecords.tasks.dataset.manifest import open_manifest, read_numbered
from imagerecords.tasks.findings.chance import Nearness
from imagerecords.tasks.findings.duplicate_groups import Found, Images, exact_duplicates, near_duplicates
from imagerecords.tasks.findings.listing import Beyond, list_findings
from imagerecords.tasks.storage.folders import Folder

IMAGES_SHOWN = 48
LABELS_SHOWN = 100
SHOWN_COLUMNS = ["split", "path", "text", "shard", "offset"]
EMPTY_HASHES = (0, 2**64 - 1)  # of an image of one colour, or of one gradient from side to side

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class _Quality:
    """By kind of image quality problem: the number of such images, rows and values of the most extreme ones, and of all."""

    counts: dict[str, int]
    shown: dict[str, list[tuple[int, float]]]
    all: dict[str, Beyond]


@dataclass(frozen=True)
class _Labels:
    """Labels by id with the number of their written images by split, and a manifest's row of each.

    `texts` has the labels' texts where images have several, so that a row's own text may be another's.
    """

    splits: list[str]
    rows: dict[int, int]
    written: dict[tuple[int, str], int]
    texts: dict[int, str]

    def with_few_images(self) -> list[tuple[int, str]]:
        """Labels with some training images, but few."""
        return [(label, "train") for label in self.rows if 0 < self.images(label, "train") < FEW_IMAGES]

    def images(self, label: int, split: str) -> int:
        """The number of a label's written images in a split; those of all folds are for training."""
        return sum(self.written.get((label, name), 0) for name in ((split, *FOLDS) if split == "train" else (split,)))

    def missing(self) -> list[tuple[int, str]]:
        """Labels without an image in a split in which others have images."""
        return [(label, split) for split in self.splits for label in self.rows if not self.written.get((label, split))]


def find(output: Folder) -> Findings:
    """The findings of a data set whose manifest is written. Raises CorruptRecord when that can't be read."""
    return _find(output, listed=False)[0]


def find_and_list(output: Folder) -> tuple[Findings, pa.Table]:
    """The findings, and the rows of findings.parquet. Raises as find does."""
    return _find(output, listed=True)


def _find(output: Folder, *, listed: bool) -> tuple[Findings, pa.Table]:
    with open_manifest(output, ["split", "status"]) as parquet:
        labels, quality, exact, (near, limit), measured = _read_findings(parquet)
        notes = _count_notes(parquet)
        rows = {row for found in (exact, near) for groups in found.shown.values() for _, members in groups for row in members}
        rows |= {row for images in quality.shown.values() for row, _ in images}
        few, missing = labels.with_few_images(), labels.missing()
        rows |= {labels.rows[label] for label, _ in (*few[:LABELS_SHOWN], *missing[:LABELS_SHOWN])}
        images = _read_shown(parquet, sorted(rows))
        groups = {"exact_duplicates": exact, "near_duplicates": near}
        table = list_findings(parquet, groups, quality.all) if listed else FINDING_COLUMNS.empty_table()
    counts = FindingCounts(
        exact=exact.counts,
        near=near.counts,
        near_bits=limit.bits,
        near_by_chance=limit.by_chance,
        measured=measured,
        labels_with_few_images=len(few),
        missing_labels=len({label for label, _ in missing}),
        **quality.counts,
        **notes,
    )
    findings = Findings(
        counts=counts,
        exact=_duplicate_examples(exact, images),
        near=_duplicate_examples(near, images),
        images={
            kind: tuple(images[row].model_copy(update={"value": value}) for row, value in shown)
            for kind, shown in quality.shown.items()
            if shown
        },
        labels_with_few_images=tuple(_label_examples(labels, few, images)),
        missing_labels=tuple(_label_examples(labels, missing, images)),
    )
    return findings, table


def _read_findings(parquet: pq.ParquetFile) -> tuple[_Labels, _Quality, Found, tuple[Found, Nearness], int]:
    """All findings that need whole columns of the manifest; each is released before the next ones are read."""
    names = ["split", "status", "label", *(("text", "labels", "texts") if _says_several(parquet) else ())]
    table = parquet.read([*names, "height", "width", "brightness", "contrast", "sharpness", "dhash"])
    split = _numbers_of(table["split"], list(EVERY_SPLIT))
    written = pc.equal(table["status"].cast(pa.string()), WRITTEN)
    by_label, places = each_label(table.select(names))
    labels = _count_labels(split, by_label, written.to_numpy()[places], places)
    row = np.flatnonzero(written.to_numpy())
    split, table = split[row], table.filter(written)
    contrast, dhash = _floats(table["contrast"]), table["dhash"].fill_null(0).to_numpy()
    images = Images(
        row=row,
        split=split,
        label=_label_sets(table),
        content=_contents(parquet, written),
        dhash=dhash,
        comparable=~np.isin(dhash, np.array(EMPTY_HASHES, np.uint64)) & ~(contrast < BLANK_CONTRAST),
    )
    measured = len(row) - table["dhash"].null_count
    return labels, _image_quality(table, row), exact_duplicates(images), near_duplicates(images), measured


def _count_notes(parquet: pq.ParquetFile) -> dict[str, int]:
    """How many images each of the notes is true of; none in a manifest of version 0.1.0, which has no notes."""
    names = [name for name in NOTES if name in parquet.schema_arrow.names]
    table = parquet.read(names)
    return {name: pc.sum(table[name]).as_py() or 0 for name in names}


def _numbers_of(column: pa.ChunkedArray, names: list[str]) -> npt.NDArray[np.uint8]:
    """The place of each value in `names`."""
    places: npt.NDArray[np.uint8] = pc.index_in(column.cast(pa.string()), pa.array(names)).to_numpy().astype(np.uint8)
    return places


def _contents(parquet: pq.ParquetFile, written: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """A number for each written image, the same for the same SHA-256."""
    coded = parquet.read(["sha256"])["sha256"].filter(written).dictionary_encode()
    return np.concatenate([np.empty(0, np.int64), *(chunk.indices.to_numpy() for chunk in coded.chunks)])


def _floats(column: pa.ChunkedArray) -> Floats:
    """A column's values; NaN, which is beyond no threshold, for nulls."""
    values: Floats = column.fill_null(float("nan")).to_numpy()
    return values


def _image_quality(table: pa.Table, row: npt.NDArray[np.int64]) -> _Quality:
    """The written images beyond a threshold; `shown` has the most extreme first."""
    brightness, contrast, sharpness = (_floats(table[name]) for name in ("brightness", "contrast", "sharpness"))
    height, width = (table[name].to_numpy() for name in ("height", "width"))
    shorter = np.minimum(height, width)
    aspect = np.maximum(height, width) / np.maximum(shorter, 1)
    blank = contrast < BLANK_CONTRAST
    kinds = {
        "blank": (blank, contrast),
        "dark": (~blank & (brightness < DARK_BRIGHTNESS), brightness),
        "bright": (~blank & (brightness > BRIGHT_BRIGHTNESS), -brightness),
        "blurred": (~blank & (sharpness < BLURRED_SHARPNESS) & (shorter >= BLURRED_MIN_SIDE), sharpness),
        "tiny": (shorter < TINY_SIDE, shorter),
        "extreme_aspect_ratio": (aspect > EXTREME_ASPECT, -aspect),
    }
    counts, shown, everything = {}, {}, {}
    for kind, (beyond, metric) in kinds.items():
        found = np.flatnonzero(beyond)
        extreme = found[np.argsort(metric[found], kind="stable")[:IMAGES_SHOWN]]
        counts[kind] = len(found)
        shown[kind] = [(int(row[image]), abs(float(metric[image]))) for image in extreme]
        everything[kind] = row[found], np.abs(metric[found]).astype(np.float32)
    return _Quality(counts, shown, everything)


def _says_several(parquet: pq.ParquetFile) -> bool:
    """Whether the images of a manifest have several labels; only then are all of them read."""
    extras: bytes = (parquet.schema_arrow.metadata or {}).get(EXTRAS_KEY, b"")
    return SEVERAL in extras.decode("utf-8", "replace").split(",")


def _label_sets(table: pa.Table) -> npt.NDArray[np.int64]:
    """A number for the label of each image, or for all of its labels where it has several."""
    if not has_several(table):
        ids: npt.NDArray[np.int64] = table["label"].to_numpy()
        return ids
    numbers: dict[tuple[int, ...], int] = {}
    return np.array([numbers.setdefault(tuple(each or ()), len(numbers)) for each in table["labels"].to_pylist()], np.int64)


def _count_labels(
    split: npt.NDArray[np.uint8], rows_of_labels: pa.Table, written: npt.NDArray[np.bool_], places: npt.NDArray[np.int64]
) -> _Labels:
    label, of_label = rows_of_labels["label"].to_numpy(), split[places]
    ids, first = np.unique(label, return_index=True)
    rows = places[first]
    texts = rows_of_labels["text"].take(pa.array(first)).to_pylist() if has_several(rows_of_labels) else []
    pairs, counts = np.unique(label[written].astype(np.int64) * len(EVERY_SPLIT) + of_label[written], return_counts=True)
    return _Labels(
        splits=[EVERY_SPLIT[number] for number in np.unique(split).tolist()],
        rows=dict(zip(ids.tolist(), rows.tolist(), strict=True)),
        texts=dict(zip(ids.tolist(), texts, strict=False)),
        written={
            (pair // len(EVERY_SPLIT), EVERY_SPLIT[pair % len(EVERY_SPLIT)]): count
            for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True)
        },
    )


def _read_shown(parquet: pq.ParquetFile, rows: list[int]) -> dict[int, ImageReference]:
    """References to these rows of the manifest."""
    found = read_numbered(parquet, np.array(rows, np.int64), SHOWN_COLUMNS).to_pylist()
    return {
        row: ImageReference(
            split=image["split"],
            path=image["path"],
            label=NO_LABEL_TEXT if image["text"] is None else image["text"],
            shard=image["shard"],
            offset=image["offset"] or 0,
        )
        for row, image in zip(rows, found, strict=True)
    }


def _duplicate_examples(found: Found, images: dict[int, ImageReference]) -> DuplicateExamples:
    examples = {
        kind: tuple(GroupExample(images=size, members=tuple(images[row] for row in rows)) for size, rows in groups)
        for kind, groups in found.shown.items()
    }
    return DuplicateExamples(**examples)


def _label_examples(labels: _Labels, found: list[tuple[int, str]], images: dict[int, ImageReference]) -> Iterable[LabelExample]:
    for label, split in found[:LABELS_SHOWN]:
        text = labels.texts.get(label, images[labels.rows[label]].label)
        yield LabelExample(label=text, split=split, images=labels.images(label, split))
