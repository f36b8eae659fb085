"""The machine's memory: whether an image was refused for want of it, which says nothing of the image; and keeping it."""

import ctypes
import functools
import io
import sys

import numpy as np
from PIL import Image

from imagerecords.schemas.receipt import Reason, Rejected

BYTES_PER_PIXEL = 16  # a decoded picture with alpha, its copy in another mode, and the encoder's
LEAST_BYTES = 64 << 20
UNKNOWN_BYTES = 512 << 20  # of an image whose size can't be read
# Parameters of glibc's mallopt, and how much of the heap's free end it keeps; the second is the most that it takes.
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
KEPT_BYTES, LARGEST_IN_HEAP = 128 << 20, 32 << 20
BY_DECODERS = (Reason.CORRUPT, Reason.TRUNCATED, Reason.UNSUPPORTED)


def refused_for_memory(error: Exception, data: bytes) -> bool:
    """Whether a decoder's error may be the machine's: the memory that the image takes is not to be had.

    Not by the error's words: short of memory, the decoders of WebP and JPEG 2000 report a broken file.
    """
    if isinstance(error, Rejected) and (error.reason not in BY_DECODERS or error.__cause__ is None):
        return False
    return not _is_there(_bytes_needed(data))


def _bytes_needed(data: bytes) -> int:
    try:
        with Image.open(io.BytesIO(data)) as image:
            return BYTES_PER_PIXEL * image.width * image.height + LEAST_BYTES
    except Exception:  # Pillow's plugins raise anything
        return UNKNOWN_BYTES


def _is_there(size: int) -> bool:
    """Whether so many bytes can be had; none of them is touched, so that asking costs neither memory nor time."""
    try:
        np.empty(size, np.uint8)
    except MemoryError:
        return False
    return True


@functools.cache
def keep_freed_memory() -> None:
    """Have the process keep memory that a library frees, up to 128 MB, for its next use; once, and only with glibc.

    The coefficients of a photo of 12 megapixels are 37 MB, twice. Fetching fresh pages for them took longer than rotating.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(TRIM_THRESHOLD, KEPT_BYTES)
        mallopt(MMAP_THRESHOLD, LARGEST_IN_HEAP)


def release_kept_memory() -> None:
    """Give back the memory that the process keeps, before an image that takes nearly all that it may."""
    if keep_freed_memory.cache_info().currsize and sys.platform.startswith("linux"):
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
