"""Re-encoded JPEGs: with the tables and the subsampling of their source by default, or as the settings have it."""

import io

import numpy as np
import pytest
import simplejpeg
from PIL import Image, ImageCms

from imagerecords.tasks.images.process import process_image
from tests.tasks.images.coefficients import coefficients_of
from tests.tasks.images.reading import pixels_of
from tests.tasks.images.test_jpeg_check import photo

SUBSAMPLINGS = {"4:4:4": (1, 1), "4:2:2": (2, 1), "4:2:0": (2, 2)}


def sampling(data):
    """How luma is sampled against chroma."""
    with Image.open(io.BytesIO(data)) as image:
        return image.layer[0][1:3]


def wide_gamut_profile():
    """A profile whose primaries are far from sRGB's."""
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    srgb = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    assert lab
    red, green = srgb.index(b"rXYZ"), srgb.index(b"gXYZ")
    srgb[red : red + 4], srgb[green : green + 4] = b"gXYZ", b"rXYZ"  # red and green exchanged
    return bytes(srgb)


PROFILE = wide_gamut_profile()


@pytest.mark.parametrize("subsampling", SUBSAMPLINGS)
@pytest.mark.parametrize("quality", [50, 88, 96])
def test_a_converted_jpeg_keeps_its_tables_subsampling_and_size(make_settings, quality, subsampling):
    data = photo(size=(320, 240), quality=quality, subsampling=subsampling, icc_profile=PROFILE)
    jpeg = process_image(data, make_settings())
    with Image.open(io.BytesIO(data)) as before, Image.open(io.BytesIO(jpeg.encoded)) as after:
        assert before.quantization == after.quantization
    assert sampling(jpeg.encoded) == SUBSAMPLINGS[subsampling]
    assert len(jpeg.encoded) < 1.25 * len(data)
    fixed = process_image(data, make_settings(jpeg_quality=100, jpeg_subsampling="4:2:0"))
    with Image.open(io.BytesIO(fixed.encoded)) as image:
        assert set(image.quantization[0]) == {1}
    assert sampling(fixed.encoded) == (2, 2)


@pytest.mark.parametrize(("subsampling", "kept"), [("440", (1, 1)), ("411", (2, 1)), ("444", (1, 1)), ("422", (2, 1))])
def test_chroma_sampled_in_a_rare_way_is_not_made_coarser(make_settings, subsampling, kept):
    pixels = np.ascontiguousarray(pixels_of(photo()).astype(np.uint8))
    data = simplejpeg.encode_jpeg(pixels, quality=90, colorsubsampling=subsampling)
    jpeg = process_image(data, make_settings(resize_shorter_side=40))
    assert sampling(jpeg.encoded) == kept


def test_the_tables_of_a_rotated_jpeg_are_transposed(make_settings):
    """With a side that can't be rotated without loss."""
    steps = np.arange(1, 65).reshape(8, 8)
    exif = Image.Exif()
    exif[0x112] = 6
    file = io.BytesIO()
    Image.open(io.BytesIO(photo(size=(70, 51)))).save(file, "JPEG", exif=exif, qtables=[steps.ravel().tolist()] * 2)
    (_, before), *_ = coefficients_of(file.getvalue())
    jpeg = process_image(file.getvalue(), make_settings())
    assert (before == steps).all()
    assert (jpeg.height, jpeg.width) == (70, 51)
    for _, after in coefficients_of(jpeg.encoded):
        assert (after == steps.T).all()


def test_a_grey_jpeg_keeps_its_coefficients_but_for_rounding(make_settings):
    grey = Image.open(io.BytesIO(photo())).convert("L")
    file = io.BytesIO()
    grey.save(file, "JPEG", quality=80)
    jpeg = process_image(file.getvalue(), make_settings())
    (before, steps), (after, same_steps), *_ = [*coefficients_of(file.getvalue()), *coefficients_of(jpeg.encoded)]
    assert (steps == same_steps).all()
    assert (before != after).mean() < 0.02
    assert len(jpeg.encoded) < 1.15 * len(file.getvalue())


@pytest.mark.parametrize(("mode", "options"), [("CMYK", {"quality": 80}), ("L", {"quality": 30})])
def test_other_colours_take_their_first_tables(make_settings, picture, mode, options):
    data = picture(3, mode=mode, size=(160, 120), **options)
    jpeg = process_image(data, make_settings())
    with Image.open(io.BytesIO(data)) as before, Image.open(io.BytesIO(jpeg.encoded)) as after:
        assert after.quantization[0] == before.quantization[0]
        assert after.mode == "RGB"


def test_steps_that_take_16_bits_become_the_largest_of_8(make_settings):
    """Baseline decoders take no others."""
    file = io.BytesIO()
    Image.open(io.BytesIO(photo())).convert("L").save(file, "JPEG", qtables=[[16] * 32 + [1000] * 32])
    (_, table), *_ = coefficients_of(process_image(file.getvalue(), make_settings()).encoded)
    assert set(table.ravel().tolist()) == {16, 255}


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_other_formats_get_quality_100_with_halved_chroma(make_settings, picture, kind):
    encoded = process_image(picture(1, kind), make_settings()).encoded
    with Image.open(io.BytesIO(encoded)) as image:
        assert set(image.quantization[0]) == {1}
    assert sampling(encoded) == (2, 2)


def test_one_of_the_two_can_be_fixed(make_settings):
    data = photo(quality=60, subsampling="4:2:2", icc_profile=PROFILE)
    fixed = process_image(data, make_settings(jpeg_quality=98)).encoded
    assert sampling(fixed) == (2, 1)
    fine = process_image(data, make_settings(jpeg_subsampling="4:4:4")).encoded
    assert sampling(fine) == (1, 1)
    with Image.open(io.BytesIO(data)) as before, Image.open(io.BytesIO(fine)) as after:
        assert before.quantization == after.quantization
