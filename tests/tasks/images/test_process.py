"""One image: passed through, made an RGB JPEG, or rejected with a reason; never anything else."""

import base64
import io
import struct

import pytest
from PIL import Image

from imagerecords.schemas.receipt import Reason, Rejected
from imagerecords.tasks.images.jpeg import BASELINE, read_jpeg_header
from imagerecords.tasks.images.process import process_image
from tests.tasks.images.reading import pixels_of, reason_of

TOLERANCE = 6  # grey levels that JPEG at quality 100 with halved chroma changes in a smooth picture


def in_blocks(pixels):
    """The means of 8×8 blocks, in which neither halved chroma nor a palette's dots show."""
    height, width = (side // 8 for side in pixels.shape[:2])
    return pixels[: height * 8, : width * 8].reshape(height, 8, width, 8, 3).mean(axis=(1, 3))


@pytest.mark.parametrize(
    "options",
    [
        {"quality": 90},
        {"quality": 90, "progressive": True},
        {"quality": 100, "subsampling": "4:4:4"},
        {"quality": 75, "subsampling": "4:2:2"},
        {"quality": 75, "optimize": True, "comment": b"hello"},
        {"quality": 75, "restart_marker_blocks": 1},
    ],
)
@pytest.mark.parametrize("check_pixels", ["all", "none"])
def test_an_rgb_jpeg_passes_through_untouched(make_settings, picture, options, check_pixels):
    data = picture(1, size=(37, 23), **options)
    jpeg = process_image(data, make_settings(check_pixels=check_pixels))
    assert jpeg.encoded is data
    assert (jpeg.width, jpeg.height, jpeg.source_format) == (37, 23, "JPEG")


def test_a_jpeg_of_one_pixel_passes_through(make_settings, picture):
    data = picture(size=(1, 1))
    assert process_image(data, make_settings()).encoded is data


def test_bytes_behind_a_jpegs_end_pass_through(make_settings, picture):
    """Cameras append thumbnails and videos; every decoder stops at the end of image."""
    data = picture() + b"appended"
    assert process_image(data, make_settings()).encoded is data


@pytest.mark.parametrize(
    ("kind", "mode", "options"),
    [
        ("PNG", "RGB", {}),
        ("PNG", "L", {}),
        ("PNG", "P", {}),
        ("PNG", "1", {}),
        ("WEBP", "RGB", {"lossless": True}),
        ("GIF", "P", {}),
        ("BMP", "RGB", {}),
        ("TIFF", "RGB", {}),
        ("TIFF", "CMYK", {}),
        ("PPM", "RGB", {}),
        ("JPEG", "L", {"quality": 100}),  # grey: three channels are promised, so three are made
        ("JPEG2000", "RGB", {}),
        ("AVIF", "RGB", {"quality": 90}),
    ],
)
def test_every_other_image_becomes_an_rgb_jpeg_of_the_same_pixels(make_settings, picture, kind, mode, options):
    data = picture(2, kind, mode, size=(160, 120), **options)
    jpeg = process_image(data, make_settings())
    with Image.open(io.BytesIO(jpeg.encoded)) as image:
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (160, 120))
    assert (jpeg.width, jpeg.height, jpeg.source_format) == (160, 120, kind)
    assert abs(in_blocks(pixels_of(jpeg.encoded)) - in_blocks(pixels_of(data))).max() <= TOLERANCE
    assert in_blocks(pixels_of(data)).std() > 20  # else any grey would do


def test_an_encoded_jpeg_has_quality_100_and_halved_chroma(make_settings, picture):
    """As build_image_data.py writes its PNGs; and no comment or profile of the source."""
    data = picture(3, "GIF", "P", comment=b"secret comment")
    with Image.open(io.BytesIO(process_image(data, make_settings()).encoded)) as image:
        assert set(image.quantization[0]) == {1}
        assert image.layer[0][1:3] == (2, 2)
        assert "comment" not in image.info


def test_the_same_image_always_gives_the_same_bytes(make_settings, picture):
    data = picture(4, "PNG", "RGBA")
    assert process_image(data, make_settings()).encoded == process_image(data, make_settings()).encoded


# A picture of 64×48 from `cjpeg -arithmetic`; the JPEG's bytes in Base64.
ARITHMETIC = b"""
/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIsIxwcKDcpLDAx
NDQ0Hyc5PTgyPC4zNDL/2wBDAQkJCQwLDBgNDRgyIRwhMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIy
MjIyMjIyMjL/yQARCAAwAEADASIAAhEBAxEB/8wACgAQEAUBEBEF/9oADAMBAAIRAxEAPwD/ANG/HiZzchZPsb9MMJInaXgOOBct
KZVMTshcTgDSlFB9bIGrBglwFvYiWl2ysKpGOq1AEqvXvX6h4P/Z
"""


def test_an_arithmetic_coded_jpeg_is_encoded_anew(tf, make_settings):
    """Pillow and TensorFlow read it, browsers and GPU decoders do not."""
    data = base64.b64decode(ARITHMETIC)
    jpeg = process_image(data, make_settings())
    assert (jpeg.source_format, jpeg.height, jpeg.width) == ("JPEG", 48, 64)
    assert read_jpeg_header(jpeg.encoded).process == BASELINE
    expected = tf.io.decode_jpeg(data, channels=3).numpy().astype(int)
    assert abs(in_blocks(pixels_of(jpeg.encoded)) - in_blocks(expected)).max() <= TOLERANCE


def test_an_image_too_long_for_a_jpeg_is_unsupported_unless_it_is_scaled_down(make_settings, picture):
    data = picture(0, "PNG", "L", size=(65_600, 4))
    assert reason_of(data, make_settings()) is Reason.UNSUPPORTED
    assert process_image(data, make_settings(resize_shorter_side=2)).width == 32_800


@pytest.mark.parametrize(
    ("name", "kind"), [("a PNG named .jpg", "PNG"), ("a GIF named .jpg", "GIF"), ("a JPEG named .png", "JPEG")]
)
def test_content_decides_what_an_image_is(tmp_path, make_settings, picture, name, kind):
    """No name reaches process_image."""
    data = picture(1, kind, "P" if kind == "GIF" else "RGB")
    jpeg = process_image(data, make_settings())
    assert jpeg.source_format == kind
    assert (jpeg.encoded is data) is (kind == "JPEG")


def segment(marker, body):
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


PHOTOSHOP = b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0\0\0\0\x02ab"


@pytest.mark.parametrize("odd", [segment(0xED, PHOTOSHOP), segment(0xE0, b"JFXX\0\x10"), segment(0xEF, b"")])
@pytest.mark.parametrize("check_pixels", ["all", "none"])
def test_segments_of_other_kinds_pass_through(make_settings, picture, odd, check_pixels):
    data = picture()
    data = data[:2] + odd + data[2:]
    assert process_image(data, make_settings(check_pixels=check_pixels)).encoded is data
    pixels_of(data)


def test_a_multi_picture_jpeg_passes_through_with_its_first_picture(tf, make_settings):
    file = io.BytesIO()
    Image.new("RGB", (20, 10), "red").save(file, "MPO", save_all=True, append_images=[Image.new("RGB", (30, 30), "blue")])
    data = file.getvalue()
    jpeg = process_image(data, make_settings())
    assert jpeg.encoded is data
    assert (jpeg.height, jpeg.width) == (10, 20)
    assert abs(tf.io.decode_jpeg(jpeg.encoded, channels=3).numpy().astype(int) - (255, 0, 0)).max() <= TOLERANCE


@pytest.mark.parametrize(
    ("changes", "size", "reason"),
    [
        ({"max_bytes": 300}, (24, 16), Reason.TOO_MANY_BYTES),
        ({"max_pixels": 383}, (24, 16), Reason.TOO_MANY_PIXELS),
        ({"max_pixels": 384}, (24, 16), None),
        ({"min_side": 17}, (24, 16), Reason.TOO_SMALL),
        ({"min_side": 16}, (24, 16), None),
        ({"max_aspect": 1.4}, (24, 16), Reason.TOO_ELONGATED),
        ({"max_aspect": 1.5}, (24, 16), None),
        ({"max_aspect": 1.4}, (16, 24), Reason.TOO_ELONGATED),
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_limit_rejects_what_is_beyond_it(make_settings, picture, changes, size, reason, kind):  # noqa: PLR0917
    data = picture(1, kind, size=size)
    if reason is None:
        process_image(data, make_settings(**changes))
    else:
        assert reason_of(data, make_settings(**changes)) is reason


def test_limits_of_size_are_for_the_image_as_it_comes(make_settings, picture):
    """Not as it is scaled."""
    settings = make_settings(min_side=16, resize_shorter_side=8)
    assert process_image(picture(size=(24, 16)), settings).height == 8


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF"])
def test_an_animation_is_rejected_on_demand(make_settings, picture, kind):
    red, blue = Image.new("RGB", (16, 16), "red"), Image.new("RGB", (16, 16), "blue")
    file = io.BytesIO()
    red.save(file, kind, save_all=True, append_images=[blue])
    assert reason_of(file.getvalue(), make_settings(animated="reject")) is Reason.ANIMATED
    still = picture(1, kind, "P" if kind == "GIF" else "RGB")
    assert process_image(still, make_settings(animated="reject")).source_format == kind
    assert abs(pixels_of(process_image(file.getvalue(), make_settings()).encoded) - (255, 0, 0)).max() <= TOLERANCE


def test_pages_are_no_animation(make_settings):
    file = io.BytesIO()
    Image.new("RGB", (16, 16), "red").save(file, "TIFF", save_all=True, append_images=[Image.new("RGB", (9, 9), "blue")])
    assert process_image(file.getvalue(), make_settings(animated="reject")).width == 16


def test_what_is_encoded_has_the_quality_and_subsampling_that_were_asked_for(make_settings, picture):
    data = picture(3, "PNG")
    fine = process_image(data, make_settings(jpeg_quality=100, jpeg_subsampling="4:4:4")).encoded
    coarse = process_image(data, make_settings(jpeg_quality=30, jpeg_subsampling="4:2:2")).encoded
    with Image.open(io.BytesIO(fine)) as first, Image.open(io.BytesIO(coarse)) as second:
        assert (first.layer[0][1:3], second.layer[0][1:3]) == ((1, 1), (2, 1))
        assert set(first.quantization[0]) == {1}
        assert min(second.quantization[0]) > 5


def test_a_heic_picture_is_read_with_the_extra_and_named_without_it(make_settings, monkeypatch):
    heif = pytest.importorskip("pillow_heif")
    file = io.BytesIO()
    heif.from_pillow(Image.new("RGB", (64, 48), (200, 30, 30))).save(file, quality=95)
    jpeg = process_image(file.getvalue(), make_settings())
    assert (jpeg.source_format, jpeg.height, jpeg.width) == ("HEIF", 48, 64)
    assert abs(pixels_of(jpeg.encoded) - (200, 30, 30)).max() <= 8
    monkeypatch.setattr("imagerecords.tasks.images.opening.register_heic", lambda: False)
    Image.preinit()
    monkeypatch.setattr(Image, "ID", [name for name in Image.ID if name != "HEIF"])
    with pytest.raises(Rejected, match="imagerecords\\[heic\\]") as caught:
        process_image(file.getvalue(), make_settings())
    assert caught.value.reason is Reason.UNSUPPORTED
