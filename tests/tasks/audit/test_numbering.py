"""audit: the numbers in the files' names promise files, of one data set."""

import pytest

from imagerecords.tasks.audit.folder import audit_folder


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["a-00000-of-00002.tfrecord", "a-00001-of-00002.tfrecord"], []),
        (["a-1-of-2.tfrecord", "a-2-of-2.tfrecord"], []),  # counted from 1
        (["f_train_00001-of-00002.tfrecord"], ["f_train_00000-of-00002.tfrecord: is missing"]),
        (["t-00000-of-00001", "t-00007-of-00001"], ["t-00007-of-00001: is beyond the 1 file of its name"]),
        (
            ["t-00000-of-00001", "t-00000-of-00002", "t-00001-of-00002"],  # a build before this one, of another number
            ["t-*-of-*: mix shards of several data sets: 1 of -of-00001, 2 of -of-00002"],
        ),
    ],
)
def test_numbering_promises_files(tmp_path, names, found):
    for name in names:
        (tmp_path / name).touch()
    assert list(map(str, audit_folder(str(tmp_path), {}).problems)) == found


def test_a_name_that_promises_a_billion_files_costs_no_memory(tmp_path):
    (tmp_path / "t-000000001-of-999999999.tfrecord").touch()
    problems = audit_folder(str(tmp_path), {}).problems
    assert len(problems) == 101
    assert str(problems[-1]) == "t-*-of-999999999.tfrecord: 999,999,898 more files missing"
