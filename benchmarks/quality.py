"""Size and error of re-encoded photos by jpeg_quality, as trainers read them: python -m benchmarks.quality.

Two kinds of sources: phone photos in Display P3 (JPEG, 4:2:0), which are converted to sRGB, and PNGs. The error is the root
mean square of levels from the decoded, converted source. DALI is among the readers where it is installed.
"""

import argparse
import io
import struct
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from benchmarks.bench import RESULTS, about_here
from benchmarks.make_data import cache_directory
from benchmarks.photos import fetch_photos
from benchmarks.report import table
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.images.colour import convert_to_srgb
from imagerecords.tasks.images.process import process_image

QUALITIES = (85, 92, 95, 97, "source", 100)
SIDE = 1200  # pixels of the longer side
SOURCES = {"JPEG, quality 80": 80, "JPEG, quality 88": 88, "JPEG, quality 95": 95, "PNG": None}
# Display P3's colorants, adapted to D50.
COLORANTS = {
    b"rXYZ": (0.51512, 0.24120, -0.00105),
    b"gXYZ": (0.29198, 0.69225, 0.04189),
    b"bXYZ": (0.15710, 0.06657, 0.78407),
}
Pixels = np.ndarray[Any, np.dtype[np.float64]]


@cache
def display_p3() -> bytes:
    """A profile with Display P3's primaries and sRGB's curve."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    (tags,) = struct.unpack_from(">I", profile, 128)
    for number in range(tags):
        name, start, _ = struct.unpack_from(">4sII", profile, 132 + 12 * number)
        if name in COLORANTS:
            struct.pack_into(">3i", profile, start + 8, *(round(value * 65536) for value in COLORANTS[name]))
    return bytes(profile)


def make_source(photo: Path, quality: int | None) -> tuple[bytes, Pixels]:
    """A source file from a photo, and the pixels that it has in sRGB."""
    with Image.open(photo) as image:
        image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
        file = io.BytesIO()
        if quality is None:
            image.convert("RGB").save(file, "PNG")
        else:
            image.convert("RGB").save(file, "JPEG", quality=quality, icc_profile=display_p3())
    with Image.open(file) as source:
        rgb = source.convert("RGB")
    return file.getvalue(), np.asarray(rgb if quality is None else convert_to_srgb(rgb, display_p3()), np.float64)


def readers() -> dict[str, Callable[[bytes], Pixels]]:
    """What trainers decode with, by name."""
    import tensorflow as tf

    found: dict[str, Callable[[bytes], Any]] = {
        "TensorFlow, default": lambda data: tf.io.decode_jpeg(data, channels=3).numpy(),
        "TensorFlow, INTEGER_ACCURATE": lambda data: tf.io.decode_jpeg(data, channels=3, dct_method="INTEGER_ACCURATE").numpy(),
        "Pillow": lambda data: np.asarray(Image.open(io.BytesIO(data)).convert("RGB")),
    }
    try:
        import nvidia.dali  # noqa: F401
    except ImportError:
        return found
    return found | {"DALI": _dali(), "DALI, use_fast_idct": _dali(use_fast_idct=True)}


def _dali(**options: Any) -> Callable[[bytes], Any]:
    from nvidia.dali import fn, pipeline_def

    data: list[Any] = []

    @pipeline_def(batch_size=1, num_threads=1, device_id=None)
    def decode() -> Any:
        return fn.decoders.image(fn.external_source(lambda: data, dtype=None), **options)

    pipeline = decode(prefetch_queue_depth=1, exec_async=False, exec_pipelined=False)
    pipeline.build()

    def read(encoded: bytes) -> Any:
        data[:] = [np.frombuffer(encoded, np.uint8)]
        return np.asarray(pipeline.run()[0].at(0))

    return read


def measure(photos: list[Path]) -> Iterator[tuple[str, list[list[str]]]]:
    """For each kind of source a table's rows: quality, bytes by those of the source, and the error by reader."""
    decoders = readers()
    for kind, quality in SOURCES.items():
        sources = [make_source(photo, quality) for photo in photos]
        before = sum(len(data) for data, _ in sources)
        rows = []
        for asked in QUALITIES:
            settings = BuildSettings(
                output_directory="unused", train_directory="unused", jpeg_quality=asked, check_pixels="none"
            )
            made = [(process_image(data, settings).encoded, pixels) for data, pixels in sources]
            errors = [[np.mean((read(data) - pixels) ** 2) for data, pixels in made] for read in decoders.values()]
            size = sum(len(data) for data, _ in made)
            rows.append([str(asked), f"{size / before:.2f}", *(f"{np.sqrt(np.mean(error)):.2f}" for error in errors)])
        yield kind, [["jpeg_quality", "bytes ÷ source's", *decoders], *rows]


def main() -> None:
    """Measure, save and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    parser.add_argument("--results", type=Path, default=RESULTS, help="directory for quality.md")
    given = parser.parse_args()
    photos = sorted(fetch_photos(cache_directory() / "photos").values())
    about = about_here()
    parts = [
        "# Size and error by jpeg_quality",
        f"- Made by `python -m benchmarks.quality` on {about['date']}, commit {about['commit']}\n"
        f"- {len(photos)} photos, {SIDE} pixels on the longer side, 4:2:0; errors are RMS of levels from the source in sRGB",
    ]
    for kind, (heads, *rows) in measure(photos):
        parts += [f"## {kind}", table(heads, rows)]
    page = "\n\n".join(parts) + "\n"
    (given.results / "quality.md").write_text(page)
    print(page)


if __name__ == "__main__":
    main()
