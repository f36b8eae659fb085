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


def test_every_reference_leads_to_a_field(small):
    croissant = json.loads((small / "croissant.json").read_text())
    fields = {field["@id"]: field for record_set in croissant["recordSet"] for field in record_set["field"]}
    referred = [field["references"]["field"]["@id"] for field in fields.values() if "references" in field]
    assert referred == ["splits/name", "labels/id"]
    assert set(referred) <= set(fields)
