"""Colours named by code points in PNG, AVIF and HEIC, against the matrices that ITU-R and SMPTE publish."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from imagerecords.tasks.images.decode import decode_image
from imagerecords.tasks.images.normalise import normalise
from tests.tasks.images.test_colour import ADOBE, adobe_in_srgb, rgb_profile

# From linear colours of other primaries to linear sRGB (CSS Color 4's sample code).
TO_SRGB = {
    12: np.array([[1.2249402, -0.2249402, 0], [-0.0420569, 1.0420569, 0], [-0.0196376, -0.0786360, 1.0982736]]),
    9: np.array(
        [[1.6604910, -0.5876411, -0.0728499], [-0.1245505, 1.1328999, -0.0083494], [-0.0181508, -0.1005789, 1.1187297]]
    ),
    1: np.eye(3),
}
COLOURS = [(180, 90, 40), (0, 128, 0), (30, 30, 30), (60, 120, 200)]


@pytest.fixture
def colour(make_settings):
    """`colour(data, **settings)` gives the normalised colour of a picture of one colour."""

    def colour(data, **changes):
        settings = make_settings(**changes)
        return np.asarray(normalise(decode_image(data, settings), settings)).astype(int)[3, 3]

    return colour


def linear(levels):
    share = np.array(levels) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def encoded(light):
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055) * 255


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(colour, *chunks, colour_type=2):
    rows = zlib.compress((b"\0" + bytes(colour) * 8) * 8)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, colour_type, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def cicp(primaries, transfer):
    return chunk(b"cICP", bytes([primaries, transfer, 0, 1]))


def avif(colour, primaries, transfer):
    file = io.BytesIO()
    Image.new("RGB", (16, 16), colour).save(file, "AVIF", quality=100, subsampling="4:4:4")
    data = bytearray(file.getvalue())
    place = data.index(b"nclx") + 4
    data[place : place + 4] = struct.pack(">HH", primaries, transfer)
    return bytes(data)


@pytest.mark.parametrize("primaries", TO_SRGB)
@pytest.mark.parametrize("stored", COLOURS)
def test_a_wide_gamut_is_converted(colour, primaries, stored):
    expected = encoded(TO_SRGB[primaries] @ linear(stored))
    assert abs(colour(png(stored, cicp(primaries, 13))) - expected).max() <= 2
    assert abs(colour(avif(stored, primaries, 13)) - expected).max() <= 4
    assert (colour(png(stored, cicp(primaries, 13)), icc="keep") == stored).all()


@pytest.mark.parametrize(
    ("transfer", "to_linear"),
    [(1, lambda share: share**2.4), (14, lambda share: share**2.4), (4, lambda share: share**2.2), (8, lambda share: share)],
)
def test_a_png_of_another_transfer_is_converted(colour, transfer, to_linear):
    for stored in COLOURS:
        assert abs(colour(png(stored, cicp(1, transfer))) - encoded(to_linear(np.array(stored) / 255))).max() <= 2


@pytest.mark.parametrize("codes", [(1, 13), (2, 2), (1, 2), (3, 13), (1, 1), (1, 6)])
def test_avif_of_srgb_video_and_unnamed_codes_stays(colour, codes):
    for stored in COLOURS:
        assert (colour(avif(stored, *codes)) == colour(avif(stored, 1, 13))).all()


def test_heic_of_p3_is_converted(colour):
    heif = pytest.importorskip("pillow_heif")
    stored = (60, 120, 200)
    data = io.BytesIO()
    codes = {"color_primaries": 12, "transfer_characteristics": 13, "matrix_coefficients": 6, "full_range_flag": 1}
    heif.from_pillow(Image.new("RGB", (64, 64), stored)).save(data, quality=100, chroma="444", **codes)
    assert abs(colour(data.getvalue()) - encoded(TO_SRGB[12] @ linear(stored))).max() <= 5


def test_codes_go_before_a_profile_in_a_png(colour):
    stored = (90, 150, 110)
    profile = chunk(b"iCCP", b"p\0\0" + zlib.compress(rgb_profile(ADOBE)))
    both = colour(png(stored, profile, cicp(1, 13)))
    assert (both == stored).all()
    assert abs(colour(png(stored, profile)) - adobe_in_srgb(np.array(stored))).max() <= 2


def test_opacity_survives_a_conversion(colour):
    stored = (60, 120, 200, 0)
    assert (colour(png(stored, cicp(12, 13), colour_type=6), alpha_background="#0a64c8") == (10, 100, 200)).all()
    assert (colour(png(stored, cicp(9, 16), colour_type=6), alpha_background="#0a64c8") == (10, 100, 200)).all()


def test_grey_of_another_transfer_is_converted(colour):
    assert abs(colour(png((55,), cicp(1, 8), colour_type=0)) - encoded(np.array([55 / 255] * 3))).max() <= 2


def pq(nits):
    """SMPTE ST 2084's code for a luminance, in 8 bits."""
    share = (nits / 10_000) ** (2610 / 16384)
    return round(255 * ((3424 / 4096 + 2413 / 128 * share) / (1 + 2392 / 128 * share)) ** (2523 / 32))


@pytest.mark.parametrize("nits", [0, 5, 50, 203, 600, 1000])
def test_hdr_is_toned_down_by_the_named_policy(colour, nits):
    """Extended Reinhard, 203 cd/m² being 1.0 and 1,000 cd/m² white."""
    level = pq(nits)
    light, peak = nits / 203, 1000 / 203
    expected = encoded(np.array([light * (1 + light / peak**2) / (1 + light)] * 3))
    assert abs(colour(png((level,) * 3, cicp(9, 16))) - expected).max() <= 5
    assert abs(colour(avif((level,) * 3, 9, 16)) - expected).max() <= 5


def test_hlg_is_toned_down_too(colour):
    """75 % of HLG is the reference white of BT.2408."""
    peak = 1000 / 203
    for level, light in ((round(255 * 0.75), 1.0), (0, 0), (255, peak)):
        expected = encoded(np.array([light * (1 + light / peak**2) / (1 + light)] * 3))
        assert abs(colour(png((level,) * 3, cicp(9, 18))) - expected).max() <= 3
