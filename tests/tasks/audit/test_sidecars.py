"""audit: the files beside the records agree with them: indexes, the manifest, TFDS and Croissant files."""

import json
import re
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from imagerecords.schemas.audit import AuditOptions
from imagerecords.tasks.audit.folder import audit_folder
from imagerecords.tasks.dataset.findings_file import COLUMNS as FINDINGS_COLUMNS
from tests.tasks.audit.records import flip, problems, record, write


def test_a_broken_manifest_is_a_problem_and_no_crash(ours):
    (ours / "manifest.parquet").write_bytes(b"garbage")
    assert {problem.file for problem in audit_folder(str(ours), {}).problems} >= {"manifest.parquet"}


def test_tfds_counts_are_held_against_its_files(tmp_path, picture):
    write(tmp_path / "toy-train.tfrecord-00000-of-00001", record(picture, 1), record(picture, 2))
    size = (tmp_path / "toy-train.tfrecord-00000-of-00001").stat().st_size - 32  # TFDS counts what is in the records
    info = {"name": "toy", "fileFormat": "tfrecord"}
    for lengths, total, found in (
        (["2"], size, []),
        (["3"], size, ["toy-train.tfrecord-00000-of-00001: has 2 records, 3 according to dataset_info.json"]),
        (["2"], 5, [f"dataset_info.json: has numBytes 5 for train, its records have {size + 32}"]),
    ):
        split = {"name": "train", "shardLengths": lengths, "numBytes": str(total)}
        (tmp_path / "dataset_info.json").write_text(json.dumps(info | {"splits": [split]}))
        assert list(map(str, audit_folder(str(tmp_path), {}).problems)) == found


@pytest.mark.parametrize(
    ("file", "change", "found"),
    [
        ("labels.txt", lambda text: text.replace("cat", "cow"), "is 'cat' in"),
        ("labels.txt", None, "is missing"),
        ("image-class-label.labels.txt", lambda text: text + "x", "does not have the labels of labels.txt"),
        ("features.json", None, "is missing"),
        ("croissant.json", lambda text: text.replace('"sha256": "', '"sha256": "0'), "according to croissant.json"),
        ("croissant.json", lambda text: text[:50], "must hold a JSON object"),
        ("dataset_info.json", lambda text: re.sub(r'"numBytes": "\d+"', '"numBytes": "1"', text), "has numBytes 1 for"),
        ("dataset_info.json", lambda text: text.replace('"4"', '"5"', 1), "5 according to dataset_info.json"),
        ("dataset_info.json", lambda text: text.replace('"4"', '"four"', 1), "must be as TFDS writes it"),
        ("dataset_info.json", lambda _: '{"splits": ["train"]}', "must be as TFDS writes it"),
    ],
)
def test_files_beside_our_shards_must_agree_with_them(ours, file, change, found):
    if change:
        (ours / file).write_text(change((ours / file).read_text()))
    else:
        (ours / file).unlink()
    assert any(found in problem for problem in problems(audit_folder(str(ours), {})))


def test_findings_that_can_not_be_read_or_name_other_records_are_problems(ours):
    path = ours / "findings.parquet"
    row = {"kind": "dark", "path": "nobody.jpg", "shard": "train-00000-of-00001", "record": 0}
    pq.write_table(pa.Table.from_pylist([row], FINDINGS_COLUMNS), path)
    assert "names 1 record that the manifest does not have" in problems(audit_folder(str(ours), {}))
    path.write_bytes(b"PAR1")
    (found,) = audit_folder(str(ours), {}).problems
    assert (found.file, found.problem.partition(":")[0]) == ("findings.parquet", "can't be read")


def test_another_digest_or_label_in_the_manifest_is_a_problem(ours):
    path = ours / "manifest.parquet"
    rows = pq.read_table(path)
    changed = rows.to_pylist()
    first = next(row for row in changed if row["record"] is not None)
    first |= {"encoded_sha256": "0" * 64, "height": 1, "label": 9}
    pq.write_table(pa.Table.from_pylist(changed, rows.schema), path)
    problems = audit_folder(str(ours), {}).problems
    assert any(problem.file == "manifest.parquet" and "according to croissant.json" in problem.problem for problem in problems)
    found = [problem for problem in problems if problem.record == first["record"]]
    assert {problem.file for problem in found} == {first["shard"]}
    assert len([problem for problem in found if "manifest" in problem.problem]) == 3


def test_after_a_broken_length_records_are_still_held_against_the_manifest(ours):
    """They are found by their place, though their numbers moved up."""
    shard = ours / "train-00000-of-00003"
    flip(shard, 3)
    problems = [
        problem for problem in audit_folder(str(ours), {}, AuditOptions(digests=False)).problems if problem.file == shard.name
    ]
    assert [problem.record for problem in problems if problem.record is not None] == [0]
    assert "bytes skipped" in problems[0].problem


def test_empty_shards_differ_from_shards_of_another_build(tmp_path, fill, build):
    build(
        train_directory=fill(tmp_path / "in", {"a": 2}),
        output_directory=tmp_path / "out",
        train_shards=3,
        allow_empty_shards=True,
    )
    assert audit_folder(str(tmp_path / "out"), {}).problems == ()
    shutil.copy(tmp_path / "out/train-00002-of-00003", tmp_path / "out/train-00000-of-00001")
    assert list(map(str, audit_folder(str(tmp_path / "out"), {}).problems)) == [
        "train-00000-of-00001: is no shard of the manifest",
        "train-*-of-*: mix shards of several data sets: 1 of -of-00001, 3 of -of-00003",
    ]
