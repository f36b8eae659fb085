"""JPEG 2000 of all depths, with channel definitions, palettes, profiles and colours of fewer samples."""

import base64
import io
import struct

import numpy as np
import pytest
from imagecodecs import jpeg2k_encode
from PIL import Image

from imagerecords.schemas.receipt import Reason
from tests.tasks.images.reading import reason_of
from tests.tasks.images.test_colour import ADOBE, adobe_in_srgb, grey_profile, rgb_profile, srgb_of

HEIGHT, WIDTH = 24, 33
Y, X = np.mgrid[0:HEIGHT, 0:WIDTH]
LEVELS = np.stack([X * 255 / (WIDTH - 1), Y * 255 / (HEIGHT - 1), X * 0 + 90.0], axis=-1)
COLOUR, OPACITY, PREMULTIPLIED, UNSPECIFIED = 0, 1, 2, 65535


def encoded(levels, bits=8, kind="jp2"):
    samples = np.round(levels / 255 * ((1 << bits) - 1)).astype(np.uint8 if bits <= 8 else np.uint16)
    return jpeg2k_encode(samples, level=0, reversible=True, codecformat=kind, bitspersample=bits)


def box(name, body):
    return struct.pack(">I4s", 8 + len(body), name) + body


def with_boxes(data, more=b"", colours=None):
    """The file with further boxes in its header, and another colour specification."""
    start = data.index(b"jp2h") - 4
    (size,) = struct.unpack_from(">I", data, start)
    inner, position = b"", start + 8
    while position < start + size:
        length, name = struct.unpack_from(">I4s", data, position)
        if name != b"cdef" and (name != b"colr" or colours is None):
            inner += data[position : position + length]
        position += length
    return data[:start] + box(b"jp2h", inner + (box(b"colr", colours) if colours else b"") + more) + data[start + size :]


def definitions(*channels):
    return box(b"cdef", struct.pack(">H", len(channels)) + b"".join(struct.pack(">HHH", *channel) for channel in channels))


@pytest.mark.parametrize("kind", ["jp2", "j2k"])
@pytest.mark.parametrize("bits", [1, 4, 8, 10, 12, 16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_all_depths_reach_white(pixels, kind, bits, channels):
    levels = {1: LEVELS[..., 0], 2: LEVELS[..., :2], 3: LEVELS, 4: np.dstack([LEVELS, LEVELS[..., 1]])}[channels]
    if kind == "j2k" and channels == 2:
        pytest.skip("nothing names the second")
    most = (1 << bits) - 1
    stored = np.round(levels / 255 * most) / most * 255
    colours = np.stack([stored if channels == 1 else stored[..., 0]] * 3, axis=-1) if channels < 3 else stored[..., :3]
    share = stored[..., -1:] / 255 if channels in {2, 4} else 1
    expected = colours * share + np.array([10, 100, 200]) * (1 - share)
    assert abs(pixels(encoded(levels, bits, kind), alpha_background="#0a64c8") - expected).max() < 1.5


@pytest.mark.parametrize("bits", [8, 16])
def test_channel_definitions_order_the_colours(pixels, bits):
    bgr = encoded(LEVELS[..., ::-1], bits)
    data = with_boxes(bgr, definitions((0, COLOUR, 3), (1, COLOUR, 2), (2, COLOUR, 1)))
    assert abs(pixels(data) - LEVELS).max() <= 1
    assert abs(pixels(with_boxes(bgr)) - LEVELS[..., ::-1]).max() <= 1


@pytest.mark.parametrize("bits", [8, 16])
def test_a_fourth_channel_is_opacity_where_it_is_defined_as_such(pixels, bits):
    opacity = LEVELS[..., 1:2]
    share = opacity / 255
    colours = [(number, COLOUR, number + 1) for number in range(3)]
    on_white = LEVELS * share + 255 * (1 - share)
    plain = encoded(np.dstack([LEVELS, opacity]), bits)
    assert abs(pixels(with_boxes(plain, definitions(*colours, (3, OPACITY, 0)))) - on_white).max() < 1.5
    assert abs(pixels(with_boxes(plain, definitions(*colours, (3, UNSPECIFIED, 65535)))) - LEVELS).max() <= 1
    multiplied = encoded(np.dstack([LEVELS * share, opacity]), bits)
    assert abs(pixels(with_boxes(multiplied, definitions(*colours, (3, PREMULTIPLIED, 0)))) - on_white).max() <= 2


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_a_profile_is_converted_in_each_depth(pixels, bits):
    levels = np.full((HEIGHT, WIDTH, 3), (90.0, 150, 110))
    for method in (2, 3):
        data = with_boxes(encoded(levels, bits), colours=bytes([method, 0, 0]) + rgb_profile(ADOBE))
        assert abs(pixels(data) - adobe_in_srgb(levels)).max() <= 3
        assert abs(pixels(data, icc="keep") - levels).max() <= 1
    grey = with_boxes(encoded(levels[..., 0], bits), colours=b"\2\0\0" + grey_profile(1.0))
    assert abs(pixels(grey) - srgb_of(np.array(90 / 255))).max() <= 2


def test_a_palette_gives_its_colours(pixels):
    colours = np.random.default_rng(2).integers(0, 256, (16, 3))
    places = X % 16
    palette = struct.pack(">HB3B", 16, 3, 7, 7, 7) + colours.astype(np.uint8).tobytes()
    mapping = b"".join(struct.pack(">HBB", 0, 1, column) for column in range(3))
    index = jpeg2k_encode(places.astype(np.uint8), level=0, reversible=True, codecformat="jp2")
    data = with_boxes(index, box(b"pclr", palette) + box(b"cmap", mapping), colours=b"\1\0\0" + struct.pack(">I", 16))
    assert (pixels(data) == colours[places]).all()


# 33 × 24 pixels in YCbCr, by opj_compress 2.5.0, lossless: red grows from left to right, green downwards, blue is 90.
SUBSAMPLED = {
    "4:2:2": (
        r"0000CYEU2`4GM<}0000KW^{RQYH%_j00000YH%_j0000jYH%`W0000MX=r3}0000O0000X00RdH0000001sntY;pkr000005&!@Ka%ylgWB*V8"
        r"Q2;Lh00000ApigX7ytkO0000000000ApigX7ytkO000000009A0RaaB0S5vB|55-90000100IOA00IA8017}rNJvmfNKpS|03`qcLvm$dbY)~9"
        r"VtF7>aAj^vP(?=|c4cyNX>V>IGA=bPF#nJM3IG5A00Hy>0soWFw8Rk|wox%L3+MU72a%%I-KV^3xt$F0zFCg;fgHvBXaI1T1piMI?c~J+<DQm8"
        r"P2``?v}92Tmj=0gLPXvB%tpDbR00B|?EDwFPqB8-v~(f&KiB^*$g3WDNg1ggWh;;}y2E|X$X(tHVC&DoI&2S+gaOjP7yc$V9cZqB>mf)>Z$+*Q"
        r"sD2%YREH@F0eIqte+mZ<9ATpbrK0*jz&bP^IM@%6NH{Qjo%BCO{}+0Cg&{e#(GUn<I4)lsk~2dPN5B%p>I;B;A^;f@YqGya@MTNjq7aH72s=1J"
        r">bJla{0GBL04|ghocUg2F=$RiT(AeFcB+rdIQ4p~CN~VRI~DC2L%)v2DrD+%H{2DQ7Iyp5tKLb(Pu1C;T&4NH9!FABvh8o*M<U`36MbGT3o7PU"
        r"7n|*7lnyg*8Wxf3`N*m^9EA1Mk_j$P%&M{8f57<+$J#>&)GTq+`TS5rHiQr*%BW|qm{#ypuSxIAO(TDS4N0ryAli_2v(pUXH#($|7=Lo{16k+0"
        r"8-=;FQeGSfanVd!uRwW%MYVw51fQa?@@NTJLMOm{B~QR=2hJ#Q(k6qXwdBJHzl9o$rUcO!O%}pORoJ9Ey{|_l&H^J6k@<gd(QjOYHBk-&fB)G"
    ),
    "4:2:0": (
        r"0000CYEU2`4GM<}0000KW^{RQYH%_j00000YH%_j0000jYH%`W0000MX=r3}0000O0000X00RdH0000001sntY;pkr000005&!@K6l!oXWB*V8"
        r"Q2;Lh00000ApigX7ytkO0000000000ApigX7ytkO000000009A0RaaB0tW&D|55-90000100IOA00IA8017}rNJvmfNKpS|03`qcLvm$dbY)~9"
        r"VtF7>aAj^vP(?=|c4cyNX>V>IGA=bPF#nJM3IG5A00EW&0soWFw8Rk|wox%L3+MU72a%%I-KV^3xt$F0zFCg;fgHvBXaI1T1piMI?c~J+<DQm8"
        r"P2``?v^*!mug)*qIcIZJ1QfUYZ_l(q4o8x)+nYl_{KzfJ-_aA0z&dOXkc0u!z!&}|I2~xNf$JeiOK(N445)q`h*XCu3ITZHg?|bM4jf^l1f`<-"
        r"KfpR1A2^r?!Y~=Ye-27SUeUDcLa!Otx{X%9z&a#8pokBUAQ{M<pCMztxXl^B^BLR5=fD>H2g6MOE|e3T`Cei%Xih|2um`1fs*lS!^?Iu&Hw>{m"
        r"73~>AzmCN!Wa@G^+!dP^cKgw*-buty)!Ck0rTM=eM^aO=?Qh>lBH|1aeO@jLD&|)go9$+l4l{2W7Ln`u$f`CRg!R;t2`*2}s<GaG!1)G8+9d<$"
        r"7<JfIDcvFHac$|HpMp9`xldKD6QJm5H_+^G2~)3i*{n6U+>T44&yIh<`2$bDJ`boEb<8VCZl8i6u18MfeV=q@2l=`fpLN^)hS8M&*#"
    ),
}


@pytest.mark.parametrize("factors", SUBSAMPLED)
def test_colours_of_fewer_samples_and_odd_width(pixels, factors):
    """Pillow takes the colour from the wrong places."""
    got = pixels(base64.b85decode(SUBSAMPLED[factors]))[:-3]  # the last lines lack colour
    assert abs(got - LEVELS[:-3]).max() <= 12  # which is a mean of two or four pixels


@pytest.mark.parametrize("end", [30, 100, 200, 300, 900])
@pytest.mark.parametrize("bits", [8, 16])
def test_a_cut_file_is_rejected(make_settings, end, bits):
    data = encoded(np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, 3)).astype(float), bits)
    assert reason_of(data[:end], make_settings()) in (Reason.TRUNCATED, Reason.CORRUPT)


def test_colour_spaces_that_no_decoder_gets_right_are_unsupported(make_settings):
    lab = with_boxes(encoded(LEVELS), colours=b"\1\0\0" + struct.pack(">I", 14))
    assert reason_of(lab, make_settings()) is Reason.UNSUPPORTED


def test_plain_files_go_through_pillow_to_the_same_pixels(pixels):
    file = io.BytesIO()
    Image.fromarray(LEVELS.astype(np.uint8)).save(file, "JPEG2000")
    assert (pixels(file.getvalue()) == np.asarray(Image.open(file).convert("RGB"))).all()


def test_a_resolution_that_is_cut_off_is_no_reason(pixels):
    data = with_boxes(encoded(LEVELS), box(b"res ", struct.pack(">I4sHHHHBB", 34, b"resc", 1, 1, 1, 1, 0, 0)))
    assert (pixels(data) == pixels(encoded(LEVELS))).all()


def with_a_part_too_many(data):
    """The codestream with its tile in three parts, of which it announces two."""
    start = data.index(b"\xff\x90")
    (size,) = struct.unpack_from(">I", data, start + 6)
    packets = data[start + 14 : start + size]
    assert data[start + 12 : start + 14] == b"\xff\x93"
    parts = b""
    for number, body in enumerate((b"", b"", packets)):
        parts += struct.pack(">HHHIBBH", 0xFF90, 10, 0, 14 + len(body), number, 2, 0xFF93) + body
    return data[:start] + parts + data[start + size :]


def test_a_tile_of_one_part_more_than_it_announces_is_read(pixels, make_settings):
    data = encoded(LEVELS, kind="j2k")
    odd = with_a_part_too_many(data)
    with Image.open(io.BytesIO(odd)) as image, pytest.raises(OSError, match="broken data stream"):
        image.load()
    assert (pixels(odd) == pixels(data)).all()
    for end in (len(odd) - 1, len(odd) - 2, len(odd) // 2):
        assert reason_of(odd[:end], make_settings()) in {Reason.TRUNCATED, Reason.CORRUPT}
