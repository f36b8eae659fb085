"""README.md of a data set: a dataset card as the Hugging Face Hub shows it, with its metadata in front.

The metadata names manifest.parquet as the data. Without it, Hugging Face's `load_dataset` would take every Parquet file in the
folder, those in _build/ too, for the data. A README.md that imagerecords did not write stays as it is.
"""

import json

from imagerecords.schemas.about import About
from imagerecords.schemas.messages import plural
from imagerecords.schemas.output_files import MANIFEST, README
from imagerecords.schemas.receipt import VerifiedShard
from imagerecords.tasks.storage.folders import Folder

MARK = "<!-- Written by imagerecords build; remove this line to keep your changes. -->"
SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"))
LABELS_NAMED = 200


def readme_text(about: About, labels: tuple[str, ...], splits: dict[str, list[VerifiedShard]], *, boxes: bool) -> bytes:
    """The file's content; shards by split, in their order."""
    records = {split: sum(shard.records for shard in shards) for split, shards in splits.items()}
    rows = [f"| {split} | {records[split]:,} | {len(shards):,} |" for split, shards in splits.items()]
    names = ", ".join(f"`{label}`" for label in labels[:LABELS_NAMED])
    more = f" and {len(labels) - LABELS_NAMED:,} more, in labels.txt" if len(labels) > LABELS_NAMED else ""
    parts = [
        "\n".join(["---", *_metadata(about, sum(records.values()), boxes=boxes), "---", MARK]),
        f"# {about.name} {about.version}",
        about.description or "Labelled images as TFRecord files of tf.train.Examples.",
        "\n".join(["| split | images | shards |", "|---|---|---|", *rows]),
        f"{plural(len(labels), 'label')}: {names}{more}.",
        f"Each image is a JPEG in a record of a shard. `{MANIFEST}` has a row per image: its record, label, size and metrics. "
        "`tfds.builder_from_directory` of TensorFlow Datasets opens the folder, and `report.html`, where it exists, is the "
        "data card.",
        f"## License\n\n{about.license}" if about.license else "",
        f"## Citation\n\n```\n{about.citation}\n```" if about.citation else "",
    ]
    return ("\n\n".join(part for part in parts if part) + "\n").encode()


def write_readme(output: Folder, text: bytes) -> None:
    """Write README.md, unless the one in the output is not of imagerecords."""
    try:
        if MARK.encode() not in output.read(README):
            return
    except FileNotFoundError:
        pass
    output.write(README, text)


def _metadata(about: About, images: int, *, boxes: bool) -> list[str]:
    """The lines of YAML; texts are quoted as in JSON, which YAML includes."""
    size = next((name for limit, name in SIZES if images < limit), "10M<n<100M")
    return [
        f"pretty_name: {json.dumps(about.name, ensure_ascii=False)}",
        *_license(about.license),
        "task_categories:",
        "- image-classification",
        *(["- object-detection"] if boxes else []),
        "size_categories:",
        f"- {size}",
        "configs:",
        "- config_name: default",
        f"  data_files: {MANIFEST}",
    ]


def _license(text: str) -> list[str]:
    """The license's lines: the Hub's identifiers are in lower case, and it takes a URL only as the link of another license."""
    if "://" in text:
        return ["license: other", f"license_link: {json.dumps(text, ensure_ascii=False)}"]
    return [f"license: {json.dumps(text.lower(), ensure_ascii=False)}"] if text else []
