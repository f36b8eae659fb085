"""A decoded image as 8-bit RGB, pixel by pixel against what numpy computes from the same numbers."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageColor

from imagerecords.schemas.receipt import Reason, Rejected
from imagerecords.tasks.images.decode import decode_image
from imagerecords.tasks.images.normalise import normalise

SEED = np.random.default_rng(20261124)


@pytest.fixture
def pixels(make_settings):
    """`pixels(data, **settings)` gives the normalised pixels of an image file, before any JPEG, as whole numbers."""

    def pixels(data, **changes):
        settings = make_settings(**changes)
        image = normalise(decode_image(data, settings), settings)
        assert (image.mode, image.info) == ("RGB", {})
        return np.asarray(image).astype(int)

    return pixels


def noise(*shape, most=255):
    return SEED.integers(0, most + 1, shape)


def saved(image, kind="PNG", **options):
    """An image, or an array as one, saved as a file."""
    file = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(file, kind, **options)
    return file.getvalue()


def png(samples, colour_type, transparent=None):
    """A 16-bit PNG, which Pillow writes of grey alone: colour type 0 grey, 2 RGB, 4 grey+alpha, 6 RGBA; a tRNS on demand."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    height, width = samples.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    key = b"" if transparent is None else chunk(b"tRNS", struct.pack(f">{len(transparent)}H", *transparent))
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + key + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def on(background, colour, alpha):
    """A colour of some opacity (0 to 255) on a background."""
    share = alpha[..., None] / 255
    return colour * share + np.array(background) * (1 - share)


def test_grey_is_three_times_itself(pixels):
    grey = noise(8, 12).astype(np.uint8)
    assert (pixels(saved(grey)) == grey[..., None]).all()


def test_one_bit_is_black_and_white(pixels):
    bits = noise(8, 12, most=1).astype(bool)
    assert (pixels(saved(bits)) == np.where(bits, 255, 0)[..., None]).all()


def test_a_palette_gives_its_colours(pixels):
    palette, places = noise(16, 3), noise(8, 12, most=15).astype(np.uint8)
    image = Image.fromarray(places, "P")
    image.putpalette(palette.astype(np.uint8).tobytes())
    for kind in ("PNG", "GIF", "BMP", "TIFF"):
        assert (pixels(saved(image, kind)) == palette[places]).all()


@pytest.mark.parametrize("background", ["white", "black", "#0a64c8", "rgb(1, 2, 3)"])
def test_alpha_lies_on_the_background(pixels, background):
    rgba = noise(16, 12, 4).astype(np.uint8)
    rgba[:2, :, 3], rgba[2:4, :, 3] = 0, 255
    colour = {"white": (255, 255, 255), "black": (0, 0, 0), "#0a64c8": (10, 100, 200)}.get(background, (1, 2, 3))
    expected = on(colour, rgba[..., :3], rgba[..., 3])
    for kind, options in (("PNG", {}), ("TIFF", {}), ("WEBP", {"lossless": True, "exact": True})):
        got = pixels(saved(rgba, kind, **options), alpha_background=background)
        assert abs(got - expected).max() <= 1
        assert (got[:2] == colour).all()
        assert (got[2:4] == rgba[2:4, :, :3]).all()


def test_grey_with_alpha_lies_on_the_background(pixels):
    array = noise(16, 12, 2).astype(np.uint8)
    expected = on((255, 0, 0), array[..., :1].repeat(3, axis=2), array[..., 1])
    assert abs(pixels(saved(array), alpha_background="red") - expected).max() <= 1


def test_dropped_alpha_leaves_the_colours_as_build_image_data_takes_them(tf, pixels):
    """That is tf.image.decode_png with three channels."""
    for array in (noise(16, 12, 4), noise(16, 12, 2)):
        data = saved(array.astype(np.uint8))
        assert (pixels(data, alpha_background="drop") == tf.image.decode_png(data, channels=3).numpy()).all()


def test_a_palettes_opacities_lie_on_the_background(pixels):
    palette, opacities, places = noise(4, 3), np.array([0, 255, 100, 7]), noise(8, 12, most=3).astype(np.uint8)
    image = Image.fromarray(places, "P")
    image.putpalette(palette.astype(np.uint8).tobytes())
    data = saved(image, transparency=bytes(opacities.tolist()))
    assert abs(pixels(data, alpha_background="lime") - on((0, 255, 0), palette[places], opacities[places])).max() <= 1
    assert (pixels(data, alpha_background="drop") == palette[places]).all()


def test_a_gifs_transparent_colour_lies_on_the_background(pixels):
    image = Image.new("P", (16, 16), 0)
    image.putpalette([0, 0, 0, 255, 0, 0])
    assert (pixels(saved(image, "GIF", transparency=0), alpha_background="blue") == (0, 0, 255)).all()


@pytest.mark.parametrize("background", ["white", "#0a64c8"])
def test_what_a_gif_leaves_free_of_its_screen_lies_on_the_background(pixels, background):
    """Browsers show it transparent; Pillow fills it with the first colour."""
    file = io.BytesIO()
    Image.new("RGB", (6, 4), (250, 10, 20)).convert("P", palette=Image.Palette.ADAPTIVE, colors=2).save(file, "GIF")
    data = bytearray(file.getvalue())
    frame = data.index(b",\0\0\0\0\6\0\4\0")
    data[6:10] = struct.pack("<HH", 9, 8)  # the screen
    data[frame + 1 : frame + 5] = struct.pack("<HH", 2, 1)  # where the picture begins
    expected = np.full((8, 9, 3), ImageColor.getrgb(background))
    expected[1:5, 2:8] = (250, 10, 20)
    assert (pixels(bytes(data), alpha_background=background) == expected).all()


def test_a_transparent_key_lies_on_the_background(pixels):
    grey = np.full((4, 6), 7, np.uint8)
    grey[:, 3:] = 200
    assert (pixels(saved(Image.fromarray(grey), transparency=7))[0, [0, 5]] == [[255] * 3, [200] * 3]).all()
    rgb = np.stack([grey, grey, grey + 1], axis=2)
    assert (pixels(saved(Image.fromarray(rgb), transparency=(7, 7, 8)))[0, [0, 5]] == [[255] * 3, [200, 200, 201]]).all()


def test_16_bit_grey_is_scaled_and_rounded_not_clipped(pixels):
    """Pillow's own conversion makes everything above 255 white."""
    levels = noise(16, 12, most=65535)
    levels[0, :4] = 0, 128, 129, 65535
    expected = np.floor(levels / 257 + 0.5)[..., None]
    for data in (
        png(levels, 0),
        saved(levels.astype(np.uint16), "TIFF"),
        saved(levels.astype(np.uint16), "JPEG2000", irreversible=False),
        b"P5 12 16 65535\n" + levels.astype(">u2").tobytes(),
    ):
        assert (pixels(data) == expected).all()


def test_a_big_endian_tiff_of_16_bits_is_scaled_too(pixels):
    levels = noise(16, 12, most=65535)
    data = saved(Image.frombytes("I;16B", (12, 16), levels.astype(">u2").tobytes()), "TIFF")
    assert data.startswith(b"MM")
    assert (pixels(data) == np.floor(levels / 257 + 0.5)[..., None]).all()


def test_a_pgm_of_an_odd_range_reaches_white(pixels):
    levels = noise(16, 12, most=999)
    data = b"P5 12 16 999\n" + levels.astype(">u2").tobytes()
    assert abs(pixels(data) - levels[..., None] * 255 / 999).max() <= 0.51  # rounded twice, by Pillow and here


def test_a_tiff_of_12_bits_reaches_white(pixels):
    """Two samples in three bytes; as 16 bits it would be nearly black."""
    levels = noise(4, 6, most=4095)
    flat = levels.ravel()
    packed = np.stack([flat[::2] >> 4, (flat[::2] & 15) << 4 | flat[1::2] >> 8, flat[1::2] & 255], axis=1).astype(np.uint8)
    entries = [(256, 6), (257, 4), (258, 12), (259, 1), (262, 1), (273, 8), (277, 1), (278, 4), (279, 36)]
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    data = b"II*\0" + struct.pack("<I", 8 + 36) + packed.tobytes() + directory + bytes(4)
    assert (pixels(data) == np.floor(levels * 255 / 4095 + 0.5)[..., None]).all()


@pytest.mark.parametrize("colour_type", [2, 6])
def test_16_bit_colour_loses_at_most_a_level(pixels, colour_type):
    """Pillow keeps the high byte."""
    samples = noise(16, 12, {2: 3, 6: 4}[colour_type], most=65535)
    got = pixels(png(samples, colour_type), alpha_background="drop")
    assert (got == samples[..., :3] >> 8).all()
    assert abs(got - samples[..., :3] / 257).max() < 1


def test_a_ppm_of_16_bits_is_scaled(pixels):
    samples = noise(16, 12, 3, most=65535)
    assert abs(pixels(b"P6 12 16 65535\n" + samples.astype(">u2").tobytes()) - samples / 257).max() <= 0.5


def test_a_transparent_key_of_16_bits_is_compared_as_such(pixels):
    grey = np.full((4, 6), 300)
    grey[:, 3:] = 65535 // 2
    assert (pixels(png(grey, 0, (300,)), alpha_background="blue")[0, [0, 5]] == [[0, 0, 255], [127] * 3]).all()
    rgb = np.stack([grey, grey, grey], axis=2)
    assert (pixels(png(rgb, 2, (300, 300, 300)), alpha_background="blue")[0, [0, 5]] == [[0, 0, 255], [127] * 3]).all()


@pytest.mark.parametrize(
    "image",
    [
        Image.fromarray(np.zeros((8, 8), np.float32)),
        Image.fromarray(np.full((8, 8), 70_000, np.int32)),
        Image.fromarray(np.zeros((8, 8), np.int32)),  # small numbers do not make it another format
    ],
    ids=["float", "32 bits", "32 bits, dark"],
)
def test_pixels_without_an_agreed_range_are_rejected(pixels, image):
    with pytest.raises(Rejected) as caught:
        pixels(saved(image, "TIFF"))
    assert caught.value.reason is Reason.UNSUPPORTED


def cmyk_jpeg(inks, adobe):
    """A CMYK JPEG of one colour; without Adobe's marker the numbers in the file mean the opposite."""
    data = saved(Image.new("CMYK", (16, 16), inks), "JPEG", quality=100)
    if adobe:
        return data
    marker = data.index(b"\xff\xee")
    length = int.from_bytes(data[marker + 2 : marker + 4], "big")
    return data[:marker] + data[marker + 2 + length :]


@pytest.mark.parametrize("adobe", [True, False])
@pytest.mark.parametrize("inks", [(0, 0, 0, 0), (255, 0, 0, 0), (0, 255, 0, 40), (10, 20, 30, 200)])
def test_cmyk_is_what_the_inks_leave_of_white(tf, pixels, inks, adobe):
    data = cmyk_jpeg(inks, adobe)
    *colours, black = np.array(inks) if adobe else 255 - np.array(inks)
    expected = (255 - np.array(colours)) * (255 - black) / 255
    assert abs(pixels(data) - expected).max() <= 3
    assert abs(pixels(data) - tf.io.decode_jpeg(data, channels=3).numpy().astype(int)).max() <= 2


def test_ycck_is_cmyk_too(tf, pixels):
    """Adobe's transform 2: YCbCr of the inks as though they were red, green and blue; black is stored upside down."""
    inks = np.array([200, 40, 90])
    red, green, blue = inks
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    stored = (round(luma), round(128 + (blue - luma) * 0.564), round(128 + (red - luma) * 0.713), 255 - 30)
    image = Image.new("CMYK", (16, 16), tuple(255 - value for value in stored))
    data = saved(image, "JPEG", quality=100)
    assert data[data.index(b"Adobe") + 11] == 0
    data = data.replace(b"Adobe\0\x64\0\0\0\0\0", b"Adobe\0\x64\0\0\0\0\x02")
    assert abs(pixels(data) - (255 - inks) * (255 - 30) / 255).max() <= 4
    assert abs(pixels(data) - tf.io.decode_jpeg(data, channels=3).numpy().astype(int)).max() <= 2


# By orientation: the upright picture from the stored one (EXIF 2.3, the 0th row and column of the stored picture).
UPRIGHT = {
    1: lambda stored: stored,
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.swapaxes(0, 1),
    6: lambda stored: stored[::-1].swapaxes(0, 1),
    7: lambda stored: stored[::-1, ::-1].swapaxes(0, 1),
    8: lambda stored: stored[:, ::-1].swapaxes(0, 1),
}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("kind", "options"), [("PNG", {}), ("TIFF", {}), ("WEBP", {"lossless": True})])
def test_an_orientation_is_baked_or_kept(make_settings, pixels, kind, options, orientation):
    stored = noise(6, 10, 3).astype(np.uint8)
    exif = Image.Exif()
    exif[0x112] = orientation
    data = saved(stored, kind, exif=exif, **options)
    assert (pixels(data) == UPRIGHT[orientation](stored)).all()
    assert (pixels(data, exif="keep") == stored).all()
    assert decode_image(data, make_settings()).orientation == orientation


def test_scaling_only_shrinks(pixels):
    data = saved(noise(20, 30, 3).astype(np.uint8))
    assert pixels(data, resize_shorter_side=10).shape == (10, 15, 3)
    assert pixels(data, resize_shorter_side=20).shape == (20, 30, 3)
    assert pixels(data, resize_shorter_side=99).shape == (20, 30, 3)
    assert pixels(saved(noise(3, 301, 3).astype(np.uint8)), resize_shorter_side=2).shape == (2, 201, 3)


def test_scaling_keeps_what_is_in_the_picture(pixels):
    """A slope stays the slope; single pixels' noise is averaged away, not picked."""
    slope = np.broadcast_to(np.linspace(20, 230, 320), (160, 320))
    noisy = np.clip(slope + SEED.normal(0, 20, slope.shape), 0, 255).astype(np.uint8)
    got = pixels(saved(noisy), resize_shorter_side=16)[..., 0]
    assert got.shape == (16, 32)
    expected = slope.reshape(16, 10, 32, 10).mean(axis=(1, 3))
    assert abs(got - expected).max() <= 15
    assert abs(got - expected).mean() <= 3


def test_nothing_of_the_source_is_left_beside_the_pixels(pixels):
    """The fixture asserts it: no comment, profile, EXIF or resolution goes into the JPEG."""
    exif = Image.Exif()
    exif[0x10F] = "maker"
    pixels(saved(Image.new("P", (8, 8)), "GIF", comment=b"secret"))
    pixels(saved(Image.new("RGB", (8, 8)), dpi=(300, 300), exif=exif))
