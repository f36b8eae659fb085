"""Whether an image was refused for want of the machine's memory, which says nothing of the image."""

import io
from collections.abc import Iterator

from PIL import Image

BYTES_PER_PIXEL = 16  # a decoded picture with alpha, its copy in another mode, and the encoder's
LEAST_BYTES = 64 << 20
WORDS = ("insufficient memory", "out of memory", "cannot allocate", "bad_alloc")  # of libjpeg, libtiff, codecs in C++


def refused_for_memory(error: BaseException, data: bytes) -> bool:
    """Whether a decoder's error is the machine's: it ran out of memory, and what the image takes is not to be had.

    Damaged files too make decoders ask for more memory than there is; those are refused with any amount of it.
    """
    return any(map(_is_about_memory, _causes(error))) and not _is_there(_bytes_needed(data))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _is_about_memory(error: BaseException) -> bool:
    return isinstance(error, MemoryError) or any(word in str(error).lower() for word in WORDS)


def _bytes_needed(data: bytes) -> int:
    try:
        with Image.open(io.BytesIO(data)) as image:
            return BYTES_PER_PIXEL * image.width * image.height + LEAST_BYTES
    except Exception:  # Pillow's plugins raise anything; a size that can't be read is no large one
        return LEAST_BYTES


def _is_there(size: int) -> bool:
    try:
        bytearray(size)
    except MemoryError:
        return False
    return True
