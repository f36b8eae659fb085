"""One record of a file, for people."""

import pytest

from imagerecords.schemas.errors import BadInput, CorruptRecord
from imagerecords.tasks.commands.show import ShownRecord, read_record


def test_a_records_fields_are_printed_one_per_line(small):
    shown = read_record(str(small / "train-00000-of-00003"), 1, {})
    lines = dict(line.split(": ", 1) for line in shown.lines())
    assert list(lines) == sorted(lines)
    assert lines["image/format"] == "JPEG"
    assert lines["image/class/text"] in ("cat", "dog")
    assert "bytes, ff d8" in lines["image/encoded"]
    assert shown.offset == int((small / "index/train-00000-of-00003.idx").read_text().split()[2])


def test_the_image_is_the_encoded_one(tmp_path, fill, build, picture):
    source = fill(tmp_path / "in", {"größe": [picture(1)]})
    build(train_directory=source, output_directory=tmp_path / "out")
    shown = read_record(str(tmp_path / "out/train-00000-of-00001"), 0, {})
    assert shown.image == picture(1)
    assert "image/class/text: größe" in shown.lines()


def test_a_relative_path_is_below_the_working_directory(small, monkeypatch):
    monkeypatch.chdir(small)
    assert read_record("train-00000-of-00003", 0, {}).offset == 0


@pytest.mark.parametrize(("name", "got"), [("nothing", "none"), ("index", "a folder"), ("no/such/folder", "none")])
def test_what_is_no_file_is_bad_input(small, name, got):
    with pytest.raises(BadInput, match=f"got {got}"):
        read_record(str(small / name), 0, {})


def test_long_lists_are_cut():
    line = ShownRecord(0, {"image": [0] * 150_000}).lines()[0]
    assert line.endswith("0, … 150,000 values]")
    assert len(line) < 400


@pytest.mark.parametrize("number", [99, -1])
def test_a_number_beyond_the_records_is_bad_input(small, number):
    with pytest.raises(BadInput, match=rf"must be below the number of records \(\d\), got {number}"):
        read_record(str(small / "train-00000-of-00003"), number, {})


def test_a_broken_record_is_reported_and_those_after_it_are_shown(small, tmp_path):
    data = bytearray((small / "train-00000-of-00003").read_bytes())
    data[20] ^= 1
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(CorruptRecord, match="record 0 at byte 0 is damaged"):
        read_record(str(tmp_path / "x"), 0, {})
    assert read_record(str(tmp_path / "x"), 1, {}).features


def test_a_file_of_something_else_is_a_corrupt_record(tmp_path):
    (tmp_path / "x").write_text("no records at all, but enough bytes for a head")
    with pytest.raises(CorruptRecord, match="not a TFRecord"):
        read_record(str(tmp_path / "x"), 0, {})


def test_a_record_that_is_no_example_is_a_corrupt_record(tmp_path):
    from imagerecords.schemas.frame import frame

    before, after, _ = frame(b"\xff\xff")
    (tmp_path / "x").write_bytes(before + b"\xff\xff" + after)
    with pytest.raises(CorruptRecord):
        read_record(str(tmp_path / "x"), 0, {})
