"""TensorFlow's own reading of a shard."""

import pytest

from imagerecords.schemas.errors import CorruptRecord
from imagerecords.schemas.example import LabelledImage, encode_example
from imagerecords.schemas.frame import frame
from imagerecords.schemas.plan import Shard
from imagerecords.tasks.records.tensorflow import check_with_tensorflow

pytestmark = pytest.mark.usefixtures("tf")


@pytest.fixture
def checked(tmp_path, make_settings):
    """`checked(*examples)` checks a shard of these serialised Examples."""

    def checked(*examples):
        data = b"".join(before + example + after for example in examples for before, after, _ in [frame(example)])
        (tmp_path / "train-00000-of-00001").write_bytes(data)
        return check_with_tensorflow(Shard("train", 0, 1, range(1), "x"), make_settings(output_directory=tmp_path))

    return checked


def of(data, height=16, width=24):
    return encode_example(LabelledImage(data, height, width, "a.jpg", 1, "cat").features())


def test_sound_records_are_counted(checked, picture):
    assert checked(*(of(picture(number)) for number in range(70))) == 70  # more than one batch


def test_an_empty_shard_is_sound(checked):
    assert checked() == 0


def test_a_wrong_height_is_found_with_its_record(checked, picture):
    with pytest.raises(CorruptRecord, match=r"record 66 must decode to \[17, 24, 3\] in TensorFlow, got \[16, 24, 3\]"):
        checked(*(of(picture(number)) for number in range(66)), of(picture(1), height=17))


def test_an_image_that_does_not_decode_is_found(checked, picture):
    with pytest.raises(CorruptRecord, match="TensorFlow can't parse or decode a record"):
        checked(of(picture(1)), of(picture(1)[:200]))


def test_a_missing_feature_is_found(checked, picture):
    features = LabelledImage(picture(1), 16, 24, "a.jpg", 1, "cat").features()
    del features["image/class/label"]
    with pytest.raises(CorruptRecord, match="image/class/label"):
        checked(encode_example(features))


def test_a_broken_frame_is_found(checked, tmp_path, picture, make_settings):
    checked(of(picture(1)))
    path = tmp_path / "train-00000-of-00001"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CorruptRecord, match="train-00000-of-00001"):
        check_with_tensorflow(Shard("train", 0, 1, range(1), "x"), make_settings(output_directory=tmp_path))


def test_a_remote_shard_is_read_too(picture, make_settings):
    from imagerecords.tasks.storage.folders import open_folder

    example = of(picture(1))
    before, after, _ = frame(example)
    open_folder("memory://tensorflow/out", {}).write("train-00000-of-00001", before + example + after)
    settings = make_settings(output_directory="memory://tensorflow/out")
    assert check_with_tensorflow(Shard("train", 0, 1, range(1), "x"), settings) == 1
