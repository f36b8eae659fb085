"""JPEGs that are only not upright: their coefficients change places, as a decoder apart from libjpeg reads them."""

import io

import numpy as np
import pytest
import simplejpeg
from PIL import Image, ImageOps

from imagerecords.tasks.images.jpeg import PROGRESSIVE, read_jpeg_header
from imagerecords.tasks.images.process import process_image
from tests.tasks.images.coefficients import coefficients_of
from tests.tasks.images.reading import pixels_of


def photo(orientation, size=(64, 48), **options):
    """A JPEG with detail in every block, stored with an EXIF orientation."""
    x, y = np.meshgrid(np.arange(size[0]) / 20, np.arange(size[1]) / 20)
    smooth = np.stack([np.sin(x * 2 + y), np.cos(x - y * 2), np.sin(x * y / 2)], axis=-1) * 90 + 128
    exif = Image.Exif()
    exif[0x112] = orientation
    file = io.BytesIO()
    noisy = (smooth + np.random.default_rng(12).normal(0, 12, (*smooth.shape[:2], 1))).clip(0, 255).astype(np.uint8)
    Image.fromarray(noisy).save(file, "JPEG", exif=exif, **({"quality": 85} | options))
    return file.getvalue()


SIGNS = np.where(np.arange(8) % 2, -1, 1)  # of a cosine that is read backwards


def mirrored(blocks):
    return blocks[:, ::-1] * SIGNS[None, None, None, :]


def flipped(blocks):
    return blocks[::-1] * SIGNS[None, None, :, None]


def transposed(blocks):
    return blocks.transpose(1, 0, 3, 2)


# What a picture of each EXIF orientation needs to be upright, in coefficients: mirrored pixels change the signs of the odd
# frequencies.
UPRIGHT = {
    2: mirrored,
    3: lambda blocks: mirrored(flipped(blocks)),
    4: flipped,
    5: transposed,
    6: lambda blocks: mirrored(transposed(blocks)),
    7: lambda blocks: mirrored(flipped(transposed(blocks))),
    8: lambda blocks: flipped(transposed(blocks)),
}


@pytest.mark.parametrize("check_pixels", ["all", "none"])
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("orientation", UPRIGHT)
def test_a_jpeg_is_rotated_without_a_changed_coefficient(make_settings, orientation, subsampling, check_pixels):
    data = photo(orientation, subsampling=subsampling)
    jpeg = process_image(data, make_settings(check_pixels=check_pixels))
    assert (jpeg.height, jpeg.width) == ((48, 64) if orientation < 5 else (64, 48))
    assert (jpeg.orientation, read_jpeg_header(jpeg.encoded).orientation) == (orientation, 1)
    for (before, steps), (after, steps_after) in zip(coefficients_of(data), coefficients_of(jpeg.encoded), strict=True):
        assert (after == UPRIGHT[orientation](before)).all()
        assert (steps_after == (steps if orientation < 5 else steps.T)).all()


@pytest.mark.parametrize(
    "options", [{}, {"optimize": True}, {"progressive": True}, {"restart_marker_blocks": 2}, {"quality": 97}]
)
def test_a_rotated_jpeg_is_no_larger_than_before(make_settings, options):
    data = photo(6, (640, 480), **options)
    jpeg = process_image(data, make_settings())
    assert len(jpeg.encoded) <= 1.02 * len(data)
    assert read_jpeg_header(jpeg.encoded).process == read_jpeg_header(data).process
    with Image.open(io.BytesIO(data)) as image:
        expected = np.asarray(ImageOps.exif_transpose(image).convert("L")).astype(int)
    found = np.asarray(Image.open(io.BytesIO(jpeg.encoded)).convert("L")).astype(int)
    assert abs(found - expected).mean() < 1  # chroma is upsampled from other neighbours; a rounding here and there


@pytest.mark.parametrize("orientation", [2, 3, 4, 5, 6, 7, 8])
@pytest.mark.parametrize("size", [(64, 48), (70, 48), (64, 51), (70, 51), (9, 7), (16, 16)])
def test_every_size_comes_out_upright_with_every_row(make_settings, orientation, size):
    data = photo(orientation, size, quality=95)
    jpeg = process_image(data, make_settings())
    with Image.open(io.BytesIO(data)) as image:
        expected = np.asarray(ImageOps.exif_transpose(image)).astype(int)
    found = pixels_of(jpeg.encoded)
    assert found.shape == expected.shape == (jpeg.height, jpeg.width, 3)
    assert abs(found - expected).mean() < 6
    assert jpeg.kept == (1, 1)


# The orientation, and whether what it mirrors is the stored picture's width (70 is no multiple of 16) or height (51).
MIRRORED = {
    2: (True, False),
    3: (True, True),
    4: (False, True),
    5: (False, False),
    6: (False, True),
    7: (True, True),
    8: (True, False),
}


@pytest.mark.parametrize("orientation", MIRRORED)
def test_trim_cuts_only_what_can_not_change_places(make_settings, orientation):
    data = photo(orientation, (70, 51))
    jpeg = process_image(data, make_settings(partial_blocks="trim"))
    columns, rows = (64 if MIRRORED[orientation][0] else 70), (48 if MIRRORED[orientation][1] else 51)
    assert (jpeg.height, jpeg.width) == ((rows, columns) if orientation < 5 else (columns, rows))
    assert jpeg.kept == pytest.approx((rows / 51, columns / 70))
    with Image.open(io.BytesIO(data)) as image:
        cut = image.crop((0, 0, columns, rows))
        cut.info, cut.getexif()[0x112] = {}, orientation
        expected = np.asarray(ImageOps.exif_transpose(cut)).astype(int)
    assert abs(pixels_of(jpeg.encoded) - expected).mean() < 2


def test_an_image_smaller_than_a_block_is_re_encoded_whatever_trim_says(make_settings):
    jpeg = process_image(photo(3, (9, 7)), make_settings(partial_blocks="trim"))
    assert (jpeg.height, jpeg.width) == (7, 9)


def test_figures_are_those_of_the_picture_as_written(make_settings):
    data = photo(6, (640, 480), quality=95)
    rotated = process_image(data, make_settings())
    again = process_image(rotated.encoded, make_settings())
    assert rotated.figures[:3] == pytest.approx(again.figures[:3], abs=1e-3)
    assert (rotated.figures.dhash ^ again.figures.dhash).bit_count() <= 2


@pytest.mark.parametrize("subsampling", ["411", "440"])
def test_a_rare_subsampling_is_upright_too(make_settings, subsampling):
    upright = np.asarray(Image.open(io.BytesIO(photo(1, quality=95, subsampling="4:4:4"))))
    data = simplejpeg.encode_jpeg(np.ascontiguousarray(np.rot90(upright)), colorsubsampling=subsampling, quality=95)
    exif = photo(6)
    exif = exif[exif.index(b"\xff\xe1") : exif.index(b"\xff\xdb")]
    jpeg = process_image(data[:2] + exif + data[2:], make_settings())
    assert (jpeg.height, jpeg.width, jpeg.orientation) == (48, 64, 6)
    assert abs(pixels_of(jpeg.encoded) - upright).mean() < 6


def test_a_progressive_jpeg_stays_progressive(make_settings):
    jpeg = process_image(photo(8, progressive=True), make_settings())
    assert read_jpeg_header(jpeg.encoded).process == PROGRESSIVE


def test_padding_and_odd_headers_do_not_keep_a_jpeg_from_being_rotated(make_settings):
    plain = photo(6)
    expected = coefficients_of(process_image(plain, make_settings()).encoded)
    for data in (plain[:-2] + bytes(40) + plain[-2:], plain[:2] + plain[2:].replace(b"\0\x3f\0", b"\0\0\0", 1)):
        jpeg = process_image(data, make_settings())
        assert jpeg.is_odd
        for (blocks, _), (same, _) in zip(coefficients_of(jpeg.encoded), expected, strict=True):
            assert (blocks == same).all()


def test_without_turbojpeg_a_jpeg_is_re_encoded_upright_with_its_tables(make_settings, monkeypatch):
    monkeypatch.setattr("imagerecords.tasks.images.jpeg_rotate.turbojpeg", None)
    data = photo(6)
    jpeg = process_image(data, make_settings())
    assert (jpeg.height, jpeg.width, jpeg.orientation) == (64, 48, 6)
    for (_, before), (_, after) in zip(coefficients_of(data), coefficients_of(jpeg.encoded), strict=True):
        assert (after == before.T).all()
