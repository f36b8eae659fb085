"""extract: back to label folders, and never anywhere else."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from imagerecords.schemas.errors import BadInput, CorruptRecord
from imagerecords.schemas.example import LabelledImage, encode_example
from imagerecords.schemas.frame import frame
from imagerecords.schemas.results import Extracted, Selection
from imagerecords.tasks.commands.extract import extract_images, file_name, label_folder


def extract(dataset, to, label=(), split=None):
    return extract_images(str(dataset), to, Selection(label=label, split=split), {})


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def foreign(tmp_path, picture):
    """`foreign(("name", "text"), …)` makes a folder of one TFRecord file with a picture of its own for each."""

    def foreign(*records):
        folder = tmp_path / "foreign"
        folder.mkdir(exist_ok=True)
        with (folder / "data.tfrecord").open("wb") as file:
            for number, (name, text) in enumerate(records):
                data = encode_example(LabelledImage(picture(number), 16, 24, name, 3, text).features())
                before, after, _ = frame(data)
                file.write(before + data + after)
        return folder

    return foreign


def test_what_was_built_comes_back_byte_for_byte(tmp_path, build, fill):
    source = fill(tmp_path / "in", {"cat": 9, "wild/dog": 4})
    (tmp_path / "labels").write_text("wild/dog\ncat\n")
    build(train_directory=source, labels_file=tmp_path / "labels", output_directory=tmp_path / "out", train_shards=3)
    assert extract(tmp_path / "out", tmp_path / "back") == Extracted(written=13, present=0, labels=2)
    assert files(tmp_path / "back") == files(tmp_path / "in")


def test_records_without_a_label_or_an_image_are_counted(tmp_path, picture):
    """As FiftyOne, Roboflow and CVAT write them: a label as text, classes of objects alone, no picture, no label."""
    objects = {"image/object/class/text": (b"cat", b"dog"), "image/object/class/label": np.array([1, 2])}
    records = [
        {"filename": b"a.jpg", "image_bytes": picture(1), "label": b"cat"},
        {"image/filename": b"b.jpg", "image/encoded": picture(2), **objects},
        {"image/filename": b"c.jpg", "image/encoded": b"", **objects},
        {"image/filename": b"d.jpg", "image/encoded": picture(3)},
    ]
    (tmp_path / "in").mkdir()
    with (tmp_path / "in/data.tfrecord").open("wb") as file:
        for record in records:
            data = encode_example(record)
            before, after, _ = frame(data)
            file.write(before + data + after)
    assert extract(tmp_path / "in", tmp_path / "to") == Extracted(
        3, 0, labels=1, unlabelled=1, without_image=1, several=1, of_objects=1
    )
    assert files(tmp_path / "to").keys() == {"cat/a.jpg", "cat/b.jpg", "unlabelled/d.jpg"}


@pytest.fixture
def others(tmp_path):
    """`others({key: values}, …)` makes a folder of one TFRecord file of these Examples, with a broken one at its end."""

    def others(*records):
        (tmp_path / "in").mkdir()
        with (tmp_path / "in/data.tfrecord").open("wb") as file:
            for data in (*map(encode_example, records), b"no Example"):
                before, after, _ = frame(data)
                file.write(before + data + after)
        return tmp_path / "in"

    return others


def test_what_is_no_image_file_is_not_written_as_one(others, tmp_path):
    """Paths, captions and raw pixels: of others' records the image is what begins as an image does."""
    one = np.array([1])
    folder = others({"path": b"/a/1.jpg", "label": one}, {"text": b"BMW", "label": one}, {"image_raw": bytes(99), "label": one})
    assert extract(folder, tmp_path / "to") == Extracted(0, 0, labels=0, without_image=3, broken=1)


def test_of_several_images_the_one_named_as_an_image_is_written(others, tmp_path, picture):
    image, mask, left = picture(1), picture(2) + bytes(9999), picture(3)
    folder = others({"image_raw": image, "mask": mask, "label": np.array([1])}, {"left": left, "thumb": mask, "label": b"x"})
    assert extract(folder, tmp_path / "to") == Extracted(2, 0, labels=2, broken=1, other_images=("mask", "thumb"))
    assert sorted(files(tmp_path / "to").values()) == sorted([image, left])


def test_a_list_of_numbers_is_no_label_and_minus_1_is_none(others, tmp_path, picture):
    """The first of the indicators (0, 1, 0) would put every image but one label's into one folder."""
    labels = [np.array([0, 1, 0]), np.array([-1]), np.array([2.0], np.float32)]
    folder = others(*({"image": picture(number), "label": label} for number, label in enumerate(labels)))
    assert extract(folder, tmp_path / "to") == Extracted(3, 0, labels=1, unlabelled=2, broken=1)


def test_a_file_and_a_data_sets_own_folder_are_no_target(small, tmp_path):
    (tmp_path / "file").write_text("")
    for target, words in ((tmp_path / "file/x", "got a file"), (small / "x", "must lie outside the data set")):
        with pytest.raises(BadInput, match=words):
            extract(small, target)


def test_labels_of_one_text_stay_apart(others, tmp_path, picture):
    """As ImageNet's two labels crane; other splits may number the same label otherwise."""
    rows = [(135, b"crane"), (518, b"crane"), (3, b"label-7"), (7, b"../up"), (9, b"owl")]
    folder = others(
        *({"image/encoded": picture(id), "image/class/label": np.array([id]), "image/class/text": text} for id, text in rows)
    )
    extract(folder, tmp_path / "to")
    folders = sorted(path.name for path in (tmp_path / "to").iterdir())
    assert folders == ["crane-135", "crane-518", "label-7-3", "label-7-7", "owl"]


def test_labels_and_split_choose(small, tmp_path):
    rows = pq.read_table(small / "manifest.parquet").to_pylist()
    wanted = {row["path"] for row in rows if (row["split"], row["text"], row["status"]) == ("validation", "dog", "written")}
    for number, label in enumerate((("dog",), ("2",), ("2", "dog"))):
        extract(small, tmp_path / str(number), label, "validation")
        assert files(tmp_path / str(number)).keys() == wanted


def test_names_that_collide_are_numbered(small, tmp_path):
    """train and validation both have cat/000.jpg."""
    extract(small, tmp_path / "to", ("cat",))
    names = sorted(files(tmp_path / "to"))
    assert names[:4] == ["cat/000-2.jpg", "cat/000.jpg", "cat/001-2.jpg", "cat/001.jpg"]
    assert len(set(files(tmp_path / "to").values())) > 5


def test_a_name_made_by_numbering_may_be_anothers_own(foreign, tmp_path):
    extract(foreign(("a.jpg", "x"), ("a.jpg", "x"), ("a-2.jpg", "x"), ("a.jpg", "x")), tmp_path / "to")
    assert sorted(files(tmp_path / "to")) == ["x/a-2-2.jpg", "x/a-2.jpg", "x/a-3.jpg", "x/a.jpg"]


def test_again_writes_nothing_and_a_stopped_one_is_finished(small, tmp_path):
    first = extract(small, tmp_path / "to")
    assert extract(small, tmp_path / "to") == Extracted(0, first.written, first.labels)
    before = files(tmp_path / "to")
    (tmp_path / "to/cat/001.jpg").unlink()
    assert extract(small, tmp_path / "to") == Extracted(1, first.written - 1, first.labels)
    assert files(tmp_path / "to") == before


def test_files_that_differ_are_never_written_over_and_nothing_else_is_written(small, tmp_path):
    (tmp_path / "to/cat").mkdir(parents=True)
    (tmp_path / "to/cat/001.jpg").write_bytes(b"mine")
    (tmp_path / "to/cat/002.jpg").symlink_to(tmp_path / "nowhere")
    with pytest.raises(BadInput, match=r"2 existing files with other content would be overwritten: .*001.jpg, .*002.jpg"):
        extract(small, tmp_path / "to")
    assert files(tmp_path / "to") == {"cat/001.jpg": b"mine"}
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize(
    ("recorded", "name"),
    [
        ("a.jpg", "a.jpg"),
        ("../../x.jpg", "x.jpg"),
        ("/etc/passwd", "passwd"),
        ("..\\..\\x.jpg", "x.jpg"),
        ("a\0b\n.jpg", "a_b_.jpg"),
        ("..", ""),
        ("dir/", ""),
        ("...", ""),
        ("é" * 300 + ".jpg", "é" * 98 + ".jpg"),
        (".jpg", ".jpg"),
    ],
)
def test_a_name_from_outside_becomes_a_file_name(recorded, name):
    assert file_name(recorded) == name


@pytest.mark.parametrize(
    ("text", "folder"),
    [
        ("wild/dog", "wild/dog"),
        ("../up", "label-3"),
        ("/etc", "label-3"),
        ("a/../../b", "label-3"),
        ("c:\\x", "label-3"),
        ("a\nb", "label-3"),
        (None, "label-3"),
        ("", "label-3"),
    ],
)
def test_a_label_from_outside_becomes_a_folder_below(text, folder):
    assert label_folder(text, 3) == folder


def test_hostile_records_never_leave_the_folder(foreign, tmp_path):
    hostile = [("../../x", "cat"), ("/tmp/x", "../../up"), ("..", "cat"), ("x", "/etc"), ("", "cat"), ("a/b/../../../c", "..")]
    folder, to = foreign(*hostile), tmp_path / "deep/er/to"
    before = {path for path in tmp_path.rglob("*") if to not in path.parents}
    assert extract(folder, to).written == len(hostile)
    outside = {path for path in tmp_path.rglob("*") if path != to and to not in path.parents} - before
    assert outside == {tmp_path / "deep", tmp_path / "deep/er"}
    names = ["cat/data.tfrecord-000002.jpg", "cat/data.tfrecord-000004.jpg", "cat/x", "label-3/c", "label-3/x", "label-3/x-2"]
    assert sorted(files(to)) == names


def test_texts_come_from_the_labels_file_where_records_have_none(tf, tmp_path, picture):
    """As slim writes flowers: labels from 0, `0:daisy` in labels.txt, image/format jpg."""
    with tf.io.TFRecordWriter(str(tmp_path / "flowers_train_00000-of-00001.tfrecord")) as writer:
        for label in (0, 1):
            image = tf.train.Feature(bytes_list=tf.train.BytesList(value=[picture(label)]))
            features = {
                "image/encoded": image,
                "image/class/label": tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
            }
            writer.write(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())
    (tmp_path / "labels.txt").write_text("0:daisy\n1:rose\n")
    extract(tmp_path, tmp_path / "to", ("rose",), "train")
    assert files(tmp_path / "to") == {"rose/flowers_train_00000-of-00001.tfrecord-000001.jpg": picture(1)}


def test_unknown_labels_and_splits_are_reported_together(small, tmp_path):
    with pytest.raises(BadInput) as refused:
        extract(small, tmp_path / "to", ("cow", "cat", "9"), "test")
    lines = str(refused.value).splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "label must be one of the data set's, got 'cow'",
        "label must be one of the data set's, got '9'",
        "split must be one of train, validation, got 'test'",
    ]
    assert not (tmp_path / "to").exists()


def test_a_damaged_record_is_reported_and_not_written(foreign, tmp_path, small):
    import shutil

    shutil.copytree(small, tmp_path / "ours")
    shard = tmp_path / "ours/train-00001-of-00003"
    data = bytearray(shard.read_bytes())
    data[100] ^= 1
    shard.write_bytes(data)
    with pytest.raises(CorruptRecord, match="record 0 at byte 0 is broken"):
        extract(tmp_path / "ours", tmp_path / "to")


def test_a_url_is_no_directory_of_this_machine(tmp_path, build, fill, monkeypatch):
    """A folder named `s3:` would be made."""
    monkeypatch.chdir(tmp_path)
    build(train_directory=fill(tmp_path / "in", {"cat": 2}), output_directory=tmp_path / "out")
    with pytest.raises(BadInput, match="must be a directory of this machine"):
        extract(tmp_path / "out", Path("s3://bucket/images"))
    assert not (tmp_path / "s3:").exists()
