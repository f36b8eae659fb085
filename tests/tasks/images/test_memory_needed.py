"""What a worker takes for an image is estimated from its header, above the peak that a process has, but not by much."""

import io
import json
import re
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from imagerecords.schemas.receipt import Reason, Rejected
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.images.memory_needed import OPACITY_BAND, WORKER
from imagerecords.tasks.images.process import process_image

SETTINGS = BuildSettings(output_directory="out", train_directory="in")
NONE_ALLOWED = SETTINGS.model_copy(update={"max_image_memory": 1})
SIDE = 1600
NOISE = np.random.default_rng(3).integers(0, 65536, (SIDE, SIDE, 4), np.uint16)
MB = 1e6
SPREAD = 16 * MB  # of what the allocator and the libraries keep; the worker's own figure has as much room


def _saved(kind, mode="RGB", convert="", **options):
    pixels = NOISE.astype(np.uint8)[..., : len(mode)] if mode != "I;16" else NOISE[..., 0]
    image = Image.fromarray(np.ascontiguousarray(pixels[..., 0] if mode == "L" else pixels), None if mode == "I;16" else mode)
    file = io.BytesIO()
    (image.convert(convert) if convert else image).save(file, kind, **options)
    return file.getvalue()


def _turned():
    exif = Image.Exif()
    exif[274] = 6
    return exif.tobytes()


def _tiff(channels, photometric, **options):
    import tifffile

    file = io.BytesIO()
    tifffile.imwrite(file, NOISE[..., :channels], photometric=photometric, rowsperstrip=64, **options)
    return file.getvalue()


def _png_with_key():
    from imagecodecs import png_encode

    data = bytes(png_encode(np.ascontiguousarray(NOISE[..., :3]), level=1))
    body = b"tRNS" + struct.pack(">HHH", 1, 2, 3)
    return data[:33] + struct.pack(">I", 6) + body + struct.pack(">I", zlib.crc32(body)) + data[33:]


def _psd(channels, bits):
    head = b"8BPS" + struct.pack(">H6xHIIHH", 1, channels, SIDE, SIDE, bits, 3) + bytes(8)
    layers = struct.pack(">IIh", 6, 2, -1) if channels == 4 else bytes(4)
    planes = np.moveaxis(NOISE[..., :channels], 2, 0)
    return head + layers + bytes(2) + (planes.astype(">u2") if bits == 16 else planes.astype(np.uint8)).tobytes()


def _bitmap_of_10_bits():
    masks = struct.pack("<IIII", 0x3FF00000, 0xFFC00, 0x3FF, 0xC0000000)
    info = struct.pack("<IiiHHIIiiII", 124, SIDE, SIDE, 1, 32, 3, 0, 0, 0, 0, 0) + masks + bytes(68)
    return b"BM" + struct.pack("<IHHI", 0, 0, 0, 138) + info + NOISE.astype(np.uint8).tobytes()


def _jpeg2000(channels):
    from imagecodecs import jpeg2k_encode

    return bytes(jpeg2k_encode(np.ascontiguousarray(NOISE[..., :channels]), level=20, resolutions=1))


KINDS = {
    "JPEG, progressive": lambda: _saved("JPEG", progressive=True),
    "JPEG, turned": lambda: _saved("JPEG", subsampling=0, exif=_turned()),
    "JPEG, CMYK": lambda: _saved("JPEG", "CMYK"),
    "PNG": lambda: _saved("PNG", compress_level=0),
    "PNG, opacity": lambda: _saved("PNG", "RGBA", compress_level=0),
    "PNG, 16-bit grey": lambda: _saved("PNG", "I;16", compress_level=0),
    "PNG, 16-bit key": _png_with_key,
    "GIF, transparent": lambda: _saved("GIF", "L", transparency=3),
    "TIFF, opacity": lambda: _saved("TIFF", "RGBA"),
    "TIFF, CMYK": lambda: _saved("TIFF", "CMYK"),
    "TIFF, 16-bit premultiplied": lambda: _tiff(4, "rgb", extrasamples=["assocalpha"]),
    "TIFF, 16-bit CIELAB": lambda: _tiff(3, "cielab"),
    "PSD": lambda: _psd(3, 8),
    "PSD, 16-bit, opacity": lambda: _psd(4, 16),
    "WebP, opacity": lambda: _saved("WEBP", "RGBA", method=0),
    "AVIF, opacity": lambda: _saved("AVIF", "RGBA", speed=10),
    "JPEG 2000": lambda: _saved("JPEG2000", num_resolutions=1, quality_layers=[100]),
    "JPEG 2000, 16-bit, opacity": lambda: _jpeg2000(4),
    "BMP, 10 bits": _bitmap_of_10_bits,
    "SGI": lambda: _saved("SGI"),
}


def _estimate(data):
    """What an image takes beyond the worker itself, by the message."""
    with pytest.raises(Rejected) as caught:
        process_image(data, NONE_ALLOWED)
    assert caught.value.reason is Reason.TOO_MUCH_MEMORY
    assert caught.value.message.endswith("at most 0 are allowed: max_image_memory")
    needed = re.search(r"take a worker ([\d,]+) MB", caught.value.message)[1]
    return int(needed.replace(",", "")) * MB - WORKER


HELPER = """
import ctypes, json, os, sys
from pathlib import Path

# As on any machine: no large pages, where one byte takes 2 MB, and no more of the decoders' threads on many processors.
ctypes.CDLL(None).prctl(41, 1, 0, 0, 0)  # PR_SET_THP_DISABLE
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])

import imagecodecs, tifffile
import imagerecords.flows.executors.preload
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.images.process import process_image

settings = BuildSettings(output_directory="out", train_directory="in")


def status(name):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(name))


def peak(path):
    before = status("RssAnon")
    process_image(path.read_bytes(), settings)
    return status("VmHWM") - status("RssFile") - before  # without pages of code, which kernels map differently


found = {}
for path in 2 * list(map(Path, sys.argv[1:])):  # the less of two
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.write(writing, str(peak(path)).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as file:
        found[path.name] = min(int(file.read()), found.get(path.name, sys.maxsize))
    os.wait()
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The file of each kind."""
    folder = tmp_path_factory.mktemp("kinds")
    for kind, make in KINDS.items():
        (folder / kind).write_bytes(make())
    return folder


@pytest.fixture(scope="module")
def peaks(files):
    """What a process that converts each kind takes at most, beyond what it has before: its file among that."""
    words = [sys.executable, "-c", HELPER, *(str(files / kind) for kind in KINDS)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux's /proc")
@pytest.mark.parametrize("kind", KINDS)
def test_the_estimate_bounds_the_peak_of_a_process(kind, files, peaks):
    """But is not far above it: no sound image should be rejected for nothing."""
    data = (files / kind).read_bytes()
    measured, estimate = peaks[kind], _estimate(data)
    assert measured <= estimate + SPREAD
    assert estimate <= 2 * measured + OPACITY_BAND
