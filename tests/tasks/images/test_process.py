"""One image: passed through, made an RGB JPEG, or rejected with a reason; never anything else."""

import base64
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, UnidentifiedImageError

from imagerecords.schemas.receipt import MESSAGE_LENGTH, Reason, Rejected
from imagerecords.tasks.images.jpeg import BASELINE, read_jpeg_header
from imagerecords.tasks.images.process import process_image

TOLERANCE = 6  # grey levels that JPEG at quality 100 with halved chroma changes in a smooth picture


def pixels_of(data):
    """The pixels as Pillow decodes them, RGB."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def in_blocks(pixels):
    """The means of 8×8 blocks, in which neither halved chroma nor a palette's dots show."""
    height, width = (side // 8 for side in pixels.shape[:2])
    return pixels[: height * 8, : width * 8].reshape(height, 8, width, 8, 3).mean(axis=(1, 3))


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


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Reason.EMPTY_FILE),
        (b"hello, I am text\n" * 20, Reason.NOT_AN_IMAGE),
        (b"\x00" * 500, Reason.NOT_AN_IMAGE),
        (b"\xff\xd8", Reason.CORRUPT),  # a start of image and nothing else
        (b"\xff\xd8\xff\xd9", Reason.CORRUPT),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", Reason.UNSUPPORTED),  # a program
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


def with_frame(data, **changes):
    """A JPEG whose start of frame says something else: its process, or the bytes at some place in it."""
    changed = bytearray(data)
    frame = changed.index(b"\xff\xc0")
    for name, value in changes.items():
        place = {"process": 1, "precision": 4, "height": 5, "components": 9}[name]
        changed[frame + place : frame + place + len(value)] = value
    return bytes(changed)


@pytest.mark.parametrize(
    "changes",
    [
        {"precision": b"\x0c"},  # 12 bits, as scanners of film and medicine write
        {"process": b"\xc3"},  # lossless
        {"process": b"\xc5"},  # hierarchical
        {"components": b"\x02"},
        {"height": b"\0\0"},  # the lines are counted at the end of the scan
    ],
    ids=["12 bits", "lossless", "hierarchical", "two components", "no height"],
)
@pytest.mark.parametrize("check_pixels", ["all", "none"])
def test_a_jpeg_that_pillow_and_tensorflow_do_not_decode_is_unsupported(tf, make_settings, picture, changes, check_pixels):
    data = with_frame(picture(), **changes)
    assert reason_of(data, make_settings(check_pixels=check_pixels)) is Reason.UNSUPPORTED
    with pytest.raises(tf.errors.InvalidArgumentError):
        tf.io.decode_jpeg(data, channels=3)


@pytest.mark.parametrize("height", [b"\xff\xdd", b"\xff\xff"])
def test_a_jpeg_longer_than_libjpeg_reads_is_unsupported(make_settings, picture, height):
    data = with_frame(picture(), height=height)
    assert reason_of(data, make_settings(check_pixels="none")) is Reason.UNSUPPORTED


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


@pytest.mark.parametrize(
    ("odd", "accepted"),
    [
        (segment(0xE0, b"JFIF"), False),  # Pillow looks for the version behind it
        (segment(0xEE, b"Adobe"), False),
        (segment(0xED, PHOTOSHOP), True),
        (segment(0xED, PHOTOSHOP + b"8BIM\x04\x04"), False),  # ends before the name
        (segment(0xE0, b"JFXX\0\x10"), True),
        (segment(0xEF, b""), True),
    ],
    ids=["JFIF", "Adobe", "Photoshop", "broken Photoshop", "JFXX", "empty"],
)
@pytest.mark.parametrize("check_pixels", ["all", "none"])
def test_what_pillow_will_not_open_does_not_pass_through(make_settings, picture, odd, accepted, check_pixels):
    """TensorFlow does not look into these segments; the promise is for both."""
    data = picture()
    data = data[:2] + odd + data[2:]
    settings = make_settings(check_pixels=check_pixels)
    if accepted:
        assert process_image(data, settings).encoded is data
        pixels_of(data)
    else:
        with pytest.raises(UnidentifiedImageError):
            Image.open(io.BytesIO(data))
        assert reason_of(data, settings) is Reason.CORRUPT


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
    monkeypatch.setattr("imagerecords.tasks.images.decode.register_heic", lambda: False)
    Image.preinit()
    monkeypatch.setattr(Image, "ID", [name for name in Image.ID if name != "HEIF"])
    with pytest.raises(Rejected, match="imagerecords\\[heic\\]") as caught:
        process_image(file.getvalue(), make_settings())
    assert caught.value.reason is Reason.UNSUPPORTED
