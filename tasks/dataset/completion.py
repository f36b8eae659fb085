"""Completes a data set whose shards have receipts: the manifest, the files beside it, and dataset_info.json last.

Each is a function, so that publish can check its budget of rejected images between them, which remove does not.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from imagerecords.schemas.about import About
from imagerecords.schemas.errors import AccountingError, OutputLocked
from imagerecords.schemas.example import SEVERAL
from imagerecords.schemas.output_files import (
    CLASS_LABELS,
    CROISSANT,
    DATASET_INFO,
    FEATURES,
    LABEL_MAP,
    LABELS,
    OBJECT_CLASS_LABELS,
    OBJECT_LABELS,
)
from imagerecords.schemas.plan import PlanHeader
from imagerecords.schemas.receipt import VerifiedShard
from imagerecords.schemas.summary import BoxSummary
from imagerecords.tasks.dataset.about_file import read_about
from imagerecords.tasks.dataset.accounting import SplitCounts, box_summary, refuse_unaccounted
from imagerecords.tasks.dataset.croissant import Classes, croissant_json
from imagerecords.tasks.dataset.digest import dataset_digest
from imagerecords.tasks.dataset.labels_file import label_map_text, labels_text
from imagerecords.tasks.dataset.manifest import manifest_sha256, manifest_writer
from imagerecords.tasks.dataset.plan_file import read_plan_header, read_whole_plan
from imagerecords.tasks.dataset.readme import readme_text, write_readme
from imagerecords.tasks.dataset.receipts import read_receipt
from imagerecords.tasks.dataset.tfds import class_labels_text, dataset_info_json, features_json
from imagerecords.tasks.storage.exclusive import create_whole
from imagerecords.tasks.storage.folders import Folder


@dataclass(frozen=True)
class Accounts:
    """The plan's header, what the data set is called, the counts of each split, those of boxes, and the data set's digest."""

    header: PlanHeader
    about: About
    splits: dict[str, SplitCounts]
    boxes: BoxSummary | None
    digest: str

    def shards(self) -> dict[str, list[VerifiedShard]]:
        """The shards by split, in their order."""
        return {split: counts.verified for split, counts in self.splits.items()}


def write_manifest(output: Folder, verified: list[VerifiedShard]) -> Accounts:
    """Write manifest.parquet from the receipts; one is in memory at a time.

    Raises AccountingError when an image, a box or a receipt is missing.
    """
    header = read_plan_header(output)
    by_name = {shard.shard: shard for shard in verified}
    splits: dict[str, SplitCounts] = {}
    with manifest_writer(output, header) as write:
        for shard, planned in read_whole_plan(output):
            receipt = read_receipt(output, shard.name)
            if receipt is None:
                raise AccountingError(f"a shard has no receipt: {output.join(shard.name)}. Run the build again")
            write(receipt)
            counts = splits.setdefault(shard.split, SplitCounts())
            counts.add(planned, receipt, by_name[shard.name], with_boxes=bool(header.boxes))
    for split, counts in splits.items():
        refuse_unaccounted(split, counts, header, output)
    boxes = box_summary(header.boxes, splits.values(), output) if header.boxes else None
    digest = dataset_digest((shard.shard, shard.sha256) for counts in splits.values() for shard in counts.verified)
    return Accounts(header, read_about(output), splits, boxes, digest)


def write_files_beside(output: Folder, accounts: Accounts) -> None:
    """Write the files for readers beside the shards, except dataset_info.json."""
    header = accounts.header
    labels, extras = header.labels, header.extras
    output.write(LABELS, labels_text(labels))
    output.write(CLASS_LABELS, class_labels_text(labels))
    output.write(FEATURES, features_json(labels, extras, header.object_labels))
    maps = dict(_object_files(header))
    for name in (LABEL_MAP, OBJECT_LABELS, OBJECT_CLASS_LABELS):
        if name in maps:
            output.write(name, maps[name])
        else:
            output.remove(name)
    listed = {name: content for name, content in maps.items() if name != OBJECT_CLASS_LABELS}
    classes = Classes(listed, header.object_labels, several=SEVERAL in extras)
    croissant = croissant_json(labels, accounts.shards(), manifest_sha256(output), accounts.about, classes)
    output.write(CROISSANT, croissant)
    write_readme(output, readme_text(accounts.about, labels, accounts.shards(), boxes=header.boxes is not None))


def _object_files(header: PlanHeader) -> Iterator[tuple[str, bytes]]:
    """The files by which readers of object detection name classes."""
    own = header.object_labels
    if header.for_detection:
        yield LABEL_MAP, label_map_text(header.labels, header.texts) if own is None else label_map_text(own, None)
    if own is not None:
        yield OBJECT_LABELS, labels_text(own)
        yield OBJECT_CLASS_LABELS, class_labels_text(own)


def write_dataset_info(output: Folder, accounts: Accounts) -> None:
    """Write dataset_info.json: from here on the data set is complete.

    The build has removed it at its begin. Raises OutputLocked where another build has written its own meanwhile.
    """
    if not create_whole(output, DATASET_INFO, dataset_info_json(accounts.shards(), accounts.about)):
        raise OutputLocked(f"another build has completed the data set meanwhile: {output.url}. Audit it, then build again")
