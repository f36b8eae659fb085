"""The work that an image may cost: small pictures just above each limit are rejected, those at it are read."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from imagerecords.schemas.receipt import Reason, Rejected
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.images import icons, jpeg2000, limits, tiff
from imagerecords.tasks.images.process import process_image

SETTINGS = BuildSettings(output_directory="out", train_directory="in")
PIXELS = np.random.default_rng(5).integers(0, 256, (64, 48, 3), np.uint8)


def _saved(kind, **options):
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, kind, **options)
    return file.getvalue()


def _tiff(**options):
    import tifffile

    file = io.BytesIO()
    tifffile.imwrite(file, PIXELS, photometric="rgb", **options)
    return file.getvalue()


def _icon(count):
    body = _saved("PNG")
    entry = struct.pack("<BBBBHHII", 48, 64, 0, 0, 1, 24, len(body), 6 + 16 * count)
    return struct.pack("<HHH", 0, 1, count) + entry * count + body


CASES = {
    # Pillow's progressive JPEGs of colour have ten scans; libjpeg visits all pixels in each.
    "progressive": (_saved("JPEG", progressive=True), limits, "PIXELS_OF_SCANS", 10 * 64 * 48, "10 scans of 48×64 pixels"),
    "strips": (_tiff(rowsperstrip=4), tiff, "SEGMENTS", 16, "16 strips or tiles in the TIFF"),
    "tiles": (_tiff(tile=(16, 16), compression="zlib"), tiff, "SEGMENTS", 12, "12 strips or tiles in the TIFF"),
    "packets": (_saved("JPEG2000", tile_size=(16, 16), num_resolutions=2), jpeg2000, "PACKETS", 12 * 2 * 3, "72 packets"),
    "pictures": (_icon(3), icons, "PICTURES", 3, "3 pictures"),
}


@pytest.mark.parametrize("case", CASES)
def test_an_image_above_a_limit_is_rejected_and_one_at_it_is_read(case, monkeypatch):
    data, module, name, count, words = CASES[case]
    monkeypatch.setattr(module, name, count)
    assert process_image(data, SETTINGS).height == 64
    monkeypatch.setattr(module, name, count - 1)
    with pytest.raises(Rejected) as caught:
        process_image(data, SETTINGS)
    assert caught.value.reason is Reason.TOO_COMPLEX
    assert caught.value.message.startswith(words)


def test_the_limits_leave_room_for_every_photo():
    """A progressive JPEG of 100 megapixels with all of mozjpeg's scans; a TIFF of 150 with a strip per row."""
    assert limits.PIXELS_OF_SCANS > 25 * 100_000_000
    assert limits.SEGMENTS > 3 * 14_204
