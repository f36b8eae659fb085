"""Contender: the least work that any writer of checked images must do, in two processes, without a file format.

Read each file, decode all its coefficients (at 1/8 scale, libjpeg's warnings as errors), hash it, and write the bytes that a
record would contain: the file's own if it is an RGB JPEG, else an RGB JPEG of quality 100. The clock starts when the
processes are up and have imported everything. Nothing is framed, checksummed, synced, read back or accounted for.
"""

import hashlib
import io
import multiprocessing
import sys
import time
from multiprocessing.synchronize import Barrier

import simplejpeg
from PIL import Image

from benchmarks.listing import SHARDS, LabelledFile, labelled_files, print_result, slices

PROCESSES = 2
JPEG_START = b"\xff\xd8"
COLOUR = ("YCbCr", "RGB")


def as_rgb_jpeg(data: bytes) -> bytes:
    """The bytes themselves if they are an intact RGB JPEG, else the image encoded as one."""
    if data.startswith(JPEG_START):
        *_, colorspace, _ = simplejpeg.decode_jpeg_header(data)
        kind = "CMYK" if colorspace in ("CMYK", "YCCK") else "GRAY"
        simplejpeg.decode_jpeg(data, kind, min_height=1, min_width=1, strict=True)
        if colorspace in COLOUR:
            return data
    with Image.open(io.BytesIO(data)) as image:
        if image.has_transparency_data:
            whole = image.convert("RGBA")
            rgb = Image.alpha_composite(Image.new("RGBA", whole.size, "white"), whole).convert("RGB")
        else:
            rgb = image.convert("RGB")
    buffer = io.BytesIO()
    rgb.save(buffer, "JPEG", quality=100, subsampling="4:2:0")
    return buffer.getvalue()


def write_images(files: list[LabelledFile], path: str) -> int:
    """Check, hash and append the images of one shard; returns their number."""
    digests = []
    with open(path, "wb", buffering=1 << 20) as target:
        for file in files:
            with open(file.path, "rb", buffering=0) as source:
                data = source.read()
            digests.append(hashlib.sha256(data).digest())
            target.write(as_rgb_jpeg(data))
    return len(digests)


def begin(barrier: Barrier) -> None:
    """Wait until all processes are up."""
    barrier.wait()


def main() -> None:
    """Start the processes, then do the work and time only the work."""
    source, output = sys.argv[1:3]
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(PROCESSES + 1)
    with context.Pool(PROCESSES, begin, (barrier,)) as pool:
        barrier.wait()
        began = time.perf_counter()
        shards = [(files, f"{output}/{number:05d}") for number, files in enumerate(slices(labelled_files(source), SHARDS))]
        images = sum(pool.starmap(write_images, shards, chunksize=1))
        seconds = time.perf_counter() - began
    print_result(images, seconds)


if __name__ == "__main__":
    main()
