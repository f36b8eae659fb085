"""Folders to audit: somebody else's, ours, and one of single records."""

import shutil

import pytest

from imagerecords.schemas.audit import AuditOptions
from imagerecords.tasks.audit.folder import audit_folder
from tests.tasks.audit.records import example, record, write


@pytest.fixture
def theirs(tf, tmp_path):
    """A folder with one file of five records, written by TensorFlow; and where each begins."""
    path = tmp_path / "theirs" / "data.tfrecord"
    path.parent.mkdir()
    offsets, offset = [], 0
    with tf.io.TFRecordWriter(str(path)) as writer:
        for number in range(5):
            data = example(tf, number)
            writer.write(data)
            offsets.append(offset)
            offset += len(data) + 16
    return path, offsets


@pytest.fixture
def ours(small, tmp_path):
    """A copy of a built data set."""
    shutil.copytree(small, tmp_path / "ours")
    return tmp_path / "ours"


@pytest.fixture
def classic(picture, tmp_path):
    """`classic(*records, **files)` makes a foreign folder of one file of these records, and files beside it; audits it."""

    def classic(*records, options=AuditOptions(), **files):  # noqa: B008  # frozen
        write(tmp_path / "x.tfrecord", *(record(picture, number, **changes) for number, changes in enumerate(records)))
        for name, text in files.items():
            (tmp_path / name.replace("_txt", ".txt").replace("_json", ".json")).write_text(text)
        return audit_folder(str(tmp_path), {}, options)

    return classic
