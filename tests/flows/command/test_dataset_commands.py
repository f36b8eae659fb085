"""The commands on finished data sets: what they print where, and their exit codes."""

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from imagerecords.schemas.example import encode_example
from imagerecords.schemas.frame import frame

SECRET = "hunter2-not-to-be-shown"


@pytest.fixture(scope="module")
def built(tmp_path_factory, fill, build):
    """The input and output of a build, not to be changed."""
    root = tmp_path_factory.mktemp("built")
    source = fill(root / "in", {"cat": 8, "emu": 8})
    build(train_directory=source, output_directory=root / "out", train_shards=2)
    return Path(source), root / "out"


@pytest.fixture
def data_set(built, tmp_path):
    shutil.copytree(built[1], tmp_path / "out")
    return tmp_path / "out"


def damage(data_set):
    """Flip a bit in the fourth record of the second shard; gives its file and offset."""
    shard = data_set / "train-00001-of-00002"
    offset = int((data_set / "index" / f"{shard.name}.idx").read_text().split()[6])
    data = bytearray(shard.read_bytes())
    data[offset + 50] ^= 1
    shard.write_bytes(data)
    return shard.name, offset


def test_a_sound_data_set_passes_audit(imagerecords, data_set):
    ran = imagerecords("audit", data_set)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("2 files, 16 records, ")
    assert ran.out.endswith(" bytes: 0 problems\n")


def test_audit_names_file_record_and_offset(imagerecords, data_set):
    name, offset = damage(data_set)
    ran = imagerecords("audit", data_set)
    assert ran.code == 1
    assert f"{name}: record 3 at byte {offset}: the CRC of the data is wrong" in ran.out


def test_audit_prints_one_json_object(imagerecords, data_set):
    name, offset = damage(data_set)
    ran = imagerecords("audit", data_set, "--no-digests", "--workers", 1, "--json")
    assert (ran.code, ran.err) == (1, "")
    found = json.loads(ran.out)
    problem = {"file": name, "record": 3, "offset": offset, "problem": "the CRC of the data is wrong"}
    assert (found["files"], found["records"], found["problems"]) == (2, 16, [problem])


def test_the_options_of_audit_set_its_depth(imagerecords, data_set, tf):
    assert imagerecords("audit", data_set, "--pixels", "--tensorflow").code == 0


def test_show_prints_the_fields_and_saves_the_image(imagerecords, built, tmp_path):
    source, data_set = built
    ran = imagerecords("show", data_set / "train-00000-of-00002", "--record", 3, "--save", tmp_path / "3.jpg")
    assert ran.code == 0
    fields = dict(line.split(": ", 1) for line in ran.out.splitlines())
    assert (tmp_path / "3.jpg").read_bytes() == (source / fields["image/class/text"] / fields["image/filename"]).read_bytes()
    assert imagerecords("show", data_set / "train-00000-of-00002", "--record", 99).code == 2


def test_locate_prints_a_line_per_image_and_exits_with_1_when_there_is_none(imagerecords, data_set):
    row = next(row for row in pq.read_table(data_set / "manifest.parquet").to_pylist() if row["path"] == "cat/003.jpg")
    place = f"{row['shard']} record {row['record']} at byte {row['offset']}, {row['size']} bytes, label 1 'cat'"
    ran = imagerecords("locate", data_set, row["sha256"][:20])
    assert (ran.code, ran.out, ran.err) == (0, f"train cat/003.jpg: {place}\n", "")
    (found,) = json.loads(imagerecords("locate", data_set, "cat/003.jpg", "--json").out)
    assert (found["record"], found["text"]) == (row["record"], "cat")
    ran = imagerecords("locate", data_set, "nowhere.jpg", "--json")
    assert (ran.code, json.loads(ran.out)) == (1, [])
    assert "nowhere.jpg is in no record" in ran.err


def test_extract_writes_label_folders(imagerecords, built, tmp_path):
    source, data_set = built
    ran = imagerecords("extract", data_set, "--label", "cat", "--to", tmp_path / "to")
    assert (ran.code, ran.out) == (0, f"8 images of 1 label written to {tmp_path / 'to'}\n")
    assert {path.name: path.read_bytes() for path in (tmp_path / "to/cat").iterdir()} == {
        path.name: path.read_bytes() for path in (source / "cat").iterdir()
    }
    ran = imagerecords("extract", data_set, "--label", "cat", "--label", "emu", "--to", tmp_path / "to", "--json")
    nothing = dict.fromkeys(("unlabelled", "without_image", "several", "broken", "of_objects"), 0) | {"other_images": []}
    assert json.loads(ran.out) == {"written": 8, "present": 8, "labels": 2} | nothing
    ran = imagerecords("extract", data_set, "--label", "cow", "--to", tmp_path / "to")
    assert (ran.code, ran.out) == (2, "")
    assert "label must be one of the data set's, got 'cow'" in ran.err


def test_extract_and_locate_report_images_without_a_label(imagerecords, tmp_path, picture):
    """As Roboflow and CVAT write detection records, one of them without its picture."""
    (tmp_path / "in").mkdir()
    records = [{"image/filename": b"a.jpg", "image/encoded": image} for image in (picture(1), b"")]
    records.append({"image/filename": b"b.jpg", "image/encoded": picture(2), "image/object/class/text": (b"cat",)})
    frames = [(before, data, after) for data in map(encode_example, records) for before, after, _ in [frame(data)]]
    (tmp_path / "in/data.tfrecord").write_bytes(b"".join(part for each in frames for part in each))
    ran = imagerecords("extract", tmp_path / "in", "--to", tmp_path / "to")
    assert ran.code == 0
    assert ran.out.splitlines() == [
        f"2 images of 1 label written to {tmp_path / 'to'}",
        "1 image named by the class of their objects: their records have no label of the image",
        "1 record without an image file skipped (raw pixels and paths are none)",
        f"1 image in {tmp_path / 'to/unlabelled'}: their records have no label (one number or text in class, "
        "image/class/label, image/class/text, image/object/class/text, label, text). "
        "imagerecords show prints what a record has",
    ]
    assert "no label" in imagerecords("locate", tmp_path / "in", "a.jpg").out


def test_remove_takes_a_list_and_says_that_the_source_still_has_them(imagerecords, data_set, tmp_path):
    (tmp_path / "list").write_text("cat/003.jpg\r\n\nemu/001.jpg\n")
    ran = imagerecords("remove", data_set, "--list", tmp_path / "list")
    assert ran.code == 0
    assert ran.out.startswith("2 images removed, ")
    assert "delete them at the source too" in ran.err
    ran = imagerecords("remove", data_set, "--list", tmp_path / "list", "--json")
    assert json.loads(ran.out)["already"] == ["train/cat/003.jpg", "train/emu/001.jpg"]
    assert imagerecords("audit", data_set).code == 0


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"cat/003.jpg\nnothing.jpg\n", "a name to remove must be an image's, got 'nothing.jpg'"),
        (b"\n", "list must name at least one image, got none"),
        (b"\xff\xfec\x00", "list must be UTF-8, got byte 0xff. It looks like UTF-16: save it as UTF-8"),
        (None, "list must be a text file that can be read"),
    ],
)
def test_a_list_without_names_or_unreadable_is_bad_input(imagerecords, data_set, digests, content, error):
    before, names = digests(data_set), data_set.parent / "list"
    if content is not None:
        names.write_bytes(content)
    ran = imagerecords("remove", data_set, "--list", names)
    assert (ran.code, ran.out) == (2, "")
    assert error in ran.err
    assert digests(data_set) == before


def test_diff_exits_with_0_for_the_same_images_and_1_for_others(imagerecords, built, data_set, tmp_path):
    ran = imagerecords("diff", built[1], data_set)
    assert (ran.code, ran.out, ran.err) == (0, "", "imagerecords: the same images\n")
    (tmp_path / "list").write_text("cat/003.jpg\n")
    imagerecords("remove", data_set, "--list", tmp_path / "list")
    ran = imagerecords("diff", built[1], data_set)
    assert (ran.code, ran.out) == (1, "removed train cat/003.jpg: 1 cat\n")
    (found,) = json.loads(imagerecords("diff", data_set, built[1], "--json").out)
    assert found == {"kind": "added", "split": "train", "path": "cat/003.jpg", "was": None, "now": "1 cat"}


def test_locate_and_diff_report_broken_records_of_other_programs(imagerecords, tmp_path, picture):
    folder = tmp_path / "the other"
    folder.mkdir()
    examples = [encode_example({"image/filename": b"%d.jpg" % each, "image/encoded": picture(each)}) for each in range(3)]
    framed = [before + data + after for data in examples for before, after, _ in [frame(data)]]
    framed[1] = framed[1][:40] + bytes([framed[1][40] ^ 1]) + framed[1][41:]
    (folder / "data.tfrecord").write_bytes(b"".join(framed))
    line = f"imagerecords: 1 broken record skipped: data.tfrecord record 1: {folder}. Run imagerecords audit '{folder}'\n"
    assert imagerecords("locate", folder, "2.jpg").err == line
    ran = imagerecords("locate", folder, "1.jpg")
    assert (ran.code, ran.err.startswith(f"{line}imagerecords: 1.jpg is in no record and no row of {folder}. ")) == (1, True)
    ran = imagerecords("diff", folder, folder)
    assert (ran.code, ran.out, ran.err) == (1, "", f"{line}{line}imagerecords: no difference among the others\n")


@pytest.mark.parametrize("command", ["audit", "locate", "extract", "diff"])
def test_a_missing_path_is_bad_input(imagerecords, tmp_path, command):
    more = {"locate": ["x"], "extract": ["--to", tmp_path / "to"], "diff": [tmp_path]}.get(command, [])
    ran = imagerecords(command, tmp_path / "none", *more)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.count("error: ") == 1
    assert str(tmp_path / "none") in ran.err


@pytest.mark.parametrize("command", ["audit", "locate", "extract", "remove", "diff"])
def test_a_credential_is_refused_and_not_shown(imagerecords, tmp_path, command):
    more = {"locate": ["x"], "extract": ["--to", tmp_path], "remove": ["--list", tmp_path], "diff": ["b"]}.get(command, [])
    ran = imagerecords(command, "s3://bucket/x", *more, "--storage_options.secret", SECRET)
    assert ran.code == 2
    assert "credential" in ran.err
    assert SECRET not in ran.err + ran.out


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="a file system that makes no directories")
def test_a_target_of_extract_that_can_t_be_made_is_one_line(imagerecords, data_set):
    ran = imagerecords("extract", data_set, "--to", "/proc/here/images")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.endswith(
        "must be a directory that can be written, got No such file or directory: /proc/here/images. Choose another\n"
    )


@pytest.mark.parametrize(
    "command", [["show", "{}/train-00000-of-00002", "--save"], ["report", "{}", "--save"], ["diff", "{}", "{}", "--html"]]
)
def test_a_file_that_can_t_be_written_is_one_line(imagerecords, data_set, tmp_path, command):
    words = [word.format(data_set) for word in command]
    missing = imagerecords(*words, tmp_path / "nowhere/page")
    assert missing.code == 2
    assert missing.err.endswith(f"got No such file or directory: {tmp_path}/nowhere/page. Choose another\n")
    full = imagerecords(*words, "/dev/full")
    assert full.code == 1
    assert full.err.endswith("error: No space left on device: /dev/full\n")
