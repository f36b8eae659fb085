"""A data set that version 0.1.0 built, with boxes, a rejected and a removed image, is still read by every command.

tests/made_by_0_1_0/out was built from memory://photos with the files of tests/made_by_0_1_0/photos, then 04.jpg was removed.
"""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import fsspec
import pyarrow.parquet as pq
import pytest

import imagerecords
from imagerecords.schemas.errors import OutputConflict

MADE = Path(__file__).parents[1] / "made_by_0_1_0"
SETTINGS = {
    "train_directory": "memory://photos/train",
    "validation_directory": "memory://photos/validation",
    "bounding_boxes": "memory://photos/boxes.csv",
    "train_shards": 2,
    "validation_shards": 1,
    "max_rejected_fraction": 0.2,
    "executor": "threads",
    "report": False,
}


@pytest.fixture
def made(tmp_path):
    return Path(shutil.copytree(MADE / "out", tmp_path / "out"))


@pytest.fixture
def photos():
    """The input where it was, with the times that it had."""
    memory = fsspec.filesystem("memory")
    for file in sorted((MADE / "photos").rglob("*")):
        if file.is_file():
            memory.pipe(f"/photos/{file.relative_to(MADE / 'photos').as_posix()}", file.read_bytes())
    for split in ("train", "validation"):
        for row in pq.read_table(MADE / "out/_build/plan.parquet", columns=["path", "version"]).to_pylist():
            file = memory.store.get(f"/photos/{split}/{row['path']}")
            if file is not None:
                file.created = datetime.fromtimestamp(float(row["version"]), UTC)
    yield memory
    memory.rm("/photos", recursive=True)


def test_audit_finds_no_problem_in_it(made):
    assert imagerecords.audit(made, pixels=True).problems == ()


def test_open_dataset_reads_it(made):
    data = imagerecords.open_dataset(str(made))
    assert tuple(data.labels) == ("cat", "dog")
    assert {split: len(data[split]) for split in data.splits} == {"train": 9, "validation": 3}
    assert sum(len(record.boxes) for record in data["train"]) == 2


def test_the_commands_on_finished_data_sets_read_it(made, tmp_path, imagerecords):
    located = imagerecords("locate", made, "turned.jpg")
    assert located.code == 0, located.err
    assert "broken.jpg: rejected: not_an_image" in imagerecords("locate", made, "broken.jpg").out
    assert imagerecords("extract", made, "--to", tmp_path / "images").code == 0
    assert len(list((tmp_path / "images").rglob("*.*"))) == 12
    assert imagerecords("diff", made, made).code == 0
    assert imagerecords("show", made / "train-00000-of-00002").code == 0
    assert imagerecords("report", made).code == 0
    assert (made / "report.html").exists()


def test_remove_removes_an_image_from_it(made, tmp_path, imagerecords):
    (tmp_path / "list.txt").write_text("turned.jpg\n")
    assert imagerecords("remove", made, "--list", tmp_path / "list.txt").code == 0
    assert imagerecords("locate", made, "turned.jpg").out.count("removed") > 0
    assert imagerecords("audit", made).code == 0


def test_append_adds_to_it_and_removed_images_stay_removed(made, photos, picture):
    photos.pipe("/photos/train/dog/new.jpg", picture(77))
    summary = imagerecords.build(progress=False, **SETTINGS, output_directory=made, append=True)
    assert {split.split: split.written for split in summary.splits} == {"train": 10, "validation": 3}
    assert imagerecords.audit(made).problems == ()


def test_the_same_build_is_refused_and_leaves_it_as_it_is(made, photos, digests):
    """Encoder version 3 reads some kinds of images otherwise, and a shard's fingerprint covers it."""
    before = digests(made)
    with pytest.raises(OutputConflict, match="earlier version"):
        imagerecords.build(progress=False, **SETTINGS, output_directory=made)
    assert digests(made) == before
