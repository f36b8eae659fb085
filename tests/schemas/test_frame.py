"""The TFRecord frame, held against TensorFlow's writer."""

import google_crc32c
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from imagerecords.schemas.frame import OVERHEAD, frame, mask
from imagerecords.tasks.records.frames import unmask


def test_a_file_of_frames_is_the_file_that_tensorflow_writes(tf, tmp_path):
    path = str(tmp_path / "records")

    @given(st.lists(st.binary(max_size=400), max_size=6))
    @hypothesis_settings(max_examples=50)
    def check(records):
        with tf.io.TFRecordWriter(path) as writer:
            for record in records:
                writer.write(record)
        ours = b"".join(before + record + after for record in records for before, after, _ in [frame(record)])
        with open(path, "rb") as file:
            assert file.read() == ours

    check()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        # TensorFlow 2.21's TFRecordWriter wrote these
        (b"", "000000000000000029039807d8ea82a2"),
        (b"a", "01000000000000000175de4161786ee428"),
    ],
)
def test_the_golden_frames_have_not_changed(data, expected):
    before, after, _ = frame(data)
    assert (before + data + after).hex() == expected


@given(st.binary(max_size=100))
def test_a_frame_adds_its_overhead_and_returns_the_crc_it_stores(data):
    before, after, crc = frame(data)
    assert len(before) + len(after) == OVERHEAD == 16
    assert int.from_bytes(after, "little") == crc
    assert unmask(crc) == google_crc32c.value(data)


@given(st.integers(0, 2**32 - 1))
def test_unmasking_undoes_masking(crc):
    assert unmask(mask(crc)) == crc
