"""Colour profiles: converted to sRGB as the ICC's numbers say, ignored where they say nothing."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from imagerecords.tasks.images.colour import convert_lab, convert_to_srgb, is_srgb
from imagerecords.tasks.images.jpeg import read_jpeg_header
from imagerecords.tasks.images.process import process_image

# Colorants of sRGB and Adobe RGB (1998) under D50, from their profiles; columns are red, green and blue.
SRGB = np.array([[0.4360, 0.3851, 0.1431], [0.2225, 0.7169, 0.0606], [0.0139, 0.0971, 0.7141]])
ADOBE = np.array([[0.6097, 0.2053, 0.1492], [0.3111, 0.6257, 0.0632], [0.0195, 0.0609, 0.7446]])
WHITE = (0.9642, 1.0, 0.8249)  # D50
GAMMA = 2.2


def fixed(value):
    return struct.pack(">i", round(value * 65536))


def profile(space, tags, kind=b"mntr", connection=b"XYZ "):
    """An ICC profile of version 2.1 from its tags."""
    bodies = {name: body + bytes(-len(body) % 4) for name, body in tags.items()}
    table, place = b"", 128 + 4 + 12 * len(bodies)
    for name, body in bodies.items():
        table += name + struct.pack(">II", place, len(body))
        place += len(body)
    header = struct.pack(">I4s4s4s4s4s", place, b"none", b"\x02\x10\0\0", kind, space, connection)
    header += bytes(12) + b"acsp" + bytes(28) + b"".join(map(fixed, WHITE)) + bytes(48)
    return header + struct.pack(">I", len(bodies)) + table + b"".join(bodies.values())


def xyz(values):
    return b"XYZ " + bytes(4) + b"".join(map(fixed, values))


def gamma(value=GAMMA):
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(value * 256))


def described(name):
    return b"desc" + bytes(4) + struct.pack(">I", len(name) + 1) + name + bytes(79)


def rgb_profile(colorants, power=GAMMA, name=b"test"):
    tags = {b"desc": described(name), b"wtpt": xyz(WHITE)}
    tags |= {tag: xyz(column) for tag, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), colorants.T, strict=True)}
    return profile(b"RGB ", tags | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), gamma(power)))


def grey_profile(power):
    return profile(b"GRAY", {b"desc": described(b"grey"), b"wtpt": xyz(WHITE), b"kTRC": gamma(power)})


def srgb_of(linear):
    """Linear light from 0 to 1 as sRGB levels."""
    clipped = np.clip(linear, 0, 1)
    curve = np.where(clipped <= 0.0031308, 12.92 * clipped, 1.055 * clipped ** (1 / 2.4) - 0.055)
    return curve * 255


def adobe_in_srgb(levels):
    return srgb_of((levels / 255) ** GAMMA @ ADOBE.T @ np.linalg.inv(SRGB).T)


@pytest.fixture(scope="module")
def colours():
    """A picture of moderate colours, which sRGB can show too."""
    return np.random.default_rng(7).integers(60, 200, (32, 24, 3)).astype(np.uint8)


def test_adobe_rgb_is_converted_as_its_numbers_say(colours):
    got = np.asarray(convert_to_srgb(Image.fromarray(colours), rgb_profile(ADOBE))).astype(int)
    expected = adobe_in_srgb(colours)
    inside = (expected > 1).all(axis=2) & (expected < 254).all(axis=2)
    assert abs(got - expected)[inside].max() <= 2
    assert abs(expected - colours).max() > 10  # else nothing would be shown


def test_a_grey_profile_is_converted(colours):
    grey = colours[..., 0]
    got = np.asarray(convert_to_srgb(Image.fromarray(grey), grey_profile(1.8))).astype(int)
    assert abs(got - srgb_of((grey / 255) ** 1.8)[..., None]).max() <= 2


def test_a_cmyk_profile_is_converted():
    """A profile in which cyan makes lightness 55 and black 0, by a table of two steps an ink."""
    table = bytearray()
    for corner in range(16):  # the last ink changes fastest; Lab of version 2 in 8 bits: L of 255 is 100, a and b of 128 are 0
        cyan, black = corner >> 3 & 1, corner & 1
        table += bytes((0 if black else 140 if cyan else 255, 128, 128))
    identity = b"".join(map(fixed, (1, 0, 0, 0, 1, 0, 0, 0, 1)))
    ramp = bytes(range(256))
    lut = b"mft1" + bytes(4) + bytes((4, 3, 2, 0)) + identity + ramp * 4 + bytes(table) + ramp * 3
    tags = {b"desc": described(b"ink"), b"wtpt": xyz(WHITE), b"A2B0": lut, b"A2B1": lut}
    data = profile(b"CMYK", tags, b"prtr", b"Lab ")
    got = [
        np.asarray(convert_to_srgb(Image.new("CMYK", (4, 4), inks), data))[0, 0].astype(int)
        for inks in ((0, 0, 0, 0), (255, 0, 0, 0), (0, 0, 0, 255))
    ]
    lightness = 140 / 255 * 100
    expected = srgb_of(np.array([((lightness + 16) / 116) ** 3]))[0]
    assert abs(got[0] - 255).max() <= 2
    assert abs(got[1] - expected).max() <= 3
    assert got[2].max() <= 2


def test_cielab_is_converted():
    lab = Image.frombytes("LAB", (1, 3), bytes((255, 0, 0, 140, 0, 0, 0, 0, 0)))
    lightness = 140 / 255 * 100
    expected = srgb_of(np.array([1, ((lightness + 16) / 116) ** 3, 0]))
    assert abs(np.asarray(convert_lab(lab))[:, 0].astype(int) - expected[:, None]).max() <= 2


@pytest.mark.parametrize(
    ("data", "same"),
    [
        (b"", True),
        (ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(), True),
        (rgb_profile(SRGB, name=b"c2"), False),  # 2.2 is not sRGB's curve: dark levels differ by more than two
        (rgb_profile(SRGB, 1.0, b"Linear sRGB"), False),  # a name is no proof
        (rgb_profile(ADOBE, name=b"sRGB IEC61966-2.1"), False),
        (grey_profile(2.2), True),  # for other channels than the picture's
        (b"no profile at all", True),
        (rgb_profile(ADOBE)[:200], True),
    ],
    ids=["none", "LittleCMS's sRGB", "gamma 2.2", "linear", "Adobe as sRGB", "grey", "garbage", "truncated"],
)
def test_srgb_is_known_by_what_it_does(data, same):
    assert is_srgb(data) is same


def jpeg(colours, **options):
    file = io.BytesIO()
    Image.fromarray(colours).save(file, "JPEG", quality=100, subsampling="4:4:4", **options)
    return file.getvalue()


def test_a_jpeg_with_another_profile_is_encoded_anew_in_srgb(make_settings):
    colours = np.full((16, 16, 3), (90, 150, 110), np.uint8)
    data = jpeg(colours, icc_profile=rgb_profile(ADOBE))
    made = process_image(data, make_settings())
    assert made.encoded is not data
    assert read_jpeg_header(made.encoded).profile == b""
    with Image.open(io.BytesIO(made.encoded)) as image:
        assert abs(np.asarray(image).astype(int) - adobe_in_srgb(colours)).max() <= 4


def test_icc_keep_leaves_pixel_values_as_they_are(make_settings):
    data = jpeg(np.full((16, 16, 3), (90, 150, 110), np.uint8), icc_profile=rgb_profile(ADOBE))
    assert process_image(data, make_settings(icc="keep")).encoded is data


def test_a_jpeg_in_srgb_passes_through(make_settings, colours):
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = jpeg(colours, icc_profile=srgb)
    assert process_image(data, make_settings()).encoded is data


def test_a_profile_in_several_segments_is_put_together(colours):
    long = rgb_profile(ADOBE) + bytes(150_000)
    assert read_jpeg_header(jpeg(colours, icc_profile=long)).profile == long


def test_a_png_with_a_profile_and_alpha_is_converted_before_it_is_laid_on_the_background(make_settings):
    array = np.zeros((16, 32, 4), np.uint8)
    array[:, :16] = (90, 150, 110, 255)
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG", icc_profile=rgb_profile(ADOBE))
    made = process_image(file.getvalue(), make_settings(alpha_background="#c83c64", jpeg_subsampling="4:4:4"))
    with Image.open(io.BytesIO(made.encoded)) as image:
        pixels = np.asarray(image).astype(int)
    assert abs(pixels[:, :16] - adobe_in_srgb(array[:, :16, :3])).max() <= 4
    assert abs(pixels[:, 16:] - (200, 60, 100)).max() <= 3  # a background is sRGB


def test_a_profile_under_which_white_is_not_white_is_ignored(pixels, colours):
    """Its red is nothing and its green is red's place: LittleCMS makes noise of it, and viewers ignore it."""
    file = io.BytesIO()
    Image.fromarray(colours.astype(np.uint8)).save(file, "PNG", icc_profile=rgb_profile(np.diag([0.0, 0.5, 0.0])))
    assert (pixels(file.getvalue()) == colours).all()
    assert is_srgb(rgb_profile(np.diag([0.0, 0.5, 0.0])))
    assert not is_srgb(rgb_profile(SRGB[:, [1, 2, 0]]))  # colours that change places, as in browsers' tests
