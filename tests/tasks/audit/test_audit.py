"""audit: any folder of TFRecord files; each fault by file, record number and byte offset."""

import json
import re
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from imagerecords.schemas.audit import Audit, AuditOptions
from imagerecords.schemas.errors import BadLayout
from imagerecords.schemas.example import LabelledImage, encode_example
from imagerecords.schemas.frame import frame
from imagerecords.tasks.audit.folder import audit_folder


def example(tf, number):
    """A small Example of somebody else's."""
    value = tf.train.Feature(int64_list=tf.train.Int64List(value=[number]))
    return tf.train.Example(features=tf.train.Features(feature={"n": value})).SerializeToString()


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


def flip(path, position):
    data = bytearray(path.read_bytes())
    data[position] ^= 0xFF
    path.write_bytes(data)


def test_a_sound_folder_of_somebody_elses_has_no_faults(theirs):
    path, _ = theirs
    audit = audit_folder(str(path.parent), {})
    assert (audit.files, audit.records, audit.bytes, audit.faults) == (1, 5, path.stat().st_size, ())


def test_a_sound_data_set_of_ours_has_no_faults(small):
    audit = audit_folder(str(small), {})
    assert (audit.files, audit.records, audit.faults) == (5, 17, ())


def test_one_file_alone_can_be_audited(small):
    audit = audit_folder(str(small / "train-00001-of-00003"), {})
    assert (audit.files, audit.faults) == (1, ())


def test_audit_goes_on_after_a_fault_in_the_data_and_names_the_place(theirs):
    path, offsets = theirs
    flip(path, offsets[2] + 12)
    audit = audit_folder(str(path.parent), {})
    (fault,) = audit.faults
    assert (fault.file, fault.record, fault.offset) == ("data.tfrecord", 2, offsets[2])
    assert str(fault) == f"data.tfrecord: record 2 at byte {offsets[2]}: the CRC of the data is wrong"
    assert audit.records == 5


def test_several_faults_in_several_files_are_all_told(theirs):
    path, offsets = theirs
    other = path.with_name("other.tfrecords")
    shutil.copy(path, other)
    flip(path, offsets[1] + 13)
    flip(path, offsets[3] + 13)
    flip(other, offsets[4])
    places = [(fault.file, fault.record) for fault in audit_folder(str(path.parent), {}).faults]
    assert places == [("data.tfrecord", 1), ("data.tfrecord", 3), ("other.tfrecords", 4)]


def test_every_flip_and_truncation_of_a_file_is_found(theirs):
    path, offsets = theirs
    data = path.read_bytes()
    for position in range(len(data)):
        damaged = bytearray(data)
        damaged[position] ^= 0x10
        path.write_bytes(damaged)
        assert audit_folder(str(path), {}).faults, position
        path.write_bytes(data[:position])
        assert position in offsets or audit_folder(str(path), {}).faults, position


def test_a_record_that_is_no_example_is_a_fault(tmp_path):
    before, after, _ = frame(b"\xff\xff\xff")
    (tmp_path / "x.tfrecord").write_bytes(before + b"\xff\xff\xff" + after)
    (fault,) = audit_folder(str(tmp_path), {}).faults
    assert (fault.record, fault.offset) == (0, 0)
    assert "not a tf.train.Example" in fault.problem


@pytest.mark.parametrize("position", [0, 9, 12, 40, -1])
def test_a_damaged_shard_of_ours_is_found(ours, position):
    flip(ours / "train-00001-of-00003", position)
    assert {fault.file for fault in audit_folder(str(ours), {}).faults} >= {"train-00001-of-00003"}


def test_a_shard_of_ours_cut_between_records_is_found(ours):
    """The file alone looks sound; the manifest knows better."""
    shard = ours / "train-00000-of-00003"
    last, _ = (ours / "index" / "train-00000-of-00003.idx").read_text().splitlines()[-1].split()
    shard.write_bytes(shard.read_bytes()[: int(last)])
    faults = [fault for fault in audit_folder(str(ours), {}).faults if fault.file == shard.name]
    assert "the manifest tells" in faults[0].problem


def test_two_shards_exchanged_are_found(ours):
    first, second = ours / "validation-00000-of-00002", ours / "validation-00001-of-00002"
    held = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(held)
    assert {fault.file for fault in audit_folder(str(ours), {}).faults} >= {first.name, second.name}


def test_a_damaged_or_missing_index_is_found(ours):
    (ours / "index" / "train-00000-of-00003.idx").write_text("0 1\n")
    (ours / "index" / "train-00001-of-00003.idx").unlink()
    faults = {fault.file: fault.problem for fault in audit_folder(str(ours), {}).faults}
    assert "does not agree" in faults["index/train-00000-of-00003.idx"]
    assert faults["index/train-00001-of-00003.idx"] == "is missing"


def test_an_incomplete_data_set_is_a_fault(ours):
    (ours / "dataset_info.json").unlink()
    (fault,) = audit_folder(str(ours), {}).faults
    assert "is not complete" in fault.problem


def test_a_missing_shard_is_found(ours):
    (ours / "train-00002-of-00003").unlink()
    assert "train-00002-of-00003: is missing, and the manifest tells of it" in map(str, audit_folder(str(ours), {}).faults)


def test_all_but_one_shard_missing_is_found(theirs):
    """A folder with one file of eight: the other seven are what its name promises."""
    path, _ = theirs
    path.rename(path.with_name("train-00000-of-00008"))
    assert len(audit_folder(str(path.parent), {}).faults) == 7


def test_a_whole_split_missing_is_found(ours):
    """No file name tells of validation any more; the manifest and dataset_info.json do."""
    for shard in ours.glob("validation-*"):
        shard.unlink()
    assert {fault.file for fault in audit_folder(str(ours), {}).faults} >= {"validation-00000-of-00002"}


@pytest.mark.parametrize("what", ["", "no-such-folder", "empty"])
def test_a_folder_without_record_files_is_bad_input(tmp_path, what):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(BadLayout, match="must hold TFRecord files"):
        audit_folder(str(tmp_path / what), {})


def test_a_broken_manifest_is_a_fault_and_no_crash(ours):
    (ours / "manifest.parquet").write_bytes(b"garbage")
    assert {fault.file for fault in audit_folder(str(ours), {}).faults} >= {"manifest.parquet"}


def test_an_audit_changes_nothing(ours, digests):
    before = digests(ours)
    audit_folder(str(ours), {})
    assert digests(ours) == before


# What only all records together tell, or the files beside them: data sets of ours with one thing changed.


def write(path, *records):
    """A TFRecord file of our Examples, each a dictionary of features."""
    with path.open("wb") as file:
        for features in records:
            data = encode_example(features)
            before, after, _ = frame(data)
            file.write(before + data + after)


def record(picture, number=0, **changes):
    """The features of a classic record; `None` leaves one out."""
    names = {"label": "image/class/label", "text": "image/class/text"}
    features = LabelledImage(picture(number), 16, 24, f"{number}.jpg", 1, "cat").features()
    features |= {names.get(name, f"image/{name}"): value for name, value in changes.items()}
    return {key: value for key, value in features.items() if value is not None}


@pytest.fixture
def classic(picture, tmp_path):
    """`classic(*records, **files)` makes a foreign folder of one file of these records, and files beside it; audits it."""

    def classic(*records, options=AuditOptions(), **files):  # noqa: B008  # frozen
        write(tmp_path / "x.tfrecord", *(record(picture, number, **changes) for number, changes in enumerate(records)))
        for name, text in files.items():
            (tmp_path / name.replace("_txt", ".txt").replace("_json", ".json")).write_text(text)
        return audit_folder(str(tmp_path), {}, options)

    return classic


def problems(audit):
    return [fault.problem for fault in audit.faults]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"encoded": b""}, "image/encoded must hold a picture, got no bytes"),
        ({"encoded": b"GIF89a" + b"x" * 40}, "image/format says JPEG, and image/encoded begins as GIF"),
        ({"encoded": b"no image"}, "image/format says JPEG, and image/encoded begins as no image (6e 6f 20 69)"),
        ({"encoded": b"\xff\xd8 no markers"}, "image/encoded: the JPEG's markers lead to no picture"),
        ({"height": 24, "width": 16}, "height and width must be the picture's 16×24, got 24×16: exchanged"),
        ({"height": 17}, "height and width must be the picture's 16×24, got 17×24"),
        ({"label": -2}, "image/class/label must be 0 or more, got -2"),
        ({"label": 2, "text": b"cat", "height": b"16"}, "image/height is bytes in 1 record, int64 in 3 others"),
        ({"encoded": None}, "image/encoded is missing in 1 record, 3 have it"),
        ({"text": b"dog"}, "label 1 is 'dog' in 1 record, 'cat' in 3 others"),
    ],
)
def test_a_record_unlike_the_others_is_a_fault_at_its_place(classic, changes, problem):
    audit = classic({}, {}, changes, {})
    (fault,) = audit.faults
    assert problem in fault.problem
    assert (fault.file, fault.record) == ("x.tfrecord", 2)


@pytest.mark.parametrize(
    ("change", "note"),
    [
        ({"label": 0}, "labels begin at 0; classic data sets begin at 1"),
        ({"label": None, "text": None}, "no record has image/class/label, image/class/text"),
        ({"encoded": None}, "no record has image/encoded"),
        ({"source_id": b"7"}, None),
        ({"format": b"jpg"}, None),  # slim writes so
        ({"format": None, "height": None, "width": None, "filename": None}, None),
        ({"label": -1}, "2 records have image/class/label -1, which means none"),
        ({"label": b"cat"}, "image/class/label is bytes; readers of the classic features expect int64"),
        ({"format": None, "encoded": b"raw pixels"}, "2 records have image/encoded that begins as no known image format"),
        ({"channels": 1}, "2 records have image/channels 1, with a JPEG of 3"),
    ],
)
def test_what_is_merely_unusual_in_all_records_is_at_most_one_note(classic, change, note):
    audit = classic(change, change)
    assert audit.faults == ()
    assert len(audit.notes) == (0 if note is None else 1)
    assert all(note in text for text in audit.notes)


def test_a_feature_of_some_records_is_a_note(classic):
    audit = classic({}, {"extra": 3}, {})
    assert (audit.faults, audit.notes) == ((), ("of 3 records only some have a value in: image/extra (1)",))


def test_one_text_of_two_labels_is_a_note(classic):
    """ImageNet has two kinds of crane."""
    audit = classic({"text": b"crane"}, {"text": b"crane", "label": 2})
    assert audit.faults == ()
    assert "several labels have the same text: 'crane' (1, 2)" in audit.notes


@pytest.mark.parametrize(
    ("labels", "records", "found"),
    [
        ("cat\ndog\n", [{}, {"label": 2, "text": b"dog"}], []),
        ("cat\ndog\n", [{"label": 0}, {"label": 1, "text": b"dog"}], []),  # counted from 0, and it agrees
        ("0:cat\n1:dog\n", [{"label": 0}, {"label": 1, "text": b"dog"}], []),  # slim's
        ("cat\ndog\n", [{}, {"label": 2, "text": b"cow"}], ["label 2 is 'cow' in 1 record, 'dog' in labels.txt"]),
        ("cat\n", [{"text": None}, {"label": 4, "text": None}], ["label 4, in 1 record, is beyond the 1 labels of labels.txt"]),
    ],
)
def test_labels_are_held_against_the_labels_file(classic, labels, records, found):
    assert problems(classic(*records, labels_txt=labels)) == found


def test_pictures_that_do_not_decode_are_found_only_with_pixels(classic, picture):
    data = picture(1, size=(200, 200), quality=95)
    changes = {"encoded": data[: len(data) // 2] + b"\xff\xd9", "height": 200, "width": 200}
    assert classic({}, changes).faults == ()
    (fault,) = classic({}, changes, options=AuditOptions(pixels=True)).faults
    assert (fault.record, "image/encoded does not decode" in fault.problem) == (1, True)


def test_tensorflow_reads_what_we_read(classic, tf):
    assert classic({}, {"extra": 3}, options=AuditOptions(tensorflow=True)).faults == ()


def test_tensorflow_tells_what_it_does_not_decode(classic, tf, picture):
    """A PNG whose header is sound, and little behind it."""
    png = picture(0, "PNG")[:60]
    (fault,) = classic({"encoded": png, "format": b"PNG"}, options=AuditOptions(tensorflow=True)).faults
    assert fault.problem.startswith("TensorFlow stops at record 0: ")


@pytest.mark.parametrize("kind", ["GZIP", "ZLIB"])
def test_compressed_files_are_read_and_named_as_such(tf, tmp_path, kind):
    with tf.io.TFRecordWriter(str(tmp_path / "data"), tf.io.TFRecordOptions(compression_type=kind)) as writer:
        for number in range(5):
            writer.write(example(tf, number))
    audit = audit_folder(str(tmp_path), {})
    assert (audit.files, audit.records, audit.faults) == (1, 5, ())
    assert audit.notes[0] == f"1 of 1 files are compressed ({kind}): readers must be told so; offsets are of what is inside"
    (tmp_path / "data").write_bytes((tmp_path / "data").read_bytes()[:-6])
    (fault,) = audit_folder(str(tmp_path / "data"), {}).faults
    assert "the compressed stream ends too early" in fault.problem


def test_files_are_recognised_by_content_and_others_passed_over_in_words(theirs):
    path, _ = theirs
    path.rename(path.with_name("0001.bin"))
    path.with_name("README").write_text("about")
    path.with_name("labels.txt").write_text("x\n")
    audit = audit_folder(str(path.parent), {})
    assert (audit.files, audit.records) == (1, 5)
    assert "passed over, since they are no TFRecord files: README" in audit.notes


def test_zero_length_files_are_sound(tmp_path):
    for name in ("train-00000-of-00002", "train-00001-of-00002"):
        (tmp_path / name).touch()
    assert audit_folder(str(tmp_path), {}) == Audit(2, 0, 0, 0, (), ())


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["a-00000-of-00002.tfrecord", "a-00001-of-00002.tfrecord"], []),
        (["a-1-of-2.tfrecord", "a-2-of-2.tfrecord"], []),  # counted from 1
        (["f_train_00001-of-00002.tfrecord"], ["f_train_00000-of-00002.tfrecord: is missing"]),
        (["t-00000-of-00001", "t-00007-of-00001"], ["t-00007-of-00001: is beyond the 1 files that its name tells of"]),
        (
            ["t-00000-of-00001", "t-00000-of-00002", "t-00001-of-00002"],  # a build before this one, of another number
            ["t-*-of-*: are of several data sets, and would be read as one: 1 of -of-00001, 2 of -of-00002"],
        ),
    ],
)
def test_numbering_promises_files(tmp_path, names, found):
    for name in names:
        (tmp_path / name).touch()
    assert list(map(str, audit_folder(str(tmp_path), {}).faults)) == found


def test_a_name_that_promises_a_billion_files_costs_no_memory(tmp_path):
    (tmp_path / "t-000000001-of-999999999.tfrecord").touch()
    faults = audit_folder(str(tmp_path), {}).faults
    assert len(faults) == 101
    assert str(faults[-1]) == "t-*-of-999999999.tfrecord: 999999898 more are missing"


def test_tfds_counts_are_held_against_its_files(tmp_path, picture):
    write(tmp_path / "toy-train.tfrecord-00000-of-00001", record(picture, 1), record(picture, 2))
    size = (tmp_path / "toy-train.tfrecord-00000-of-00001").stat().st_size - 32  # TFDS counts what is in the records
    info = {"name": "toy", "fileFormat": "tfrecord"}
    for lengths, total, found in (
        (["2"], size, []),
        (["3"], size, ["toy-train.tfrecord-00000-of-00001: holds 2 records, dataset_info.json tells 3"]),
        (["2"], 5, [f"dataset_info.json: tells 5 bytes of train, its records have {size + 32}"]),
    ):
        split = {"name": "train", "shardLengths": lengths, "numBytes": str(total)}
        (tmp_path / "dataset_info.json").write_text(json.dumps(info | {"splits": [split]}))
        assert list(map(str, audit_folder(str(tmp_path), {}).faults)) == found


@pytest.mark.parametrize(
    ("file", "change", "found"),
    [
        ("labels.txt", lambda text: text.replace("cat", "cow"), "is 'cat' in"),
        ("labels.txt", None, "is missing"),
        ("image-class-label.labels.txt", lambda text: text + "x", "does not tell the labels of labels.txt"),
        ("features.json", None, "is missing"),
        ("croissant.json", lambda text: text.replace('"sha256": "', '"sha256": "0'), "croissant.json tells 0"),
        ("croissant.json", lambda text: text[:50], "must hold a JSON object"),
        ("dataset_info.json", lambda text: re.sub(r'"numBytes": "\d+"', '"numBytes": "1"', text), "tells 1 bytes of"),
        ("dataset_info.json", lambda text: text.replace('"4"', '"5"', 1), "dataset_info.json tells 5"),
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


def test_a_manifest_that_tells_another_digest_or_label_is_a_fault(ours):
    path = ours / "manifest.parquet"
    rows = pq.read_table(path)
    changed = rows.to_pylist()
    first = next(row for row in changed if row["record"] is not None)
    first |= {"encoded_sha256": "0" * 64, "height": 1, "label": 9}
    pq.write_table(pa.Table.from_pylist(changed, rows.schema), path)
    faults = audit_folder(str(ours), {}).faults
    assert any(fault.file == "manifest.parquet" and "croissant.json tells" in fault.problem for fault in faults)
    found = [fault for fault in faults if fault.record == first["record"]]
    assert {fault.file for fault in found} == {first["shard"]}
    assert len([fault for fault in found if "manifest" in fault.problem]) == 3


def test_the_number_of_workers_changes_nothing(ours):
    flip(ours / "train-00001-of-00003", 40)
    flip(ours / "validation-00001-of-00002", 4)
    audits = [audit_folder(str(ours), {}, AuditOptions(workers=workers)) for workers in (1, 4)]
    assert audits[0] == audits[1]
    assert audits[0].faults


def test_after_a_broken_length_records_are_still_held_against_the_manifest(ours):
    """They are found by their place, though their numbers moved up."""
    shard = ours / "train-00000-of-00003"
    flip(shard, 3)
    faults = [fault for fault in audit_folder(str(ours), {}, AuditOptions(digests=False)).faults if fault.file == shard.name]
    assert [fault.record for fault in faults if fault.record is not None] == [0]
    assert "bytes skipped" in faults[0].problem


def test_a_file_of_faults_is_told_in_part_and_counted(tmp_path, picture):
    write(tmp_path / "x.tfrecord", *(record(picture, height=1) for _ in range(250)))
    faults = audit_folder(str(tmp_path), {}).faults
    assert len(faults) == 101
    assert str(faults[-1]) == "x.tfrecord: has 150 more faults, not listed"


def test_shards_of_no_images_and_of_another_build_are_told_apart(tmp_path, fill, build):
    build(
        train_directory=fill(tmp_path / "in", {"a": 2}),
        output_directory=tmp_path / "out",
        train_shards=3,
        allow_empty_shards=True,
    )
    assert audit_folder(str(tmp_path / "out"), {}).faults == ()
    shutil.copy(tmp_path / "out/train-00002-of-00003", tmp_path / "out/train-00000-of-00001")
    assert list(map(str, audit_folder(str(tmp_path / "out"), {}).faults)) == [
        "train-00000-of-00001: is no shard of the manifest",
        "train-*-of-*: are of several data sets, and would be read as one: 1 of -of-00001, 3 of -of-00003",
    ]
