"""locate: images by name, path or hash, in data sets of imagerecords and of other programs."""

import hashlib

import pyarrow.parquet as pq
import pytest

from imagerecords.schemas.errors import BadInput
from imagerecords.tasks.commands.locate import locate_image
from imagerecords.tasks.records.example import parse_example
from imagerecords.tasks.records.frames import read_frames


@pytest.fixture(scope="module")
def rows(small):
    """The small build's manifest."""
    return pq.read_table(small / "manifest.parquet").to_pylist()


def places(found):
    return [(each.split, each.path, each.shard, each.record, each.offset, each.label) for each in found]


def test_every_image_is_where_locate_says(small, rows):
    for row in rows:
        if row["record"] is None:
            continue
        (found,) = locate_image(str(small), f"{row['split']}/{row['path']}", {})
        data = (small / found.shard).read_bytes()[found.offset : found.offset + found.size]
        features = parse_example(data[12:-4])
        assert hashlib.sha256(features["image/encoded"][0]).hexdigest() == row["encoded_sha256"]
        assert features["image/class/text"] == [found.text.encode()]


def test_a_path_without_its_split_and_a_file_name_mean_all_images_that_have_it(small, rows):
    for name, matches in (
        ("cat/001.jpg", lambda path: path == "cat/001.jpg"),
        ("001.jpg", lambda path: path.endswith("/001.jpg")),
    ):
        wanted = [(row["split"], row["path"]) for row in rows if matches(row["path"])]
        assert len(wanted) > 1
        assert [(each.split, each.path) for each in locate_image(str(small), name, {})] == wanted


@pytest.mark.parametrize("column", ["sha256", "encoded_sha256"])
def test_a_hash_its_prefix_and_its_capitals_find_the_image(small, rows, column):
    row = next(row for row in rows if row["split"] == "train" and row["record"] == 1)
    for name in (row[column], row[column][:12], row[column].upper()):
        assert (row["split"], row["path"]) in [(each.split, each.path) for each in locate_image(str(small), name, {})]


def test_a_rejected_image_is_found_with_its_reason(small):
    (found,) = [each for each in locate_image(str(small), "cat/005.jpg", {}) if each.split == "train"]
    assert (found.record, found.reason) == (None, "not_an_image")
    assert str(found) == "train cat/005.jpg: rejected: not_an_image: no image format that Pillow reads"


def test_a_prefix_of_several_hashes_is_refused(tmp_path, build, fill, picture):
    """Of 200 images some two share their hash's first two digits; six are asked for, so the table is made to."""
    build(train_directory=fill(tmp_path / "in", {"a": 2}), output_directory=tmp_path / "out")
    path = tmp_path / "out/manifest.parquet"
    table = pq.read_table(path)
    rows = table.to_pylist()
    for row, end in zip(rows, "01", strict=True):
        row["sha256"] = "abcdef" + "0" * 57 + end
    pq.write_table(type(table).from_pylist(rows, table.schema), path)
    with pytest.raises(BadInput, match="a hash's prefix must match one hash, got 2: abcdef"):
        locate_image(str(tmp_path / "out"), "abcdef", {})
    assert len(locate_image(str(tmp_path / "out"), "abcdef" + "0" * 57 + "1", {})) == 1


@pytest.mark.parametrize("name", ["nothing.jpg", "abc", "0123456789abcdef", ".*", "%", ""])
def test_what_is_nowhere_is_not_found(small, name):
    assert locate_image(str(small), name, {}) == []


def test_a_name_as_windows_writes_it_is_found(small, rows):
    path = rows[0]["path"]
    assert locate_image(str(small), path.replace("/", "\\") + " ", {}) == locate_image(str(small), path, {}) != []


def test_folders_of_records_one_level_deeper_are_named(small, tmp_path):
    """As Roboflow and TFX write them."""
    (tmp_path / "valid").mkdir()
    (tmp_path / "valid/Pets.tfrecord").write_bytes(b"")
    with pytest.raises(BadInput, match=r"got none: .*\. Pass a folder in it that has some: valid"):
        locate_image(str(tmp_path), "x", {})


def test_a_foreign_folder_is_searched_by_image_filename_and_hash(small, tmp_path):
    (tmp_path / "toy-train.tfrecord").write_bytes((small / "train-00000-of-00003").read_bytes())
    with (small / "train-00000-of-00003").open("rb") as file:
        records = list(read_frames(file, resume=False))
    features = parse_example(records[2].data)
    name, encoded = features["image/filename"][0].decode(), features["image/encoded"][0]
    found = locate_image(str(tmp_path), name, {})
    place = ("train", name, "toy-train.tfrecord", 2, records[2].offset, features["image/class/label"][0])
    assert place in places(found)
    assert places(locate_image(str(tmp_path), hashlib.sha256(encoded).hexdigest()[:10], {})) == [place]


def test_a_folder_of_nothing_and_a_file_are_bad_input(tmp_path, small):
    for path in (tmp_path, small / "train-00000-of-00003", tmp_path / "nowhere"):
        with pytest.raises(BadInput, match="a data set must be a folder with"):
            locate_image(str(path), "x", {})
