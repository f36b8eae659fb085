"""process: EXIF orientation is baked into the pixels, kept, or a reason to reject."""

import io

import numpy as np
import pytest
from PIL import Image

from imagerecords.schemas.receipt import Reason
from imagerecords.tasks.images.jpeg import read_jpeg_header
from imagerecords.tasks.images.process import process_image
from tests.tasks.images.reading import pixels_of, reason_of


def oriented(orientation, kind="JPEG"):
    """A picture whose left half is red, stored with an EXIF orientation."""
    pixels = np.zeros((16, 32, 3), np.uint8)
    pixels[:, :16] = (255, 0, 0)
    exif = Image.Exif()
    exif[0x112] = orientation
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, exif=exif, **({"quality": 100} if kind == "JPEG" else {}))
    return file.getvalue()


# By orientation: which half of the upright picture is red.
RED_HALF = {1: "left", 2: "right", 3: "right", 4: "left", 5: "top", 6: "top", 7: "bottom", 8: "bottom"}


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_jpegs_orientation_is_baked_and_told(make_settings, orientation):
    data = oriented(orientation)
    jpeg = process_image(data, make_settings())
    assert jpeg.orientation == orientation
    assert (jpeg.encoded is data) is (orientation == 1)
    assert read_jpeg_header(jpeg.encoded).orientation == 1  # else it would be turned twice
    assert (jpeg.height, jpeg.width) == ((16, 32) if orientation < 5 else (32, 16))
    red = pixels_of(jpeg.encoded)[..., 0]
    halves = {"left": red[:, : jpeg.width // 2 - 2], "top": red[: jpeg.height // 2 - 2]}
    halves |= {"right": red[:, jpeg.width // 2 + 2 :], "bottom": red[jpeg.height // 2 + 2 :]}
    assert halves[RED_HALF[orientation]].min() > 240


def test_exif_keep_passes_a_jpeg_through_as_it_is_stored(make_settings):
    data = oriented(6)
    jpeg = process_image(data, make_settings(exif="keep"))
    assert jpeg.encoded is data
    assert (jpeg.height, jpeg.width, jpeg.orientation) == (16, 32, 1)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_exif_reject_leaves_out_what_is_not_upright(make_settings, kind):
    settings = make_settings(exif="reject")
    assert reason_of(oriented(6, kind), settings) is Reason.ORIENTED
    assert process_image(oriented(1, kind), settings).orientation == 1
