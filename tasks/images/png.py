"""PNG files: the chunks that Pillow reads otherwise than the specification asks (W3C, PNG, third edition).

Decisions that bind users' data. Text is removed before Pillow opens the file: it refuses more than 1 MiB, and none is used;
a profile is read here for the same reason. cICP goes before iCCP. A transparent key is compared in the samples' own depth.
Where Pillow refuses the file, it gets only the chunks that pixels depend on: a broken chunk beside them, and an animation whose
frames don't match, are ignored, as by every other decoder.
"""

import struct
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image

from imagerecords.schemas.receipt import Reason, Rejected
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.images.bands import Bytes, in_bands
from imagerecords.tasks.images.colour_codes import HDR, ColourCodes, apply_codes
from imagerecords.tasks.images.jpeg import exif_orientation
from imagerecords.tasks.images.memory_needed import PNG_WITH_KEY, TONED_DOWN, need_of_loaded, refuse_memory
from imagerecords.tasks.images.opening import Decoded, open_image, refuse_animation, refuse_size

SIGNATURE = 8  # bytes
AROUND = 12  # bytes of a chunk beside its body: length, name, check sum
TEXT = {b"tEXt", b"zTXt", b"iTXt"}
LARGEST_PROFILE = 1 << 24
GREY, RGB, PALETTE = 0, 2, 3  # colour types; the first two may have a transparent key
NEEDED = {b"tRNS", b"eXIf"}  # of the chunks that are not critical, those that decide pixels
BROKEN = {Reason.CORRUPT, Reason.TRUNCATED}


def read_png(data: bytes, settings: BuildSettings) -> Decoded:
    """The first picture of a PNG. Raises Rejected, or what Pillow raises."""
    rest, profile, codes = _split(data)
    try:
        image, orientation = _load(rest, codes, 1 if rest is data else 2, settings)
    except Exception as error:
        if isinstance(error, Rejected) and error.reason not in BROKEN:
            raise
        pixels_alone = _needed(rest)
        if pixels_alone == rest:
            raise
        image, orientation = _load(pixels_alone, codes, 3, settings)
    if profile:
        image.info["icc_profile"] = profile
    if codes is not None:
        image = apply_codes(image, codes, keep=settings.icc == "keep")
    return Decoded(image, orientation)


def _load(rest: bytes, codes: ColourCodes | None, files: int, settings: BuildSettings) -> tuple[Image.Image, int]:
    """The first picture of a file without text and profile, and its orientation; so many copies of the file are in memory."""
    image = open_image(rest)
    refuse_size(image.height, image.width, settings)
    refuse_animation(image, settings)
    key = image.info.get("transparency")
    depth, colour_type = rest[24], rest[25]
    if colour_type == PALETTE and not any(name == b"PLTE" for name, _, _ in _chunks(rest)):
        raise Rejected(Reason.CORRUPT, "a PNG of palette colours without a palette")
    need = PNG_WITH_KEY if key is not None and (colour_type, depth) == (RGB, 16) else need_of_loaded(image)
    need = TONED_DOWN if codes is not None and codes.transfer in HDR else need
    refuse_memory(need._replace(files=max(need.files, files)), image.height, image.width, len(rest), settings)
    image.load()  # EXIF may stand behind the pixels
    if key is not None and colour_type == GREY and depth in {2, 4}:
        image.info["transparency"] = (key & (1 << depth) - 1) * 255 // ((1 << depth) - 1)  # as Pillow scales the samples
    elif key is not None and colour_type == RGB and depth == 16:
        image = _keyed(image, rest, key)
    elif depth == 16 and image.mode == "RGBA" and colour_type == 4:
        made = Image.merge("LA", (image.getchannel("R"), image.getchannel("A")))  # which Pillow has as RGBA
        made.format, made.info = image.format, image.info
        image = made
    return image, exif_orientation(image.info.get("exif") or b"")


def _needed(data: bytes) -> bytes:
    """The file with the chunks that pixels depend on, and what follows its last whole chunk."""
    kept, position = [data[:SIGNATURE]], SIGNATURE
    for name, start, end in _chunks(data):
        critical = not name[:1].islower()
        check = int.from_bytes(data[end : end + 4], "big")
        if critical or (name in NEEDED and zlib.crc32(data[start - 4 : end]) == check):
            kept.append(data[start - 8 : end + 4])
        position = end + 4
    return b"".join([*kept, data[position:]])


def _split(data: bytes) -> tuple[bytes, bytes, ColourCodes | None]:
    """The file without text and profile, its profile, and its colour codes; a chunk that is cut off stays for Pillow."""
    kept, begun = [], 0
    profile, codes, pixels = b"", None, False
    for name, start, end in _chunks(data):
        pixels |= name == b"IDAT"
        if name == b"cICP" and end - start == 4 and not pixels:
            codes = ColourCodes(data[start], data[start + 1])
        elif name == b"iCCP" and not pixels:
            profile = profile or _inflated(data[start:end])
        if name in TEXT or name == b"iCCP":
            kept.append(data[begun : start - 8])
            begun = end + 4
    return (b"".join([*kept, data[begun:]]) if kept else data), profile, codes


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """The name of each whole chunk, and where its body starts and ends."""
    position = SIGNATURE
    while position + AROUND <= len(data):
        (length,) = struct.unpack_from(">I", data, position)
        end = position + 8 + length
        if end + 4 > len(data):
            return
        yield data[position + 4 : position + 8], position + 8, end
        position = end + 4


def _inflated(chunk: bytes) -> bytes:
    """The profile in an iCCP chunk; empty where it is broken, which viewers ignore, or larger than any profile."""
    _, _, rest = chunk.partition(b"\0")
    if not rest or rest[0] != 0:
        return b""
    stream = zlib.decompressobj()
    try:
        profile = stream.decompress(rest[1:], LARGEST_PROFILE)
    except zlib.error:
        return b""
    return profile if stream.eof else b""


def _keyed(image: Image.Image, data: bytes, key: tuple[int, int, int]) -> Image.Image:
    """An RGB image of 16 bits with opacity by its transparent key, of which Pillow would compare the high bytes."""
    from imagecodecs import png_decode

    samples = png_decode(data)
    if samples.shape[:2] != (image.height, image.width) or samples.dtype != np.uint16:
        raise Rejected(Reason.UNSUPPORTED, "a PNG of 16 bits whose transparent key can't be compared")
    del image.info["transparency"]
    colours = np.array(key)

    def opacity(band: Bytes) -> Bytes:
        opaque = band[..., 3] if band.shape[2] == 4 else np.any(band[..., :3] != colours, axis=-1)
        return np.where(opaque, 255, 0).astype(np.uint8)

    image.putalpha(Image.fromarray(in_bands(opacity, samples)))
    return image
