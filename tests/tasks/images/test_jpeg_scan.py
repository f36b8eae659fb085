"""The extension accepts only what libjpeg reads without a warning, with the same pixels, and rotates it to the same bytes.

It is built here from its source.

The sample is seeded; `python -m tests.tasks.images.test_jpeg_scan 1000000` (`make fuzz-jpeg`) takes a larger one.
"""

import importlib.util
import io
import random
import struct
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import simplejpeg
import turbojpeg
from PIL import Image

from hatch_build import NAME, build_extension
from imagerecords.schemas.receipt import Rejected
from imagerecords.tasks.images import jpeg_scan
from imagerecords.tasks.images.jpeg import read_jpeg_header
from imagerecords.tasks.images.jpeg_parts import tidy
from imagerecords.tasks.images.jpeg_rotate import OPERATIONS
from imagerecords.tasks.images.process import process_image

ROOT = Path(__file__).parents[3]
MUTATIONS = 5_000
ODD_BYTES = b"\x00\x01\x02\x03\x07\x08\x10\x11\x12\x21\x22\x3f\x40\x41\x7f\x80\xc0\xc4\xd0\xd7\xd9\xda\xdd\xfe\xff"


def load(folder):
    """The extension, built in a folder; None where there is no compiler."""
    built = build_extension(ROOT / "tasks/images", Path(folder))
    if built is None:
        return None
    spec = importlib.util.spec_from_file_location(NAME, built)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def extension(tmp_path_factory):
    return load(tmp_path_factory.mktemp("extension")) or pytest.skip("no C compiler")


def picture(width, height, noise=12, mode="RGB"):
    """A picture with detail in every block."""
    x, y = np.meshgrid(np.arange(width) / 20, np.arange(height) / 20)
    smooth = np.stack([np.sin(x * 2 + y), np.cos(x - y * 2), np.sin(x * y / 2)], axis=-1) * 110 + 128
    noisy = smooth + np.random.default_rng(width * height).normal(0, noise, smooth.shape)
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).convert(mode)


def jpeg(image, **options):
    file = io.BytesIO()
    image.save(file, "JPEG", **options)
    return file.getvalue()


def edit(data, old, new):
    assert data.count(old) == 1
    return data.replace(old, new)


def longest(count):
    """A grey JPEG of one block, each code of which is sixteen zeros and has as many bits behind it as there may be."""
    tables = b"\xff\xdb\0\x43\0" + b"\1" * 64
    for name, symbol in ((0, 11), (16, 10)):
        tables += b"\xff\xc4\0\x14" + bytes([name]) + b"\0" * 15 + b"\1" + bytes([symbol])
    frame = b"\xff\xc0\0\x0b\x08\0\x08\0\x08\1\1\x11\0"
    return b"\xff\xd8" + tables + frame + b"\xff\xda\0\x08\1\1\0\0\x3f\0" + bytes(count) + b"\xff\xd9"


PHOTO = picture(57, 41)
BLACK_AND_WHITE = Image.fromarray(np.repeat(np.indices((5, 7)).sum(0) % 2 * 255, 8, 0).repeat(8, 1).astype(np.uint8)).convert(
    "RGB"
)
PLAIN = jpeg(PHOTO)
SCAN = PLAIN.rindex(b"\xff\xda") + 14
EXIF = Image.Exif()
EXIF[0x0112] = 6
CLEAN = {
    "4:2:0": PLAIN,
    "4:2:2": jpeg(PHOTO, subsampling="4:2:2"),
    "4:4:4": jpeg(PHOTO, subsampling="4:4:4"),
    "4:4:0": simplejpeg.encode_jpeg(np.asarray(PHOTO), colorsubsampling="440"),
    "grey": jpeg(PHOTO.convert("L")),
    "quality 1": jpeg(PHOTO, quality=1),
    "quality 100": jpeg(PHOTO, quality=100, subsampling=0),
    "noise, quality 100": jpeg(picture(40, 40, 200), quality=100),
    "own Huffman tables": jpeg(PHOTO, optimize=True),
    "own Huffman tables, quality 99": jpeg(picture(90, 64, 60), optimize=True, quality=99),
    "restarts per block": jpeg(PHOTO, restart_marker_blocks=1),
    "restarts per three blocks": jpeg(PHOTO, restart_marker_blocks=3),
    "restarts per row": jpeg(PHOTO, restart_marker_rows=1, subsampling=0),
    "one row": jpeg(picture(300, 1)),
    "one column": jpeg(picture(1, 300)),
    "whole MCUs": jpeg(picture(64, 32)),
    "whole MCUs, 4:2:2": jpeg(picture(48, 40), subsampling="4:2:2"),
    "whole MCUs, 4:4:4, restarts": jpeg(picture(40, 56), subsampling="4:4:4", restart_marker_blocks=4),
    "one colour": jpeg(Image.new("RGB", (57, 41), "navy")),
    "black and white": jpeg(BLACK_AND_WHITE, quality=100),
    "longest codes": longest(209),
    "EXIF and comment": jpeg(PHOTO, exif=EXIF, comment=b"x"),
    "bytes behind the end": PLAIN + b"\xff\xd8more",
}
DECLINED = {
    "progressive": jpeg(PHOTO, progressive=True),
    "CMYK": jpeg(PHOTO.convert("CMYK")),
    "RGB": jpeg(PHOTO, keep_rgb=True),
    "4:1:1": simplejpeg.encode_jpeg(np.asarray(PHOTO), colorsubsampling="411"),
    "extended": edit(PLAIN, b"\xff\xc0\0\x11", b"\xff\xc1\0\x11"),
    "other names": edit(PLAIN, b"\x03\1\x22\0\2\x11\1\3\x11\1", b"\x03\x52\x22\0\x47\x11\1\x42\x11\1"),
    "JFIF 2": edit(PLAIN, b"JFIF\0\1", b"JFIF\0\2"),
    "spectrum": edit(PLAIN, b"\0\x3f\0", b"\0\x3e\0"),
    "stray byte": PLAIN[:20] + b"x" + PLAIN[20:],
    "a byte too many": PLAIN[:-2] + b"\0" + PLAIN[-2:],
    "a byte too few": PLAIN[:-3] + PLAIN[-2:],
    "longest codes, too few": longest(1),
    "no end": PLAIN[:-2],
    "a restart where none is": PLAIN[:-2] + b"\xff\xd0" + PLAIN[-2:],
    "an end and a second one": PLAIN[: SCAN + 40] + b"\xff\xd9" + PLAIN[SCAN + 40 :],
    "restarts in another order": jpeg(PHOTO, restart_marker_blocks=3).replace(b"\xff\xd1", b"\xff\xd2"),
    "a code that is none": PLAIN[:SCAN] + b"\xff\0" * 40 + PLAIN[-2:],
    "65,500 pixels a side, and no data": edit(PLAIN, struct.pack(">HH", 41, 57), struct.pack(">HH", 65500, 65500)),
    "no pixels": edit(PLAIN, struct.pack(">HH", 41, 57), struct.pack(">HH", 0, 57)),
    "four pixels a side": jpeg(picture(4, 4)),
    "two bytes": b"\xff\xd8",
    "nothing": b"",
}


def by_libjpeg(data):
    """What libjpeg reads without a warning, at 1/8 scale; None where it warns."""
    try:
        return simplejpeg.decode_jpeg(data, "GRAY", strict=True, min_height=1, min_width=1)[..., 0].tobytes()
    except ValueError:
        return None


def rotated_by_libjpeg(data, orientation):
    """What libjpeg-turbo makes of a JPEG, without metadata; None where a side that is mirrored ends within an MCU."""
    operation = getattr(turbojpeg.OP, OPERATIONS[orientation])
    try:
        return turbojpeg.transform(tidy(data, read_jpeg_header(data)), operation, perfect=True, copynone=True, optimize=True)
    except RuntimeError:
        return None


@pytest.mark.parametrize("name", CLEAN)
def test_a_clean_jpeg_is_accepted_with_the_pixels_of_libjpeg(name, extension):
    pixels = by_libjpeg(CLEAN[name])
    assert pixels is not None
    assert extension.grey(CLEAN[name]) == pixels


@pytest.mark.parametrize("name", DECLINED)
def test_what_is_unusual_or_damaged_is_left_to_libjpeg(name, extension):
    assert extension.grey(DECLINED[name]) is None


def test_every_small_size_has_the_pixels_of_libjpeg(extension):
    sizes = [(width, height) for width in range(1, 18) for height in range(1, 18)]
    jpegs = [jpeg(picture(*size), subsampling=subsampling) for size in sizes for subsampling in (0, 2)]
    accepted = [(pixels, by_libjpeg(data)) for data in jpegs if (pixels := extension.grey(data)) is not None]
    assert len(accepted) == len(jpegs) - 2 * 4 * 4
    assert [pair for pair in accepted if pair[0] != pair[1]] == []


def test_each_beginning_of_a_jpeg_is_declined(extension):
    assert [size for size in range(len(PLAIN)) if extension.grey(PLAIN[:size]) is not None] == []


def test_threads_that_read_jpegs_of_different_tables_do_not_disturb_one_another(extension):
    jpegs = list(CLEAN.values()) * 20
    expected = [extension.grey(data) for data in jpegs]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(extension.grey, jpegs)) == expected


ROTATED = {name: data for name, data in CLEAN.items() if name not in {"grey", "longest codes"}}
DENSE = {"quality 100", "noise, quality 100", "own Huffman tables, quality 99"}  # few coefficients are 0


@pytest.mark.parametrize("orientation", OPERATIONS)
def test_a_rotated_jpeg_is_that_of_libjpeg(orientation, extension):
    made = {name: extension.rotate(data, orientation) for name, data in ROTATED.items()}
    expected = {name: rotated_by_libjpeg(data, orientation) for name, data in ROTATED.items()}
    assert [name for name in made if made[name] is not None and made[name][1] != extension.grey(ROTATED[name])] == []
    assert [name for name in made if made[name] is not None and made[name][0] != expected[name]] == []
    assert {name for name in made if made[name] is None and expected[name] is not None} <= DENSE
    assert made["whole MCUs"] is not None


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
def test_every_side_that_ends_within_an_mcu_is_that_of_libjpeg_or_left_to_it(subsampling, extension):
    sizes = [(width, height) for width in range(33, 50) for height in (16, 17, 24, 32)]
    jpegs = [jpeg(picture(*size), subsampling=subsampling) for size in sizes]
    cases = [(data, orientation) for data in jpegs for orientation in OPERATIONS]
    made = [(case, found[0] if (found := extension.rotate(*case)) else None) for case in cases]
    assert [case for case, found in made if found != rotated_by_libjpeg(*case)] == []
    assert {found is None for _, found in made} == {True, False}


@pytest.mark.parametrize("name", [*DECLINED, "grey", "longest codes"])
def test_what_is_unusual_or_damaged_is_not_rotated(name, extension):
    assert extension.rotate(DECLINED.get(name) or CLEAN.get(name, b""), 5) is None


def test_nothing_but_bytes_and_an_orientation_is_taken(extension):
    with pytest.raises(TypeError):
        extension.grey("text")
    with pytest.raises(TypeError):
        extension.rotate("text", 6)
    for orientation in (-1, 0, 1, 9):
        with pytest.raises(ValueError, match=f"orientation must be 2 to 8, got {orientation}"):
            extension.rotate(PLAIN, orientation)


def outcome(data, settings):
    try:
        return process_image(data, settings)
    except Rejected as rejected:
        return rejected.reason, rejected.message


def test_images_have_the_same_outcome_with_and_without_the_extension(extension, monkeypatch, make_settings):
    settings = make_settings()
    draw = random.Random(0)
    large = picture(300, 257)
    images = [jpeg(large, **more) for more in ({}, {"quality": 99, "subsampling": 0}, {"optimize": True}, {"exif": EXIF})]
    images += [jpeg(large.convert("L")), jpeg(large, progressive=True), images[0][:9000], images[0][:-2] + b"\0\0\xff\xd9"]
    images += [images[0][:11] + b"\2" + images[0][12:], *(damage(images, draw) for _ in range(40))]
    monkeypatch.setattr(jpeg_scan, "extension", extension)
    fast = [outcome(data, settings) for data in images]
    monkeypatch.setattr(jpeg_scan, "extension", None)
    assert fast == [outcome(data, settings) for data in images]
    assert any(isinstance(one, tuple) for one in fast)


def damage(jpegs, draw):
    """One of these JPEGs with one to three changes."""
    data = bytearray(draw.choice(jpegs))
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        scan = max(data.rfind(b"\xff\xda"), 0)
        inside = draw.random() < 0.6
        place = draw.randrange(scan, len(data)) if inside else draw.randrange(min(scan + 1, len(data)))
        kind = draw.randrange(9)
        if kind < 3:
            data[place] ^= 1 << draw.randrange(8)
        elif kind == 3:
            data[place] = draw.randrange(256)
        elif kind == 4:
            data[place] = draw.choice(ODD_BYTES)
        elif kind == 5:
            data[place:place] = draw.randbytes(draw.randint(1, 4))
        elif kind == 6:
            del data[place : place + draw.randint(1, 20)]
        elif kind == 7:
            other = draw.choice(jpegs)
            start = draw.randrange(len(other))
            data[place : place + draw.randrange(40)] = other[start : start + draw.randrange(40)]
        else:
            data[place:] = b"\xff\xd9"
        if not data:
            break
    return bytes(data)


def compare(extension, count, seed=0):
    """How many damaged JPEGs the extension accepts, and those of them that libjpeg warns of, or reads or rotates otherwise.

    Metrics are of the pixels alone, so they are the same too.
    """
    draw = random.Random(seed)
    jpegs = [*CLEAN.values(), *(DECLINED[name] for name in ("progressive", "RGB", "extended", "restarts in another order"))]
    accepted, wrong = 0, []
    for _ in range(count):
        data = damage(jpegs, draw)
        pixels = extension.grey(data)
        if pixels is None:
            continue
        accepted += 1
        header = read_jpeg_header(data)
        if header is not None and header.is_odd:
            continue  # not shown to the extension
        if header is None or by_libjpeg(data) != pixels or -(-header.height // 8) * -(-header.width // 8) != len(pixels):
            wrong.append(data)
            continue
        orientation = draw.choice(list(OPERATIONS))
        rotated = extension.rotate(data, orientation)
        if rotated is not None and rotated != (rotated_by_libjpeg(data, orientation), pixels):
            wrong.append(data)
    return accepted, wrong


def test_no_damaged_jpeg_is_accepted_that_libjpeg_warns_of_or_reads_otherwise(extension):
    accepted, wrong = compare(extension, MUTATIONS)
    assert wrong == []
    assert accepted > MUTATIONS // 50


def main(mutations):
    """Print what `compare` finds, and the first JPEGs that are wrong."""
    with tempfile.TemporaryDirectory() as folder:
        extension = load(folder)
    if extension is None:
        print("the extension can't be built: no C compiler, or no Python.h")
        return 1
    total = 0
    for start in range(0, mutations, 50_000):
        count = min(50_000, mutations - start)
        accepted, wrong = compare(extension, count, seed=start)
        total += len(wrong)
        print(f"{start + count:,} mutations: {accepted:,} of the last {count:,} accepted, {len(wrong):,} wrong", flush=True)
        for data in wrong[:5]:
            print(f"  {data.hex()}", flush=True)
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
