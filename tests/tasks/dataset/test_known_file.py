"""The table of known images: every image is found by its SHA-256, and no other one."""

import hashlib

import pyarrow as pa
import pytest

from imagerecords.schemas.known import COLUMNS, Origin
from imagerecords.tasks.dataset.known_file import KnownFile, read_known, remove_known, write_known
from imagerecords.tasks.dataset.known_lookup import KnownImages
from imagerecords.tasks.storage.folders import open_folder

ORIGIN = Origin(imagerecords="1", encoder="1", decoders={"pillow": "1"}, settings={"exif": "bake"})
ROW = {"height": 3, "width": 4, "source_format": "JPEG", "orientation": 1}
ROW |= {"odd_header": False, "has_gps": False, "has_thumbnail": True}
SAME_BEGINNING = [b"\1" * 8 + bytes(23) + bytes([last]) for last in range(4)]
DIGESTS = [*(hashlib.sha256(bytes([number])).digest() for number in range(200)), *SAME_BEGINNING, bytes(32), b"\xff" * 32]


def known_file(digests):
    rows = [ROW | {"sha256": digest, "height": 10 + number} for number, digest in enumerate(digests)]
    return KnownFile(ORIGIN, ("",), pa.Table.from_pylist(rows, COLUMNS))


@pytest.fixture
def output(tmp_path):
    return open_folder(str(tmp_path), {})


def test_each_image_is_found_by_its_digest_alone(output):
    """Digests that end in zeros, and that begin alike."""
    write_known(output, known_file([*DIGESTS, *DIGESTS]))
    known = read_known(output)
    assert (known.origin, known.folders, known.rows.num_rows) == (ORIGIN, ("",), len(DIGESTS))
    images = KnownImages(known, [])
    assert [images.find(b"data", digest).height for digest in DIGESTS] == [10 + number for number in range(len(DIGESTS))]
    strangers = [bytes([*digest[:-1], digest[-1] ^ 0x80]) for digest in DIGESTS]
    assert [images.find(b"data", digest) for digest in strangers] == [None] * len(DIGESTS)


def test_an_empty_table_knows_nothing(output):
    write_known(output, known_file([]))
    assert KnownImages(read_known(output), []).find(b"data", DIGESTS[0]) is None


def test_a_flipped_bit_anywhere_is_seen(output, tmp_path):
    write_known(output, known_file(DIGESTS[:3]))
    path = tmp_path / "_build/known/images.arrow"
    data = path.read_bytes()
    for place in range(0, len(data), 13):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        assert read_known(output) is None, place
    path.write_bytes(b"")
    assert read_known(output) is None


def test_it_is_removed_with_its_folder(output, tmp_path):
    write_known(output, known_file(DIGESTS))
    remove_known(output)
    assert not (tmp_path / "_build/known").exists()
    assert read_known(output) is None
