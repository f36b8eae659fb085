"""One image: passed through, made an RGB JPEG, or rejected with a reason; never anything else."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image

from schemas.receipt import MESSAGE_LENGTH, Reason, Rejected
from tasks.images import process_image

TOLERANCE = 6  # grey levels that JPEG at quality 100 with halved chroma changes in a smooth picture


def pixels_of(data):
    """The pixels as Pillow decodes them, RGB."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def in_blocks(pixels):
    """The means of 8×8 blocks, in which neither halved chroma nor a palette's dots show."""
    height, width = (side // 8 for side in pixels.shape[:2])
    return pixels[: height * 8, : width * 8].reshape(height, 8, width, 8, 3).mean(axis=(1, 3))


def saved(array, kind, **options):
    """An array saved as an image file."""
    file = io.BytesIO()
    Image.fromarray(array).save(file, kind, **options)
    return file.getvalue()


def reason_of(data, settings):
    """Why an image is rejected."""
    with pytest.raises(Rejected) as caught:
        process_image(data, settings)
    return caught.value.reason


def header_only_png(width, height):
    """A PNG that claims a size and has no pixels."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)) + chunk(b"IDAT", b"")


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


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_transparency_lies_on_white(make_settings, kind):
    array = np.zeros((16, 32, 4), np.uint8)
    array[:, :16] = (200, 30, 30, 255)
    array[:, 16:] = (0, 0, 0, 0)  # the classic script drops alpha, and this half becomes black
    options = {"lossless": True} if kind == "WEBP" else {}
    pixels = pixels_of(process_image(saved(array, kind, **options), make_settings()).encoded)
    assert abs(pixels[:, :14] - (200, 30, 30)).max() <= 12
    assert abs(pixels[:, 18:] - 255).max() <= 12


def test_half_transparency_is_mixed_with_white(make_settings):
    array = np.full((16, 16, 2), (0, 128), np.uint8)
    assert abs(pixels_of(process_image(saved(array, "PNG"), make_settings()).encoded) - 127).max() <= 2


def test_a_palettes_transparent_colour_lies_on_white(make_settings):
    image = Image.new("P", (16, 16), 0)
    image.putpalette([0, 0, 0, 255, 0, 0])
    for kind in ("PNG", "GIF"):
        file = io.BytesIO()
        image.save(file, kind, transparency=0)
        assert pixels_of(process_image(file.getvalue(), make_settings()).encoded).min() >= 253


def test_16_bit_grey_is_scaled_not_clipped(make_settings):
    """Pillow's own conversion makes everything above 255 white."""
    array = np.linspace(0, 65535, 64 * 16).reshape(16, 64).astype(np.uint16)
    for kind in ("PNG", "TIFF"):
        pixels = pixels_of(process_image(saved(array, kind), make_settings()).encoded)
        assert abs(pixels[..., 0] - array / 257).max() <= 2
        assert (pixels[..., 0] == pixels[..., 2]).all()


@pytest.mark.parametrize("colour", [(0, 0, 0, 0), (255, 0, 0, 0), (0, 255, 0, 40), (10, 20, 30, 200)])
def test_a_cmyk_jpeg_gets_the_colours_that_pillow_shows(make_settings, picture, colour):
    """Adobe's inverted CMYK among them, which Pillow writes."""
    file = io.BytesIO()
    Image.new("CMYK", (16, 16), colour).save(file, "JPEG", quality=100)
    jpeg = process_image(file.getvalue(), make_settings())
    with Image.open(io.BytesIO(jpeg.encoded)) as image:
        assert image.mode == "RGB"
    assert abs(pixels_of(jpeg.encoded) - pixels_of(file.getvalue())).max() <= TOLERANCE


def test_the_first_frame_of_an_animation_is_taken(make_settings):
    red, blue = Image.new("RGB", (16, 16), "red"), Image.new("RGB", (16, 16), "blue")
    for kind in ("GIF", "WEBP", "PNG"):
        file = io.BytesIO()
        red.save(file, kind, save_all=True, append_images=[blue])
        assert abs(pixels_of(process_image(file.getvalue(), make_settings()).encoded) - (255, 0, 0)).max() <= TOLERANCE


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Reason.EMPTY_FILE),
        (b"hello, I am text\n" * 20, Reason.NOT_AN_IMAGE),
        (b"\x00" * 500, Reason.NOT_AN_IMAGE),
        (b"\xff\xd8", Reason.CORRUPT),  # a start of image and nothing else
        (b"\xff\xd8\xff\xd9", Reason.CORRUPT),
        (b"\xff\xd8" + b"\xff" * 300, Reason.CORRUPT),
        (header_only_png(30_000, 30_000), Reason.TOO_MANY_PIXELS),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", Reason.NOT_AN_IMAGE),
    ],
)
def test_what_is_no_image_is_rejected_with_its_reason(make_settings, data, reason):
    assert reason_of(data, make_settings()) is reason


def test_a_jpeg_that_claims_too_many_pixels_is_rejected_unread(make_settings, picture):
    data = bytearray(picture())
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = b"\xff\xff\xff\xff"
    assert reason_of(bytes(data), make_settings(check_pixels="none")) is Reason.TOO_MANY_PIXELS


def test_floating_point_pixels_are_rejected(make_settings):
    assert reason_of(saved(np.zeros((8, 8), np.float32), "TIFF"), make_settings()) is Reason.UNSUPPORTED


@pytest.mark.parametrize("check_pixels", ["all", "none"])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_truncated_jpeg_is_rejected_wherever_it_ends(make_settings, picture, check_pixels, progressive):
    data = picture(5, size=(20, 20), progressive=progressive)
    settings = make_settings(check_pixels=check_pixels)
    for end in range(2, len(data) - 1):
        assert reason_of(data[:end], settings) in (Reason.TRUNCATED, Reason.CORRUPT), end


def test_a_jpeg_without_its_end_is_truncated(make_settings, picture):
    data = picture()
    assert data.endswith(b"\xff\xd9")
    assert reason_of(data[:-2], make_settings(check_pixels="none")) is Reason.TRUNCATED


def test_a_thumbnails_end_is_not_the_pictures_end(make_settings, picture):
    """The JPEG inside the EXIF of a truncated photo ends properly; the photo does not."""
    thumbnail = picture(1, size=(8, 8))
    comment = b"\xff\xfe" + struct.pack(">H", len(thumbnail) + 2) + thumbnail
    data = picture(2)
    with_thumbnail = data[:2] + comment + data[2:]
    assert process_image(with_thumbnail, make_settings()).encoded is with_thumbnail
    assert reason_of(with_thumbnail[: len(with_thumbnail) // 2 + 200], make_settings()) in (Reason.TRUNCATED, Reason.CORRUPT)
    assert reason_of(with_thumbnail[:-2], make_settings(check_pixels="none")) is Reason.TRUNCATED


def broken_stream(picture):
    """A JPEG whose coefficients are cut out in the middle, with its end of image in place."""
    data = picture(6, size=(200, 200), quality=95)
    return data[: len(data) // 2] + data[len(data) // 2 + 2000 :]


def test_a_broken_stream_is_found_when_all_pixels_are_checked(make_settings, picture):
    """Pillow and TensorFlow swallow libjpeg's warnings of this and give half a picture."""
    assert reason_of(broken_stream(picture), make_settings()) in (Reason.CORRUPT, Reason.TRUNCATED)


def test_check_pixels_none_passes_what_only_the_pixels_tell(make_settings, picture):
    data = broken_stream(picture)
    assert process_image(data, make_settings(check_pixels="none")).encoded is data


def test_a_broken_grey_jpeg_is_found_too(make_settings, picture):
    data = picture(6, mode="L", size=(200, 200), quality=95)
    broken = data[: len(data) // 2] + data[len(data) // 2 + 1000 :]
    assert reason_of(broken, make_settings()) in (Reason.CORRUPT, Reason.TRUNCATED)


def test_a_broken_cmyk_jpeg_is_found_too(make_settings, picture):
    data = picture(6, mode="CMYK", size=(200, 200), quality=95)
    broken = data[: len(data) // 2] + data[len(data) // 2 + 1000 :]
    assert reason_of(broken, make_settings()) in (Reason.CORRUPT, Reason.TRUNCATED)


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "TIFF", "WEBP"])
def test_a_truncated_file_of_any_format_is_rejected(make_settings, picture, kind):
    mode = "P" if kind == "GIF" else "RGB"
    data = picture(7, kind, mode, size=(60, 40))
    assert reason_of(data[: len(data) * 2 // 3], make_settings()) in (Reason.TRUNCATED, Reason.CORRUPT, Reason.NOT_AN_IMAGE)


def test_a_message_is_short_and_there(make_settings):
    with pytest.raises(Rejected) as caught:
        process_image(b"\xff\xd8" + b"\xff\xc0" * 5_000, make_settings())
    assert 0 < len(caught.value.message) <= MESSAGE_LENGTH
    assert "\n" not in caught.value.message


def only_rejects(data, settings):
    """Whatever comes in, an RGB JPEG comes out, or Rejected is raised."""
    try:
        jpeg = process_image(data, settings)
    except Rejected:
        return
    assert jpeg.encoded.startswith(b"\xff\xd8")
    assert jpeg.height > 0
    assert jpeg.width > 0


STARTS = [
    b"",
    b"\xff\xd8",
    b"\xff\xd8\xff\xe0",
    b"\x89PNG\r\n\x1a\n",
    b"GIF89a",
    b"BM",
    b"II*\x00",
    b"RIFF",
    b"P6 ",
    b"\x00\x00\x01\x00",
]


def test_random_bytes_raise_nothing_but_rejected(make_settings):
    @given(st.sampled_from(STARTS), st.binary(max_size=300), st.sampled_from(["all", "none"]))
    @hypothesis_settings(max_examples=400)
    def check(start, data, check_pixels):
        only_rejects(start + data, make_settings(check_pixels=check_pixels))

    check()


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        ("JPEG", "RGB"),
        ("JPEG", "L"),
        ("JPEG", "CMYK"),
        ("PNG", "RGBA"),
        ("GIF", "P"),
        ("BMP", "RGB"),
        ("TIFF", "RGB"),
        ("WEBP", "RGB"),
    ],
)
def test_mutated_images_raise_nothing_but_rejected(make_settings, picture, kind, mode):
    original = picture(8, kind, mode, size=(24, 20))
    changes = st.lists(st.tuples(st.integers(0, len(original) - 1), st.integers(0, 255)), min_size=1, max_size=5)

    @given(changes, st.integers(0, len(original)), st.sampled_from(["all", "none"]))
    @hypothesis_settings(max_examples=80)
    def check(changes, length, check_pixels):
        data = bytearray(original)
        for position, value in changes:
            data[position] = value
        only_rejects(bytes(data), make_settings(check_pixels=check_pixels))
        only_rejects(bytes(data[:length]), make_settings(check_pixels=check_pixels))

    check()


def test_what_passes_the_full_check_decodes_in_tensorflow_to_the_recorded_size(tf, make_settings, picture):
    """The promise of the data set, for damaged input too: accepted means a trainer can read it."""
    original = picture(9, size=(24, 20), restart_marker_blocks=1)
    settings = make_settings()

    @given(st.lists(st.tuples(st.integers(0, len(original) - 1), st.integers(0, 255)), min_size=1, max_size=3))
    @hypothesis_settings(max_examples=300)
    def check(changes):
        data = bytearray(original)
        for position, value in changes:
            data[position] = value
        try:
            jpeg = process_image(bytes(data), settings)
        except Rejected:
            return
        assert tf.io.decode_jpeg(jpeg.encoded, channels=3).shape == (jpeg.height, jpeg.width, 3)

    check()
