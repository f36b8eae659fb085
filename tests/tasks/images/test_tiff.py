"""TIFFs of many kinds, pixel by pixel against what the samples mean; written here tag by tag, or by tifffile."""

import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from imagerecords.schemas.receipt import Reason, Rejected
from imagerecords.tasks.images.decode import decode_image
from imagerecords.tasks.images.process import process_image

HEIGHT, WIDTH = 24, 40
Y, X = np.mgrid[0:HEIGHT, 0:WIDTH]
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/>'
SHORT, LONG = 3, 4


@pytest.fixture
def rejected(make_settings):
    """`rejected(data)` gives the reason and message of a rejected image."""

    def rejected(data):
        with pytest.raises(Rejected) as caught:
            process_image(data, make_settings())
        return caught.value

    return rejected


def across(most):
    return np.round(X * most / (WIDTH - 1)).astype(np.int64)


def down(most):
    return np.round(Y * most / (HEIGHT - 1)).astype(np.int64)


def scaled(levels, most):
    return np.floor(levels * 255 / most + 0.5)


def grey(levels):
    return np.stack([levels] * 3, axis=-1)


def written(samples, **options):
    file = io.BytesIO()
    tifffile.imwrite(file, samples, metadata=None, **options)
    return file.getvalue()


def tiff(pixels, order="<", **tags):
    """A TIFF of one strip from raw bytes and tags such as t262=(SHORT, [0])."""
    sizes, kinds = {1: 1, SHORT: 2, LONG: 4, 7: 1}, {1: "B", SHORT: "H", LONG: "I", 7: "B"}
    first = {256: (SHORT, [WIDTH]), 257: (SHORT, [HEIGHT]), 259: (SHORT, [1]), 277: (SHORT, [1]), 278: (SHORT, [HEIGHT])}
    entries = first | {273: (LONG, [8]), 279: (LONG, [len(pixels)])} | {int(name[1:]): value for name, value in tags.items()}
    directory = 8 + len(pixels) + len(pixels) % 2
    behind = directory + 2 + 12 * len(entries) + 4
    body = extra = b""
    for tag, (kind, values) in sorted(entries.items()):
        value = struct.pack(order + f"{len(values)}{kinds[kind]}", *values)
        if len(values) * sizes[kind] > 4:
            value, extra = struct.pack(order + "I", behind + len(extra)), extra + value + bytes(len(value) % 2)
        body += struct.pack(order + "HHI", tag, kind, len(values)) + value.ljust(4, b"\0")
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", directory)
    return head + pixels + bytes(len(pixels) % 2) + struct.pack(order + "H", len(entries)) + body + bytes(4) + extra


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("compression", [None, "deflate", "lzw"])
@pytest.mark.parametrize("bits", [8, 16])
def test_white_is_zero_in_any_depth_and_byte_order(pixels, order, compression, bits):
    most = (1 << bits) - 1
    samples = (most - across(most)).astype(f"u{bits // 8}")
    data = written(samples, photometric="miniswhite", byteorder=order, compression=compression)
    assert (pixels(data) == grey(scaled(across(most), most))).all()


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("tile", [None, (16, 16)])
@pytest.mark.parametrize("compression", [None, "deflate"])
def test_colours_of_16_bits_in_planes(pixels, order, tile, compression):
    levels = np.stack([across(65535), down(65535), np.full_like(X, 20_000)])
    planes = {"planarconfig": "separate", "byteorder": order, "tile": tile, "compression": compression}
    got = pixels(written(levels.astype(np.uint16), photometric="rgb", **planes))
    assert abs(got - levels.transpose(1, 2, 0) / 257).max() <= 1
    inks = np.stack([*levels, np.full_like(X, 9_000)])
    left = (1 - inks[:3] / 65535) * (1 - inks[3] / 65535) * 255
    got = pixels(written(inks.astype(np.uint16), photometric="separated", **planes))
    assert abs(got - left.transpose(1, 2, 0)).max() <= 2


@pytest.mark.parametrize("planes", ["contig", "separate"])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("kind", ["unassalpha", "assocalpha", "unspecified"])
@pytest.mark.parametrize("photometric", ["minisblack", "rgb", "separated"])
def test_an_extra_sample_is_opacity_where_its_tag_says_so(pixels, planes, bits, kind, photometric):
    most = (1 << bits) - 1
    opacity = down(most)
    count = {"minisblack": 1, "rgb": 3, "separated": 4}[photometric]
    colours = [across(most), down(most), np.full_like(X, most // 3), np.full_like(X, most // 5)][:count]
    if photometric == "separated" and kind == "assocalpha":
        pytest.skip("no program writes multiplied inks")
    stored = [np.round(colour * opacity / most) for colour in colours] if kind == "assocalpha" else colours
    samples = np.stack([*stored, opacity], axis=0 if planes == "separate" else -1).astype(f"u{bits // 8}")
    data = written(samples, photometric=photometric, planarconfig=planes, extrasamples=[kind])
    shown = np.stack(colours, axis=-1) / most * 255
    if photometric == "separated":
        shown = (255 - shown[..., :3]) * (255 - shown[..., 3:]) / 255
    share = 1 if kind == "unspecified" else opacity[..., None] / most
    got = pixels(data, alpha_background="#0a64c8")
    assert abs(got - (shown * share + np.array([10, 100, 200]) * (1 - share))).max() <= 3


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("times", [1, 256, 257])
def test_a_colour_map_may_be_of_8_bits(pixels, bits, times):
    """libtiff's rule: a map whose values are all below 256 is of 8 bits."""
    colours = np.random.default_rng(bits).integers(0, 256, (3, 1 << bits))
    places = across((1 << bits) - 1)
    packed = places if bits == 8 else np.packbits((places[..., None] >> np.arange(bits)[::-1]).reshape(HEIGHT, -1) & 1, axis=-1)
    data = tiff(
        packed.astype(np.uint8).tobytes(),
        t258=(SHORT, [bits]),
        t262=(SHORT, [3]),
        t320=(SHORT, (colours * times).ravel().tolist()),
    )
    assert (pixels(data) == colours.T[places]).all()


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("bits", [1, 2, 4, 6, 10, 12, 14])
@pytest.mark.parametrize("photometric", [0, 1])
def test_grey_of_any_depth_reaches_white(pixels, order, bits, photometric):
    most = (1 << bits) - 1
    levels = across(most)
    stored = levels if photometric else most - levels
    packed = np.packbits((stored[..., None] >> np.arange(bits)[::-1]).reshape(HEIGHT, -1) & 1, axis=-1).tobytes()
    data = tiff(packed, order, t258=(SHORT, [bits]), t262=(SHORT, [photometric]))
    assert (pixels(data) == grey(scaled(levels, most))).all()


@pytest.mark.parametrize(
    ("samples", "word"),
    [
        (across(100).astype(np.int8), "signed"),
        (across(100).astype(np.int16), "signed"),
        (across(100).astype(np.uint32), "32 bits"),
        (np.stack([across(100)] * 3, axis=-1).astype(np.uint32), "32 bits"),
        (across(1).astype(np.float16), "floating point"),
        (np.stack([across(1)] * 3, axis=-1).astype(np.float32), "floating point"),
        (across(1).astype(np.float64), "floating point"),
        (across(1).astype(np.complex64), "complex"),
        (np.stack([across(100)] * 13, axis=-1).astype(np.uint16), "13 bands"),
        (np.stack([across(100)] * 5, axis=-1).astype(np.uint8), "5 bands"),
    ],
)
@pytest.mark.parametrize("order", ["<", ">"])
def test_what_has_no_agreed_range_or_colours_is_unsupported_and_says_why(rejected, samples, word, order):
    contiguous = {"planarconfig": "contig"} if samples.ndim == 3 else {}
    colours = "rgb" if samples.ndim == 3 and samples.shape[2] == 3 else "minisblack"
    error = rejected(written(samples, photometric=colours, byteorder=order, **contiguous))
    assert error.reason is Reason.UNSUPPORTED
    assert word in error.message or "no agreed range" in error.message


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("kind", ["cielab", "icclab"])
def test_cielab(pixels, bits, kind):
    """Of a neutral picture; the two kinds store a and b unlike."""
    most = 255 if bits == 8 else 65535 if kind == "cielab" else 0xFF00
    lightness = across(most)
    zero = np.full_like(X, 0 if kind == "cielab" else 1 << (bits - 1))
    data = written(np.stack([lightness, zero, zero], axis=-1).astype(f"u{bits // 8}"), photometric=kind)
    share = lightness / most * 100
    light = np.where(share > 8, ((share + 16) / 116) ** 3, share * 27 / 24389)
    expected = np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055) * 255
    assert abs(pixels(data) - grey(expected)).max() <= 2


def test_cielab_of_16_bits_has_its_colours(pixels):
    """CIELAB of sRGB's red under D50 (Lindbloom): 54.29, 80.81, 69.89."""
    value = [round(54.29 / 100 * 65535), round(80.81 * 256), round(69.89 * 256)]
    data = written(np.full((HEIGHT, WIDTH, 3), value, np.uint16), photometric="cielab")
    assert abs(pixels(data) - [255, 0, 0]).max() <= 2


@pytest.mark.parametrize("compression", ["zstd", "lzma", "webp", "jpegxl", "jpeg2000", "png", "packbits"])
def test_codecs_that_pillow_lacks_are_read(pixels, compression):
    levels = np.stack([across(255), down(255), np.full_like(X, 90)], axis=-1).astype(np.uint8)
    lossless = {"compressionargs": {"level": 101}} if compression == "webp" else {}
    got = pixels(written(levels, photometric="rgb", compression=compression, **lossless))
    assert abs(got - levels).max() <= (12 if compression == "webp" else 0)


def test_a_big_tiff_is_read(pixels):
    levels = np.stack([across(65535), down(65535), np.full_like(X, 9_000)], axis=-1)
    for order in "<>":
        data = written(levels.astype(np.uint16), photometric="rgb", bigtiff=True, byteorder=order)
        assert abs(pixels(data) - levels / 257).max() <= 1


def pages(first, second, first_kind, second_kind=0, sub=False):
    """A TIFF of two pages with NewSubfileType, the second after the first or below it."""
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        writer.write(
            first,
            subfiletype=first_kind,
            metadata=None,
            subifds=1 if sub else 0,
            photometric="mask" if first_kind == 4 else "rgb",
        )
        writer.write(second, subfiletype=second_kind, metadata=None, photometric="rgb")
    return file.getvalue()


COLOURS = np.stack([across(255), down(255), np.full_like(X, 90)], axis=-1).astype(np.uint8)
SMALL = np.zeros((6, 10, 3), np.uint8)


@pytest.mark.parametrize("sub", [False, True])
def test_a_reduced_first_page_is_not_the_picture(pixels, sub):
    assert (pixels(pages(SMALL, COLOURS, 1, sub=sub)) == COLOURS).all()
    assert (pixels(pages(np.zeros((6, 10), bool), COLOURS, 4, sub=sub)) == COLOURS).all()  # a mask


@pytest.mark.parametrize("sub", [False, True])
def test_a_full_first_page_is_the_picture_whatever_follows(pixels, sub):
    assert (pixels(pages(COLOURS, SMALL, 0, 1, sub=sub)) == COLOURS).all()
    assert (pixels(pages(SMALL, COLOURS, 2, 2, sub=sub)) == SMALL).all()  # pages of a document


def test_a_lone_page_called_reduced_is_the_picture(pixels):
    assert (pixels(written(COLOURS, photometric="rgb", subfiletype=1)) == COLOURS).all()


@pytest.mark.parametrize("tags", [[(50706, 1, 4, (1, 4, 0, 0), True)], [(271, 2, 6, "NIKON", True)]], ids=["DNG", "NEF"])
def test_a_raw_files_thumbnail_is_not_the_picture(rejected, tags):
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        writer.write(SMALL, subfiletype=1, metadata=None, subifds=2, photometric="rgb", extratags=tags)
        writer.write(COLOURS, subfiletype=1, metadata=None, photometric="rgb")  # a preview of the full size
        writer.write(across(4095).astype(np.uint16), metadata=None, photometric=32803)
    error = rejected(file.getvalue())
    assert error.reason is Reason.UNSUPPORTED
    assert "raw file" in error.message


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"II*\0\x10\0\0\0CR\2\0", "CR2"),
        (b"MM\0*\0\0\0\x10MMMM", "IIQ"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "CR3"),
        (b"IIRO\x08\0\0\0", "ORF"),
        (b"IIU\0\x18\0\0\0", "RW2"),
        (b"FUJIFILMCCD-RAW 0201", "RAF"),
        (b"II\x1a\0\0\0HEAPCCDR", "CRW"),
        (b"FOVb\0\0\2\0", "X3F"),
        (b"\0MRM\0\0\0\0", "MRW"),
    ],
)
def test_raw_files_are_named_by_their_start(rejected, start, kind):
    error = rejected(start + bytes(200))
    assert error.reason is Reason.UNSUPPORTED
    assert f"raw file ({kind})" in error.message


def test_the_orientation_is_exifs_and_not_xmps(pixels, make_settings):
    """As of JPEG, PNG and WebP with the same XMP; Pillow turns the TIFF by it."""
    plain = Image.fromarray(COLOURS)
    for tags, orientation in (({700: XMP}, 1), ({700: XMP, 274: 3}, 3)):
        for compression in ("raw", "tiff_lzw"):
            file = io.BytesIO()
            plain.save(file, "TIFF", tiffinfo=tags, compression=compression)
            assert decode_image(file.getvalue(), make_settings()).orientation == orientation
            assert (pixels(file.getvalue()) == (COLOURS if orientation == 1 else COLOURS[::-1, ::-1])).all()


def test_the_orientation_counts_where_tifffile_reads_too(pixels, make_settings):
    data = written(across(65535).astype(np.uint16), photometric="miniswhite", extratags=[(274, SHORT, 1, 6, True)])
    stored = grey(scaled(65535 - across(65535), 65535))
    assert decode_image(data, make_settings()).orientation == 6
    assert (pixels(data) == stored[::-1].swapaxes(0, 1)).all()
    assert (pixels(data, exif="keep") == stored).all()


def test_a_cut_or_holed_tiff_is_rejected(rejected):
    data = written(np.stack([across(65535)] * 3).astype(np.uint16), photometric="rgb", planarconfig="separate")
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        (offset, *_), last = file.pages[0].dataoffsets, file.pages[0].dataoffsets[-1]
    assert offset < last
    at = data.index(struct.pack("<3I", *tifffile.TiffFile(io.BytesIO(data)).pages[0].dataoffsets))
    assert rejected(data[:at] + bytes(4) + data[at + 4 :]).reason is Reason.CORRUPT
    assert rejected(data[: last + 100]).reason in (Reason.TRUNCATED, Reason.CORRUPT)


def test_libtiffs_words_reach_the_message_and_not_standard_error(rejected, capfd):
    deflated = zlib.compress(COLOURS.tobytes())
    broken = deflated[:40] + b"\xff\xff\xff\xff" + deflated[44:]
    colours = {"t258": (SHORT, [8, 8, 8]), "t262": (SHORT, [2]), "t277": (SHORT, [3])}
    error = rejected(tiff(broken, t259=(SHORT, [8]), **colours))
    assert error.reason is Reason.CORRUPT
    assert "ZIPDecode" in error.message
    assert capfd.readouterr().err == ""


def test_a_fax_whose_lines_libtiff_fills_is_corrupt(rejected):
    file = io.BytesIO()
    noise = np.random.default_rng(3).random((60, 80)) < 0.5
    Image.fromarray(noise).save(file, "TIFF", compression="group4")
    data = bytearray(file.getvalue())
    with tifffile.TiffFile(io.BytesIO(data)) as page:
        place = page.pages[0].dataoffsets[0]
    data[place + 50] ^= 0xFF
    data[place + 60] ^= 0xFF
    error = rejected(bytes(data))
    assert error.reason is Reason.CORRUPT
    assert "Fax4Decode" in error.message


def test_a_codec_that_is_missing_is_unsupported(rejected):
    error = rejected(tiff(bytes(900), t258=(SHORT, [8]), t262=(SHORT, [1]), t259=(SHORT, [32900])))
    assert error.reason is Reason.UNSUPPORTED
    assert "32900" in error.message


def test_what_no_tag_names_is_not_guessed(rejected):
    """libtiff takes 1 sample for black as zero, Pillow for white as zero."""
    error = rejected(tiff(across(255).astype(np.uint8).tobytes(), t258=(SHORT, [8])))
    assert error.reason is Reason.UNSUPPORTED
    assert "PhotometricInterpretation" in error.message


@pytest.mark.parametrize("tags", [{}, {"t530": (SHORT, [2, 1])}], ids=["by default", "by its tag"])
def test_colours_of_fewer_samples_without_a_compression_are_unsupported(rejected, tags):
    """Pillow takes the samples for as many of each, and what follows them for pixels."""
    fewer = bytes(2 * HEIGHT * WIDTH)
    data = tiff(fewer + bytes(4 * HEIGHT * WIDTH), t258=(SHORT, [8, 8, 8]), t262=(SHORT, [6]), t277=(SHORT, [3]), **tags)
    error = rejected(data)
    assert error.reason is Reason.UNSUPPORTED
    assert "YCbCr" in error.message


def test_unlike_samples_are_unsupported(rejected):
    data = tiff(bytes(2 * HEIGHT * WIDTH), t258=(SHORT, [5, 6, 5]), t262=(SHORT, [2]), t277=(SHORT, [3]))
    assert rejected(data).reason is Reason.UNSUPPORTED


@pytest.mark.parametrize("data", [b"II*\0", b"MM\0*\0\0\0\x08", b"II*\0\x08\0\0\0\0\0\0\0\0\0", b"II+\0\x08\0\0\0" + bytes(8)])
def test_the_start_of_a_tiff_is_no_other_thing(rejected, data):
    assert rejected(data).reason in (Reason.CORRUPT, Reason.TRUNCATED)
