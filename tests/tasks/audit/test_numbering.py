"""audit: the numbers in the files' names promise files, of one data set."""

import pytest

from imagerecords.schemas.errors import BadLayout
from imagerecords.tasks.audit.folder import audit_folder
from imagerecords.tasks.dataset.numbering import numbering_problems
from tests.tasks.audit.records import write


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["a-00000-of-00002.tfrecord", "a-00001-of-00002.tfrecord"], []),
        (["a-1-of-2.tfrecord", "a-2-of-2.tfrecord"], []),  # counted from 1
        (["f_train_00001-of-00002.tfrecord"], ["f_train_00000-of-00002.tfrecord: is missing"]),
        (["t-0-of-2", "t-00-of-2", "t-1-of-2"], ["t-00-of-2: has the number of another file, in other digits"]),
        (["t-00000-of-00000"], ["t-00000-of-00000: is beyond the 0 files of its name"]),
        (["t-00000-of-00001", "t-00007-of-00001"], ["t-00007-of-00001: is beyond the 1 file of its name"]),
        (
            ["t-00000-of-00001", "t-00000-of-00002", "t-00001-of-00002"],  # a build before this one, of another number
            ["t-*-of-*: mix shards of several data sets: 1 of -of-00001, 2 of -of-00002"],
        ),
    ],
)
def test_numbering_promises_files(names, found):
    assert list(map(str, numbering_problems(names))) == found


def test_a_name_that_promises_a_billion_files_costs_no_memory(tmp_path):
    (tmp_path / "t-000000001-of-999999999.tfrecord").touch()
    *problems, empty = audit_folder(str(tmp_path), {}).problems
    assert len(problems) == 101
    assert empty.problem == "has no record"
    assert str(problems[-1]) == "t-*-of-999999999.tfrecord: 999,999,898 more files missing"


def test_a_name_that_promises_more_files_than_a_machine_counts_is_no_failure():
    problems = list(numbering_problems([f"t-0-of-{10**30}"]))
    assert str(problems[-1]) == f"t-*-of-{10**30}: {10**30 - 101:,} more files missing"


@pytest.mark.parametrize("name", ["train-0-of-1", "train-000-of-001", "train-00000-of-00001.gz", "train-00000-of-00001"])
def test_a_file_with_a_shards_name_and_no_sound_record_is_a_problem(tmp_path, name):
    (tmp_path / name).write_bytes(b"no record")
    (problem,) = audit_folder(str(tmp_path), {}).problems
    assert str(problem).startswith(f"{name} record 0 at byte 0: truncated") or str(problem).startswith(f"{name}: ")


def test_pictures_of_a_series_are_no_shards(tmp_path):
    (tmp_path / "photo-1-of-3.jpg").write_bytes(b"a picture")
    with pytest.raises(BadLayout, match="must hold TFRecord files"):
        audit_folder(str(tmp_path), {})


def test_files_without_a_record_are_noted_beside_others_and_a_problem_where_there_is_no_other(tmp_path):
    (tmp_path / "a.tfrecord").touch()
    assert list(map(str, audit_folder(str(tmp_path), {}).problems)) == ["a.tfrecord: has no record"]
    write(tmp_path / "b.tfrecord", {"image/class/label": 1})
    audit = audit_folder(str(tmp_path), {})
    assert "1 file without a record: a.tfrecord" in audit.notes
