"""The peak memory of a worker for one image of each kind: python -m benchmarks.image_memory [--megapixels 40].

Each image is converted by a process of its own, which has imported what a worker has.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from benchmarks.bench import RESULTS, about_here
from benchmarks.report import table
from imagerecords.schemas.check_settings import MOST_PIXELS

MB = 1e6
Pixels = npt.NDArray[Any]
CHILD = """
import json, resource, sys, time
from pathlib import Path
import imagerecords.flows.executors.preload
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.images.process import process_image
settings = BuildSettings(output_directory="out", data_directory="in")
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
before, began = peak(), time.process_time()
data = Path(sys.argv[1]).read_bytes()
jpeg = process_image(data, settings)
found = {"before": before, "peak": peak(), "seconds": time.process_time() - began}
print(json.dumps(found | {"file": len(data), "jpeg": len(jpeg.encoded)}))
"""


def _levels(side: int, channels: int, kind: type[np.generic] = np.uint8) -> Pixels:
    """Slopes with a little texture."""
    most = np.iinfo(kind).max
    rows, columns = np.arange(side, dtype=np.uint32)[:, None], np.arange(side, dtype=np.uint32)[None]
    made = np.empty((side, side, channels), kind)
    for channel in range(channels):
        made[..., channel] = ((rows * (channel + 1) + columns * 3) // 8 + (rows * columns >> 7) % 7) * (most // 255) % most
    return made


def _by_pillow(mode: str, suffix: str, **options: Any) -> Callable[[int, Path], None]:
    def write(side: int, path: Path) -> None:
        image = Image.fromarray(_levels(side, 1, np.uint16)[..., 0]) if mode == "I;16" else None
        (image or Image.fromarray(_levels(side, len(mode)), mode)).save(path, suffix, **options)

    return write


def _by_tifffile(channels: int, photometric: str, **options: Any) -> Callable[[int, Path], None]:
    def write(side: int, path: Path) -> None:
        import tifffile

        tifffile.imwrite(path, _levels(side, channels, np.uint16), photometric=photometric, rowsperstrip=64, **options)

    return write


def _png_of_16_bits(side: int, path: Path) -> None:
    from imagecodecs import png_encode

    path.write_bytes(png_encode(_levels(side, 3, np.uint16), level=1))


def _psd(channels: int, bits: int) -> Callable[[int, Path], None]:
    """A Photoshop file; four channels are colours and opacity."""

    def write(side: int, path: Path) -> None:
        header = b"8BPS" + (2).to_bytes(2, "big") + bytes(6) + channels.to_bytes(2, "big") + side.to_bytes(4, "big") * 2
        layers = (
            (10).to_bytes(8, "big") + (2).to_bytes(8, "big") + (-1).to_bytes(2, "big", signed=True)
            if channels == 4
            else bytes(8)
        )
        with open(path, "wb") as file:
            file.write(header + bits.to_bytes(2, "big") + (3).to_bytes(2, "big") + bytes(8) + layers + bytes(2))
            for channel in np.moveaxis(_levels(side, channels, np.uint16 if bits == 16 else np.uint8), 2, 0):
                file.write(channel.astype(">u2" if bits == 16 else np.uint8).tobytes())

    return write


KINDS: dict[str, Callable[[int, Path], None]] = {
    "JPEG": _by_pillow("RGB", "JPEG"),
    "JPEG, progressive": _by_pillow("RGB", "JPEG", progressive=True),
    "JPEG, CMYK": _by_pillow("CMYK", "JPEG"),
    "PNG, RGB": _by_pillow("RGB", "PNG", compress_level=1),
    "PNG, RGBA": _by_pillow("RGBA", "PNG", compress_level=1),
    "PNG, 16-bit grey": _by_pillow("I;16", "PNG", compress_level=1),
    "PNG, 16-bit RGB": _png_of_16_bits,
    "TIFF, RGB": _by_pillow("RGB", "TIFF"),
    "TIFF, 16-bit grey": _by_pillow("I;16", "TIFF"),
    "TIFF, 16-bit RGB": _by_tifffile(3, "rgb"),
    "TIFF, 16-bit RGB, opacity": _by_tifffile(4, "rgb", extrasamples=[1]),
    "TIFF, 16-bit CIELAB": _by_tifffile(3, "cielab"),
    "PSD": _psd(3, 8),
    "PSD, 16-bit, opacity": _psd(4, 16),
    "WebP": _by_pillow("RGB", "WEBP", method=0),
    "WebP, opacity": _by_pillow("RGBA", "WEBP", method=0),
    "AVIF": _by_pillow("RGB", "AVIF", speed=10),
    "JPEG 2000": _by_pillow("RGB", "JPEG2000", num_resolutions=2, quality_layers=[40]),
    "BMP": _by_pillow("RGB", "BMP"),
}


def measure(name: str, megapixels: float) -> list[str]:
    """A row of the table."""
    side = int((megapixels * 1e6) ** 0.5) // 8 * 8
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "image")
        maker = (
            f"from pathlib import Path; from benchmarks.image_memory import KINDS; KINDS[{name!r}]({side}, Path({str(path)!r}))"
        )
        subprocess.run([sys.executable, "-c", maker], check=True)
        done = subprocess.run([sys.executable, "-c", CHILD, str(path)], capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1]
        row = [name, reason[:90], "", "", "", ""]
    else:
        found = json.loads(done.stdout)
        each = (found["peak"] - found["before"]) / side**2
        row = [name, f"{found['peak'] / MB:,.0f}", f"{each:.1f}", f"{found['seconds']:.1f}"]
        row += [f"{found['file'] / MB:,.0f}", f"{found['jpeg'] / MB:,.0f}"]
    print(" | ".join(row), file=sys.stderr, flush=True)
    return row


def main() -> None:
    """Measure, save and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.image_memory", description=__doc__)
    parser.add_argument("kinds", nargs="*", help="names of kinds; default: all")
    parser.add_argument("--megapixels", type=float, default=MOST_PIXELS / 1e6)
    parser.add_argument("--results", type=Path, default=RESULTS, help="directory for image-memory.md")
    given = parser.parse_args()
    about = about_here()
    rows = [measure(name, given.megapixels) for name in given.kinds or KINDS]
    heads = ["kind", "peak memory, MB", "bytes per pixel", "CPU, s", "file, MB", "as JPEG, MB"]
    page = "\n\n".join(
        [
            "# Memory that a worker takes for one large image",
            f"- Made by `python -m benchmarks.image_memory` on {about['date']}, commit {about['commit']}\n"
            f"- Square images of {given.megapixels:,.0f} megapixels; `max_pixels` allows {MOST_PIXELS / 1e6:,.0f}",
            table(heads, rows),
            "Peak memory is the process's, with Python and its libraries (about 105 MB). Bytes per pixel: what the image adds, "
            "its file and the JPEG included.",
        ]
    )
    (given.results / "image-memory.md").write_text(page + "\n")
    print(page)


if __name__ == "__main__":
    main()
