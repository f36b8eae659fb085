"""croissant.json lists every file, and columns that the manifest has; tests/acceptance/readers loads it with mlcroissant."""

import hashlib
import json

import pyarrow.parquet as pq

from imagerecords.schemas.receipt import COLUMNS as MANIFEST_COLUMNS
from imagerecords.tasks.dataset.croissant import COLUMNS


def test_the_manifest_and_each_shard_stand_there_with_their_true_sha256(small):
    croissant = json.loads((small / "croissant.json").read_text())
    listed = {item["contentUrl"]: item["sha256"] for item in croissant["distribution"] if item["@type"] == "cr:FileObject"}
    files = [small / "manifest.parquet", *small.glob("train-*"), *small.glob("validation-*")]
    assert len(files) == 6
    assert listed == {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def test_the_record_set_names_only_columns_that_the_manifest_has(small):
    assert set(COLUMNS) <= set(MANIFEST_COLUMNS.names)
    assert set(COLUMNS) <= set(pq.read_schema(small / "manifest.parquet").names)


def test_no_field_refers_to_another_record_set(small):
    """mlcroissant would read the images once, and then give none."""
    assert '"references":' not in (small / "croissant.json").read_text().replace('"references": "cr:references"', "")
