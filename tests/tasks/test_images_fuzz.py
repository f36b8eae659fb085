"""The promise for damaged input: what is accepted decodes, in TensorFlow and in Pillow, to the size that is recorded."""

import io
import struct

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from imagecodecs import jpeg2k_encode
from PIL import Image

from imagerecords.schemas.receipt import Reason, Rejected
from imagerecords.tasks.images.process import process_image

STARTS = [
    b"",
    b"\xff\xd8",
    b"\xff\xd8\xff\xe0",
    b"\x89PNG\r\n\x1a\n",
    b"GIF89a",
    b"BM",
    b"II*\x00",
    b"MM\x00*",
    b"RIFF\x00\x00\x00\x00WEBP",
    b"\x00\x00\x00\x18ftypheic",
    b"\x00\x00\x00\x18ftypavif",
    b"P6 ",
    b"8BPS",
    b"\x00\x00\x01\x00",
]


@pytest.fixture(scope="session")
def keeps_promise(tf, make_settings):
    """`keeps_promise(data, check_pixels)` processes a file and holds the outcome against the promise."""

    def keeps_promise(data, check_pixels="all"):
        try:
            outcome = process_image(data, make_settings(check_pixels=check_pixels))
        except Rejected as rejected:
            outcome = rejected
        if isinstance(outcome, Rejected):
            assert isinstance(outcome.reason, Reason)
            assert outcome.message
        else:
            holds(data, outcome, check_pixels)

    def holds(data, jpeg, check_pixels):
        assert jpeg.encoded.startswith(b"\xff\xd8")
        assert min(jpeg.height, jpeg.width) > 0
        if check_pixels == "all" or jpeg.encoded is not data:
            assert tf.io.decode_jpeg(jpeg.encoded, channels=3).shape == (jpeg.height, jpeg.width, 3)
            with Image.open(io.BytesIO(jpeg.encoded)) as image:
                image.load()
                assert (image.mode, image.size) == ("RGB", (jpeg.width, jpeg.height))

    return keeps_promise


def test_random_bytes_are_rejected_or_kept_to_the_promise(keeps_promise):
    @given(st.sampled_from(STARTS), st.binary(max_size=300), st.sampled_from(["all", "none"]))
    @hypothesis_settings(max_examples=300)
    def check(start, data, check_pixels):
        keeps_promise(start + data, check_pixels)

    check()


FORMATS = {
    "JPEG": ("JPEG", "RGB", {"comment": b"hello"}),
    "JPEG with restarts": ("JPEG", "RGB", {"restart_marker_blocks": 1}),
    "progressive JPEG": ("JPEG", "RGB", {"progressive": True}),
    "JPEG of 4:2:2 with EXIF": (
        "JPEG",
        "RGB",
        {"subsampling": "4:2:2", "exif": b"Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0"},
    ),
    "grey JPEG": ("JPEG", "L", {}),
    "CMYK JPEG": ("JPEG", "CMYK", {}),
    "MPO": ("MPO", "RGB", {"save_all": True}),
    "PNG": ("PNG", "RGBA", {}),
    "palette PNG": ("PNG", "P", {"transparency": 0}),
    "GIF": ("GIF", "P", {}),
    "BMP": ("BMP", "RGB", {}),
    "TIFF": ("TIFF", "RGB", {}),
    "LZW TIFF": ("TIFF", "L", {"compression": "tiff_lzw"}),
    "WebP": ("WEBP", "RGB", {}),
    "AVIF": ("AVIF", "RGB", {}),
    "JPEG 2000": ("JPEG2000", "RGB", {}),
    "PPM": ("PPM", "RGB", {}),
    "TGA": ("TGA", "RGB", {"compression": "tga_rle"}),
    "ICO": ("ICO", "RGBA", {"sizes": [(16, 16)]}),
    "QOI": ("QOI", "RGB", {}),
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_damaged_file_is_rejected_or_kept_to_the_promise(keeps_promise, picture, name):
    """Flipped bits and overwritten bytes, mostly in the first 700 bytes, where the headers are; then cut somewhere."""
    kind, mode, options = FORMATS[name]
    original = picture(8, kind, mode, size=(24, 20), **options)
    places = st.integers(0, len(original) - 1) | st.integers(0, min(len(original), 700) - 1)
    flips = st.builds(lambda place, bit: (place, original[place] ^ 1 << bit), places, st.integers(0, 7))
    changes = st.lists(flips | st.tuples(places, st.sampled_from([0, 255]) | st.integers(0, 255)), min_size=1, max_size=4)

    @given(changes, st.integers(0, len(original)), st.sampled_from(["all", "none"]))
    @hypothesis_settings(max_examples=100)
    def check(changes, length, check_pixels):
        data = bytearray(original)
        for place, value in changes:
            data[place] = value
        keeps_promise(bytes(data), check_pixels)
        keeps_promise(bytes(data[:length]), check_pixels)
        keeps_promise(original[:length], check_pixels)

    check()


def _further():
    """Files of the kinds that other readers than Pillow's plugins take."""
    y, x = np.mgrid[0:20, 0:24]
    rgb = np.stack([x * 10, y * 12, x + y], axis=-1).astype(np.uint8)
    deep = rgb.astype(np.uint16) * 257
    yield "TIFF in planes", _tiff(np.moveaxis(deep, -1, 0), photometric="rgb", planarconfig="separate")
    yield "TIFF in tiles", _tiff(deep[..., 0], photometric="miniswhite", tile=(16, 16), compression="deflate", predictor=True)
    yield "TIFF of a fax", _tiff(rgb[..., 0] > 90, photometric="miniswhite", compression="packbits")
    yield "JPEG 2000 of 16 bits", jpeg2k_encode(deep, level=0, codecformat="jp2")
    psd_head = b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, 20, 24, 8, 3) + bytes(12)
    yield "PSD", psd_head + b"\0\0" + rgb.transpose(2, 0, 1).tobytes()
    packed = b"\x17" + bytes(24)
    yield "packed PSD", psd_head + b"\0\1" + struct.pack(">60H", *[25] * 60) + packed * 60
    masks = struct.pack("<IiiHHIIiiIIIII", 56, 24, 20, 1, 16, 3, 960, 0, 0, 0, 0, 0xF00, 0xF0, 0xF) + struct.pack("<I", 0xF000)
    yield "BMP with masks", b"BM" + struct.pack("<IHHI", 1030, 0, 0, 70) + masks + bytes(range(240)) * 4
    dib = struct.pack("<IiiHHIIiiII", 40, 16, 32, 1, 24, 0, 0, 0, 0, 0, 0) + bytes(768 + 64)
    yield "cursor", struct.pack("<HHHBBBBHHII", 0, 2, 1, 16, 16, 0, 0, 3, 3, len(dib), 22) + dib
    yield "XPM", b'/* XPM */\nstatic char *t[] = {\n"3 1 2 1",\n"a c #abc",\n"b c red",\n"aba"\n};\n'
    yield "XBM", b"#define t_width 16\n#define t_height 1\nstatic char t_bits[] = {\n0x01, 0x80 };\n"


def _tiff(samples, **options):
    file = io.BytesIO()
    tifffile.imwrite(file, samples, metadata=None, **options)
    return file.getvalue()


@pytest.mark.parametrize(("name", "original"), list(_further()), ids=lambda value: value if isinstance(value, str) else "")
def test_a_damaged_file_of_further_kinds_is_rejected_or_kept_to_the_promise(keeps_promise, name, original):
    keeps_promise(original)
    places = st.integers(0, len(original) - 1) | st.integers(0, min(len(original), 300) - 1)
    changes = st.lists(st.tuples(places, st.sampled_from([0, 255]) | st.integers(0, 255)), min_size=1, max_size=4)

    @given(changes, st.integers(0, len(original)))
    @hypothesis_settings(max_examples=60)
    def check(changes, length):
        data = bytearray(original)
        for place, value in changes:
            data[place] = value
        keeps_promise(bytes(data))
        keeps_promise(bytes(data[:length]))

    check()


def test_a_jpeg_with_damaged_segments_is_rejected_or_kept_to_the_promise(keeps_promise, picture):
    """Segments cut short, doubled, and named for others, each with a length that is right: libraries read them unlike."""
    data = picture(9, size=(24, 20), exif=b"Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\1\0\0", icc_profile=b"no profile")
    extra = [
        (0xED, b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0\0\0\0\x02ab"),
        (0xEE, b"Adobe\0\x64\0\0\0\0\x01"),
        (0xE2, b"MPF\0II*\0"),
    ]
    segments, position = list(extra), 2
    while data[position + 1] != 0xDA:
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        segments.append((data[position + 1], data[position + 4 : position + 2 + length]))
        position += 2 + length
    markers = st.sampled_from([0xE0, 0xE1, 0xE2, 0xED, 0xEE, 0xDB, 0xC4, 0xDD, 0xFE, 0xF0])
    changes = st.tuples(st.integers(0, len(segments) - 1), st.none() | markers, st.integers(0, 90), st.booleans())

    @given(st.lists(changes, min_size=1, max_size=3))
    @hypothesis_settings(max_examples=400)
    def check(changes):
        changed = list(segments)
        for place, marker, length, doubled in changes:
            old, body = changed[place]
            changed[place] = (old if marker is None else marker, body[:length])
            if doubled:
                changed.append((old, body))
        joined = b"".join(b"\xff%c" % marker + (len(body) + 2).to_bytes(2, "big") + body for marker, body in changed)
        keeps_promise(data[:2] + joined + data[position:])

    check()
