"""audit: any folder of TFRecord files; each problem by file, record number and byte offset."""

import os
import shutil

import pytest

from imagerecords.schemas.audit import Audit, AuditOptions, AuditProblem
from imagerecords.schemas.errors import BadLayout, BadSettings
from imagerecords.schemas.frame import frame
from imagerecords.tasks.audit import folder as folder_audit
from imagerecords.tasks.audit.folder import audit_folder
from tests.tasks.audit.records import example, flip, record, write


def test_a_sound_folder_of_another_program_has_no_problems(theirs):
    path, _ = theirs
    audit = audit_folder(str(path.parent), {})
    assert (audit.files, audit.records, audit.bytes, audit.problems) == (1, 5, path.stat().st_size, ())


def test_a_sound_data_set_of_imagerecords_has_no_problems(small):
    audit = audit_folder(str(small), {})
    assert (audit.files, audit.records, audit.problems) == (5, 17, ())


def test_one_file_alone_can_be_audited(small):
    audit = audit_folder(str(small / "train-00001-of-00003"), {})
    assert (audit.files, audit.problems) == (1, ())


def test_audit_goes_on_after_a_problem_in_the_data_and_names_the_place(theirs):
    path, offsets = theirs
    flip(path, offsets[2] + 12)
    audit = audit_folder(str(path.parent), {})
    (problem,) = audit.problems
    assert (problem.file, problem.record, problem.offset) == ("data.tfrecord", 2, offsets[2])
    assert str(problem) == f"data.tfrecord: record 2 at byte {offsets[2]}: the CRC of the data is wrong"
    assert audit.records == 5


def test_several_problems_in_several_files_are_all_reported(theirs):
    path, offsets = theirs
    other = path.with_name("other.tfrecords")
    shutil.copy(path, other)
    flip(path, offsets[1] + 13)
    flip(path, offsets[3] + 13)
    flip(other, offsets[4])
    places = [(problem.file, problem.record) for problem in audit_folder(str(path.parent), {}).problems]
    assert places == [("data.tfrecord", 1), ("data.tfrecord", 3), ("other.tfrecords", 4)]


def test_every_flip_and_truncation_of_a_file_is_found(theirs):
    path, offsets = theirs
    data = path.read_bytes()
    for position in range(len(data)):
        damaged = bytearray(data)
        damaged[position] ^= 0x10
        path.write_bytes(damaged)
        assert audit_folder(str(path), {}).problems, position
        path.write_bytes(data[:position])
        assert position in offsets or audit_folder(str(path), {}).problems, position


def test_a_record_that_is_no_example_is_a_problem(tmp_path):
    before, after, _ = frame(b"\xff\xff\xff")
    (tmp_path / "x.tfrecord").write_bytes(before + b"\xff\xff\xff" + after)
    (problem,) = audit_folder(str(tmp_path), {}).problems
    assert (problem.record, problem.offset) == (0, 0)
    assert "not a tf.train.Example" in problem.problem


@pytest.mark.parametrize("position", [0, 9, 12, 40, -1])
def test_a_damaged_shard_is_found(ours, position):
    flip(ours / "train-00001-of-00003", position)
    assert {problem.file for problem in audit_folder(str(ours), {}).problems} >= {"train-00001-of-00003"}


def test_a_shard_cut_between_records_is_found(ours):
    """The file alone is sound; only the manifest shows that records are missing."""
    shard = ours / "train-00000-of-00003"
    last, _ = (ours / "index" / "train-00000-of-00003.idx").read_text().splitlines()[-1].split()
    shard.write_bytes(shard.read_bytes()[: int(last)])
    problems = [problem for problem in audit_folder(str(ours), {}).problems if problem.file == shard.name]
    assert "according to the manifest" in problems[0].problem


def test_two_shards_exchanged_are_found(ours):
    first, second = ours / "validation-00000-of-00002", ours / "validation-00001-of-00002"
    held = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(held)
    assert {problem.file for problem in audit_folder(str(ours), {}).problems} >= {first.name, second.name}


def test_a_damaged_or_missing_index_is_found(ours):
    (ours / "index" / "train-00000-of-00003.idx").write_text("0 1\n")
    (ours / "index" / "train-00001-of-00003.idx").unlink()
    problems = {problem.file: problem.problem for problem in audit_folder(str(ours), {}).problems}
    assert "does not agree" in problems["index/train-00000-of-00003.idx"]
    assert problems["index/train-00001-of-00003.idx"] == "is missing"


def test_an_incomplete_data_set_is_a_problem(ours):
    (ours / "dataset_info.json").unlink()
    (problem,) = audit_folder(str(ours), {}).problems
    assert "is unfinished" in problem.problem
    (ours / "manifest.parquet").unlink()
    assert audit_folder(str(ours), {}).problems == (problem,)


def test_a_missing_manifest_is_a_problem(ours):
    (ours / "manifest.parquet").unlink()
    assert [*map(str, audit_folder(str(ours), {}).problems)] == ["manifest.parquet: is missing"]


def test_a_missing_shard_is_found(ours):
    (ours / "train-00002-of-00003").unlink()
    assert "train-00002-of-00003: is missing, but in the manifest" in map(str, audit_folder(str(ours), {}).problems)


def test_all_but_one_shard_missing_is_found(theirs):
    """A folder with one file of eight: the other seven are what its name promises."""
    path, _ = theirs
    path.rename(path.with_name("train-00000-of-00008"))
    assert len(audit_folder(str(path.parent), {}).problems) == 7


def test_a_whole_split_missing_is_found(ours):
    """No file name has validation any more; the manifest and dataset_info.json list it."""
    for shard in ours.glob("validation-*"):
        shard.unlink()
    assert {problem.file for problem in audit_folder(str(ours), {}).problems} >= {"validation-00000-of-00002"}


@pytest.mark.parametrize("what", ["", "no-such-folder", "empty"])
def test_a_folder_without_record_files_is_bad_input(tmp_path, what):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(BadLayout, match="must hold TFRecord files"):
        audit_folder(str(tmp_path / what), {})


def test_an_audit_changes_nothing(ours, digests):
    before = digests(ours)
    audit_folder(str(ours), {})
    assert digests(ours) == before


def test_tensorflow_reads_what_we_read(classic, tf):
    assert classic({}, {"extra": 3}, options=AuditOptions(tensorflow=True)).problems == ()


def test_without_tensorflow_it_is_not_asked(classic, monkeypatch):
    monkeypatch.setattr(folder_audit, "find_spec", lambda name: None)
    with pytest.raises(BadSettings, match="tensorflow must be off where TensorFlow is not installed"):
        classic({}, options=AuditOptions(tensorflow=True))


def test_an_image_that_tensorflow_does_not_decode_is_reported(classic, tf, picture):
    """A PNG whose header is sound, and little behind it."""
    png = picture(0, "PNG")[:60]
    (problem,) = classic({"encoded": png, "format": b"PNG"}, options=AuditOptions(tensorflow=True)).problems
    assert problem.problem.startswith("TensorFlow stops at record 0: ")


@pytest.mark.parametrize("kind", ["GZIP", "ZLIB"])
def test_compressed_files_are_read_and_named_as_such(tf, tmp_path, kind):
    with tf.io.TFRecordWriter(str(tmp_path / "data"), tf.io.TFRecordOptions(compression_type=kind)) as writer:
        for number in range(5):
            writer.write(example(tf, number))
    audit = audit_folder(str(tmp_path), {})
    assert (audit.files, audit.records, audit.problems) == (1, 5, ())
    compressed = f"compressed ({kind}): 1 of 1 file; readers need this as an option"
    assert audit.notes[0] == f"{compressed}, and offsets are those of the decompressed bytes"
    (tmp_path / "data").write_bytes((tmp_path / "data").read_bytes()[:-6])
    (problem,) = audit_folder(str(tmp_path / "data"), {}).problems
    assert "the compressed stream ends too early" in problem.problem


def test_files_are_recognised_by_content_and_others_are_reported_as_skipped(theirs):
    path, _ = theirs
    path.rename(path.with_name("0001.bin"))
    path.with_name("README").write_text("about")
    path.with_name("labels.txt").write_text("x\n")
    audit = audit_folder(str(path.parent), {})
    assert (audit.files, audit.records) == (1, 5)
    assert "skipped, not TFRecord files: README" in audit.notes


def test_a_folder_of_zero_length_files_alone_is_a_problem(tmp_path):
    names = ("train-00000-of-00002", "train-00001-of-00002")
    for name in names:
        (tmp_path / name).touch()
    problems = tuple(AuditProblem(name, None, None, "has no record") for name in names)
    assert audit_folder(str(tmp_path), {}) == Audit(2, 0, 0, 0, problems, ())


def test_the_number_of_workers_changes_nothing(ours):
    flip(ours / "train-00001-of-00003", 40)
    flip(ours / "validation-00001-of-00002", 4)
    audits = [audit_folder(str(ours), {}, AuditOptions(workers=workers)) for workers in (1, 4)]
    assert audits[0] == audits[1]
    assert audits[0].problems


def test_the_first_problems_of_a_file_are_listed_and_all_are_counted(tmp_path, picture):
    write(tmp_path / "x.tfrecord", *(record(picture, height=1) for _ in range(250)))
    problems = audit_folder(str(tmp_path), {}).problems
    assert len(problems) == 101
    assert str(problems[-1]) == "x.tfrecord: has 150 more problems, not listed"


@pytest.mark.skipif(not os.path.exists("/proc/self/mem"), reason="no /proc here")
def test_a_file_that_can_not_be_read_is_a_problem_and_the_others_are_read(ours):
    """/proc/self/mem answers a read of its first byte as a bad sector does."""
    (ours / "train-00001-of-00003").unlink()
    (ours / "train-00001-of-00003").symlink_to("/proc/self/mem")
    found = audit_folder(str(ours), {})
    assert "train-00001-of-00003: can't be read: Input/output error" in map(str, found.problems)
    assert found.files == 5
    assert found.records > 0
