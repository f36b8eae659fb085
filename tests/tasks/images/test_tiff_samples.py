"""Samples of TIFFs that a tag gives another meaning: the white of CIELAB, opacity as a mask."""

import io
import struct

import imagecodecs
import numpy as np
import pytest
import tifffile

from imagerecords.schemas.receipt import Reason, Rejected
from imagerecords.tasks.images.decode import decode_image

D50, D65 = (34567, 100000, 35850, 100000), (3127, 10000, 3290, 10000)
BLUE = {D50: (29.57, 68.30, -112.03), D65: (32.30, 79.19, -107.86)}  # sRGB's blue under each white (Lindbloom)
WHITE_POINT, RATIONAL = 318, 5


@pytest.mark.parametrize("white", [D50, D65, None])
@pytest.mark.parametrize("bits", [8, 16])
def test_the_white_of_cielab_is_that_of_its_tag_and_else_d50(pixels, white, bits):
    lightness, a, b = BLUE[white or D50]
    if bits == 8:
        sample = np.array([round(lightness * 2.55), round(a), round(b) % 256], np.uint8)
    else:
        sample = np.array([round(lightness * 655.35), round(a * 256), round(b * 256) % 65536], np.uint16)
    tags = [(WHITE_POINT, RATIONAL, 2, white, True)] if white else []
    file = io.BytesIO()
    tifffile.imwrite(file, np.full((4, 6, 3), sample), photometric="cielab", extratags=tags)
    assert abs(pixels(file.getvalue()) - (0, 0, 255)).max() <= (24 if bits == 8 else 1)


def test_opacity_as_a_mask_of_lerc_is_unsupported(make_settings):
    colours, is_opaque = np.full((4, 6, 3), 9, np.uint8), np.arange(24).reshape(4, 6) % 2 == 0
    strip = imagecodecs.lerc_encode(colours, masks=is_opaque)
    file = io.BytesIO()
    kind = {"compression": "lerc", "photometric": "rgb", "extrasamples": ["unassalpha"]}
    tifffile.imwrite(file, iter([strip]), shape=(4, 6, 4), dtype=np.uint8, **kind)
    with pytest.raises(Rejected, match="LERC with opacity") as caught:
        decode_image(file.getvalue(), make_settings())
    assert caught.value.reason is Reason.UNSUPPORTED


def test_libtiffs_word_of_a_missing_tag_is_in_the_message(make_settings, capfd):
    file = io.BytesIO()
    tifffile.imwrite(file, np.zeros((8, 8, 3), np.uint8), photometric="rgb", compression="zlib")
    strips = struct.pack("<HH", 273, 4)
    data = file.getvalue().replace(strips, struct.pack("<HH", 272, 4), 1)
    assert data != file.getvalue()
    with pytest.raises(Rejected, match="StripOffsets"):
        decode_image(data, make_settings())
    assert not capfd.readouterr().err
