"""Colours named by code points (ITU-T H.273: cICP in PNG, nclx in AVIF and HEIC) as an ICC profile, or toned down from HDR.

Decisions that bind users' data. Codes that are unspecified or reserved count as sRGB's. A profile has the primaries' colorants
adapted to D50 by Bradford's matrix and the transfer as a table, so that colour.py converts it as any other. HDR (PQ, HLG) is
made SDR by one named policy: BT.2408's reference white of 203 cd/m² is 1.0, and extended Reinhard on the largest of red, green
and blue takes 1,000 cd/m² to white.
"""

import functools
import struct
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from imagerecords.tasks.images.bands import Bytes, in_bands

Floats = npt.NDArray[np.float64]
SRGB_PRIMARIES, SRGB_TRANSFER, PQ, HLG = 1, 13, 16, 18
HDR = {PQ, HLG}
D65, C, DCI, D50 = (0.3127, 0.3290), (0.310, 0.316), (0.314, 0.351), (0.34567, 0.35850)
# x and y of red, green and blue, and the white.
PRIMARIES = {
    1: ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), D65),
    4: ((0.670, 0.330), (0.210, 0.710), (0.140, 0.080), C),
    5: ((0.640, 0.330), (0.290, 0.600), (0.150, 0.060), D65),
    6: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), D65),
    7: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), D65),
    8: ((0.681, 0.319), (0.243, 0.692), (0.145, 0.049), C),
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), D65),
    11: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), DCI),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), D65),
    22: ((0.630, 0.340), (0.295, 0.605), (0.155, 0.077), D65),
}
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
STEPS = 4096  # of a transfer's table
REFERENCE_WHITE, PEAK = 203.0, 1000.0  # cd/m²


class ColourCodes(NamedTuple):
    """The code points of an image's primaries and transfer characteristics."""

    primaries: int
    transfer: int


def _linear_srgb(value: Floats) -> Floats:
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def _linear_240(value: Floats) -> Floats:
    return np.where(value < 0.0912863, value / 4.0, ((value + 0.111572196) / 1.111572196) ** (1 / 0.45))


# BT.709, BT.601 and BT.2020 name a camera's curve; BT.1886's display, which shows such pictures, has 2.4.
TRANSFERS = dict.fromkeys((1, 6, 11, 14, 15), lambda value: value**2.4) | {
    4: lambda value: value**2.2,
    5: lambda value: value**2.8,
    7: _linear_240,
    8: lambda value: value,
    SRGB_TRANSFER: _linear_srgb,
    17: lambda value: value**2.6 * 52.37 / 48,
}


def apply_codes(image: Image.Image, codes: ColourCodes, keep: bool) -> Image.Image:
    """The image with the profile of its codes, or toned down to sRGB where they are HDR's; as it is where `keep`."""
    if keep:
        return image
    if codes.transfer in HDR:
        return _toned_down(image, codes)
    profile = profile_of(codes)
    if profile:
        made = image if image.mode in {"RGB", "RGBA"} else image.convert("RGBA" if image.has_transparency_data else "RGB")
        made.format = image.format
        made.info["icc_profile"] = profile
        return made
    image.info.pop("icc_profile", None)
    return image


@functools.cache
def profile_of(codes: ColourCodes) -> bytes:
    """An ICC profile of version 2 for codes of SDR; empty for sRGB's."""
    primaries = codes.primaries if codes.primaries in PRIMARIES else SRGB_PRIMARIES
    transfer = codes.transfer if codes.transfer in TRANSFERS else SRGB_TRANSFER
    if (primaries, transfer) == (SRGB_PRIMARIES, SRGB_TRANSFER):
        return b""
    curve = np.clip(TRANSFERS[transfer](np.linspace(0, 1, STEPS)), 0, 1)
    table = b"curv" + bytes(4) + struct.pack(">I", STEPS) + np.round(curve * 65535).astype(">u2").tobytes()
    colorants = to_xyz(primaries, D50)
    tags = {b"desc": b"desc" + bytes(4) + struct.pack(">I", 5) + b"CICP\0" + bytes(78), b"wtpt": _xyz(white_of(D50))}
    tags |= {name: _xyz(colorants[:, place]) for place, name in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))}
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), table)
    return _icc(tags)


def white_of(chromaticity: tuple[float, float]) -> Floats:
    """XYZ of a chromaticity whose Y is 1."""
    x, y = chromaticity
    return np.array([x / y, 1.0, (1 - x - y) / y])


def to_xyz(primaries: int, white: tuple[float, float]) -> Floats:
    """The matrix from linear red, green and blue to XYZ under a white."""
    *corners, own = PRIMARIES[primaries]
    columns = np.stack([white_of(corner) for corner in corners], axis=1)
    matrix = columns * np.linalg.solve(columns, white_of(own))
    cones = (BRADFORD @ white_of(white)) / (BRADFORD @ white_of(own))
    adapted: Floats = np.linalg.inv(BRADFORD) @ np.diag(cones) @ BRADFORD @ matrix
    return adapted


def _xyz(values: Floats) -> bytes:
    return b"XYZ " + bytes(4) + b"".join(struct.pack(">i", round(value * 65536)) for value in values.tolist())


def _icc(tags: dict[bytes, bytes]) -> bytes:
    """A profile of a display in RGB; a body that several tags share is there once (ICC.1:2001, clauses 6.1 to 6.3)."""
    places: dict[bytes, int] = {}
    bodies, start = b"", 128 + 4 + 12 * len(tags)
    for body in tags.values():
        if body not in places:
            places[body] = start + len(bodies)
            bodies += body + bytes(-len(body) % 4)
    table = b"".join(name + struct.pack(">II", places[body], len(body)) for name, body in tags.items())
    header = struct.pack(">I4s4s4s4s4s", start + len(bodies), b"none", b"\x02\x10\0\0", b"mntr", b"RGB ", b"XYZ ")
    header += bytes(12) + b"acsp" + bytes(28) + _xyz(white_of(D50))[8:] + bytes(48)
    return header + struct.pack(">I", len(tags)) + table + bodies


def _toned_down(image: Image.Image, codes: ColourCodes) -> Image.Image:
    rgb = image.convert("RGBA" if image.has_transparency_data else "RGB")
    pixels = np.asarray(rgb)
    result = Image.fromarray(in_bands(partial(_sdr, codes=codes), pixels))
    result.format = image.format
    result.info |= {name: value for name, value in image.info.items() if name not in {"icc_profile", "transparency"}}
    return result


def _sdr(pixels: Bytes, codes: ColourCodes) -> Bytes:
    """Pixels of HDR as sRGB; their opacity, where they have one, as it is."""
    primaries = codes.primaries if codes.primaries in PRIMARIES else 9  # BT.2100 has no other
    light = (_pq_light if codes.transfer == PQ else _hlg_light)(np.arange(256) / 255)[pixels[..., :3]]
    if codes.transfer == HLG:
        luminance = light @ to_xyz(primaries, D65)[1]
        light *= PEAK / REFERENCE_WHITE * luminance[..., None] ** 0.2  # BT.2100's system gamma is 1.2
    most = light.max(axis=-1, keepdims=True)
    light *= (1 + most * (REFERENCE_WHITE / PEAK) ** 2) / (1 + most)
    linear = np.clip(light @ (np.linalg.inv(to_xyz(SRGB_PRIMARIES, D65)) @ to_xyz(primaries, D65)).T, 0, 1)
    levels = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055) * 255
    return np.concatenate([np.floor(levels + 0.5).astype(np.uint8), pixels[..., 3:]], axis=-1)


def _pq_light(value: Floats) -> Floats:
    """SMPTE ST 2084's light, 1.0 for the reference white."""
    root = value ** (32 / 2523)
    base = np.maximum(root - 107 / 128, 0) / (2413 / 128 - 2392 / 128 * root)
    light: Floats = base ** (8192 / 1305) * 10_000 / REFERENCE_WHITE
    return light


def _hlg_light(value: Floats) -> Floats:
    """BT.2100's scene light of HLG, from 0 to 1."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(value <= 0.5, value**2 / 3, (np.exp((value - c) / a) + b) / 12)
