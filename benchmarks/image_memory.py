"""The peak memory of a worker for one image of each kind, and its estimate: python -m benchmarks.image_memory [KIND …].

Each image is converted by a process of its own, which has imported what a worker has. The pictures are noise, which takes the
most of every kind; of each there are two sizes, so that what grows with the picture is known apart from the rest.
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
from imagerecords.schemas.check_settings import MOST_IMAGE_MEMORY, MOST_PIXELS

MB = 1e6
FOOT = f"""\
Measured is the peak of a process, with Python and its libraries (about 107 MB). Estimated is what `max_image_memory` is
compared with, from the header alone: tasks/images/memory_needed.py. The largest image is the one that the default of
{MOST_IMAGE_MEMORY / 1e9:.1f} GB allows, up to `max_pixels`; the files of less noisy pictures are smaller, and then larger
pictures are allowed. The CPU time is that of the larger image."""
Pixels = npt.NDArray[Any]
CHILD = """
import json, re, resource, sys, time
from pathlib import Path
import imagerecords.flows.executors.preload
from imagerecords.schemas.receipt import Rejected
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.images.process import process_image
settings = BuildSettings(output_directory="out", data_directory="in", max_image_memory=1 << 40)
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
data = Path(sys.argv[1]).read_bytes()
try:
    process_image(data, settings.model_copy(update={"max_image_memory": 1}))
except Rejected as rejected:
    estimate = float(re.search(r"take a worker ([0-9,]+) MB", rejected.message)[1].replace(",", "")) * 1e6
before, began = peak() - len(data), time.process_time()
jpeg = process_image(data, settings)
found = {"before": before, "peak": peak(), "estimate": estimate, "seconds": time.process_time() - began}
print(json.dumps(found | {"file": len(data), "jpeg": len(jpeg.encoded)}))
"""


def _levels(side: int, channels: int, kind: type[np.generic] = np.uint8) -> Pixels:
    """Noise."""
    return np.random.default_rng(1).integers(0, np.iinfo(kind).max, (side, side, channels), kind, endpoint=True)


def _by_pillow(mode: str, suffix: str, convert: str = "", **options: Any) -> Callable[[int, Path], None]:
    def write(side: int, path: Path) -> None:
        levels = _levels(side, 1, np.uint16) if mode == "I;16" else _levels(side, len(mode))
        image = Image.fromarray(levels[..., 0] if len(mode) == 1 or mode == "I;16" else levels)
        if mode == "CMYK":
            image = Image.frombytes(mode, (side, side), levels.tobytes())
        (image.convert(convert) if convert else image).save(path, suffix, **options)

    return write


def _turned() -> bytes:
    """EXIF of a picture that lies on its side."""
    exif = Image.Exif()
    exif[274] = 6
    return exif.tobytes()


def _by_tifffile(channels: int, photometric: str, **options: Any) -> Callable[[int, Path], None]:
    def write(side: int, path: Path) -> None:
        import tifffile

        levels = _levels(side, channels, np.uint16)
        tifffile.imwrite(path, levels, photometric=photometric, rowsperstrip=64, **options)

    return write


def _png_of_16_bits(side: int, path: Path) -> None:
    from imagecodecs import png_encode

    path.write_bytes(png_encode(_levels(side, 3, np.uint16), level=1))


def _jpeg2000(channels: int) -> Callable[[int, Path], None]:
    def write(side: int, path: Path) -> None:
        from imagecodecs import jpeg2k_encode

        path.write_bytes(jpeg2k_encode(_levels(side, channels, np.uint16), level=20, resolutions=1))

    return write


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
    "JPEG, on its side": _by_pillow("RGB", "JPEG", exif=_turned()),
    "JPEG, on its side, 4:4:4": _by_pillow("RGB", "JPEG", subsampling=0, exif=_turned()),
    "JPEG, CMYK": _by_pillow("CMYK", "JPEG"),
    "JPEG, CMYK, progressive": _by_pillow("CMYK", "JPEG", progressive=True),
    "JPEG, grey": _by_pillow("L", "JPEG"),
    "PNG, RGB": _by_pillow("RGB", "PNG", compress_level=1),
    "PNG, RGB, on its side": _by_pillow("RGB", "PNG", compress_level=1, exif=_turned()),
    "PNG, RGBA": _by_pillow("RGBA", "PNG", compress_level=1),
    "PNG, grey": _by_pillow("L", "PNG", compress_level=1),
    "PNG, palette": _by_pillow("L", "PNG", "P", compress_level=1),
    "PNG, 16-bit grey": _by_pillow("I;16", "PNG", compress_level=1),
    "PNG, 16-bit RGB": _png_of_16_bits,
    "GIF": _by_pillow("L", "GIF"),
    "GIF, transparent": _by_pillow("L", "GIF", transparency=3),
    "TIFF, RGB": _by_pillow("RGB", "TIFF"),
    "TIFF, RGB, LZW": _by_pillow("RGB", "TIFF", compression="tiff_lzw"),
    "TIFF, RGBA": _by_pillow("RGBA", "TIFF"),
    "TIFF, CMYK": _by_pillow("CMYK", "TIFF"),
    "TIFF, 16-bit grey": _by_pillow("I;16", "TIFF"),
    "TIFF, 16-bit RGB": _by_tifffile(3, "rgb"),
    "TIFF, 16-bit RGB, opacity": _by_tifffile(4, "rgb", extrasamples=[1]),
    "TIFF, 16-bit CIELAB": _by_tifffile(3, "cielab"),
    "PSD": _psd(3, 8),
    "PSD, 16-bit, opacity": _psd(4, 16),
    "WebP": _by_pillow("RGB", "WEBP", method=0),
    "WebP, opacity": _by_pillow("RGBA", "WEBP", method=0),
    "AVIF": _by_pillow("RGB", "AVIF", speed=10),
    "AVIF, opacity": _by_pillow("RGBA", "AVIF", speed=10),
    "JPEG 2000": _by_pillow("RGB", "JPEG2000", num_resolutions=2, quality_layers=[40]),
    "JPEG 2000, grey": _by_pillow("L", "JPEG2000", num_resolutions=2, quality_layers=[40]),
    "JPEG 2000, RGBA": _by_pillow("RGBA", "JPEG2000", num_resolutions=2, quality_layers=[40]),
    "JPEG 2000, 16-bit RGB": _jpeg2000(3),
    "BMP": _by_pillow("RGB", "BMP"),
    "TGA": _by_pillow("RGB", "TGA"),
    "PPM": _by_pillow("RGB", "PPM"),
    "SGI": _by_pillow("RGB", "SGI"),
}


def measure(name: str, sizes: list[float]) -> list[str]:
    """A row of the table."""
    found = [_measured(name, megapixels) for megapixels in sizes]
    if not all(found):
        return [name, "not made here", *[""] * 5]
    small, large = found
    each = (large["peak"] - small["peak"]) / (large["pixels"] - small["pixels"])
    estimated = (large["estimate"] - small["estimate"]) / (large["pixels"] - small["pixels"])
    fixed = large["estimate"] - estimated * large["pixels"]
    most = min((MOST_IMAGE_MEMORY - fixed) / estimated, MOST_PIXELS)
    row = [name, *(f"{each['peak'] / MB:,.0f} / {each['estimate'] / MB:,.0f}" for each in found)]
    row += [f"{each:.1f} / {estimated:.1f}", f"{large['file'] / large['pixels']:.1f}", f"{most / 1e6:,.0f}"]
    row.append(f"{large['seconds']:.1f}")
    print(" | ".join(row), file=sys.stderr, flush=True)
    return row


def _measured(name: str, megapixels: float) -> dict[str, float]:
    """What the process that converts the image has found; empty where the image can't be made."""
    side = int((megapixels * 1e6) ** 0.5) // 16 * 16
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "image")
        maker = (
            f"from pathlib import Path; from benchmarks.image_memory import KINDS; KINDS[{name!r}]({side}, Path({str(path)!r}))"
        )
        if subprocess.run([sys.executable, "-c", maker], check=False, stderr=subprocess.DEVNULL).returncode:
            return {}
        done = subprocess.run([sys.executable, "-c", CHILD, str(path)], capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found | {"pixels": side**2}


def main() -> None:
    """Measure, save and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.image_memory", description=__doc__)
    parser.add_argument("kinds", nargs="*", help="names of kinds; default: all")
    parser.add_argument("--megapixels", type=float, nargs=2, default=[6, 24])
    parser.add_argument("--results", type=Path, default=RESULTS, help="directory for image-memory.md")
    given = parser.parse_args()
    about = about_here()
    rows = [measure(name, given.megapixels) for name in given.kinds or KINDS]
    small, large = (f"{size:,.0f} megapixels" for size in given.megapixels)
    pairs = [f"{size}, MB" for size in (small, large)]
    heads = ["kind", *pairs, "bytes per pixel", "of which file", "largest by default, megapixels", "CPU, s"]
    page = "\n\n".join(
        [
            "# Memory that a worker takes for one image, measured and estimated",
            f"- Made by `python -m benchmarks.image_memory` on {about['date']}, commit {about['commit']}\n"
            f"- Square images of noise, of {small} and of {large}; each pair is measured / estimated",
            table(heads, rows),
            FOOT,
        ]
    )
    (given.results / "image-memory.md").write_text(page + "\n")
    print(page)


if __name__ == "__main__":
    main()
