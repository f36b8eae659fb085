"""What a C library prints on standard error, caught for a message."""

import os
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

STDERR = 2
LOCK = threading.Lock()  # the descriptor is the whole process's
# How the libraries' lines begin. Pillow gives libtiff the file name tempfile.tif; else libtiff names the function.
LIBTIFF = re.compile(
    r"(?:tempfile\.tif|_tiff\w*|\w*(?:TIFF|Fax|JPEG|LZW|ZIP|PackBits|ZSTD|LZMA|PixarLog|Thunder|LogL|Dump|NeXT|LERC)\w*"
    r"|MissingRequired|EvaluateIFDdatasizeReading|EstimateStripByteCounts|\w*Chop\w*Up\w*|Predictor\w*"
    r"|gt(?:Strip|Tile)\w*|(?:swab)?(?:hor|fp)\w*): "
)
OPENJPEG = re.compile(r"3rdparty/openjpeg|\s+CAN NOT CONVERT|\[(?:ERROR|WARNING)\]")


@contextmanager
def caught_words(library: re.Pattern[str]) -> Iterator[list[str]]:
    """A library's lines on standard error caught while the block runs; afterwards the list holds them, in one line.

    The descriptor is the process's: what others print meanwhile is printed afterwards. Where there is no standard error, as in
    some services, nothing is caught.
    """
    words: list[str] = []
    with LOCK:
        try:
            kept = os.dup(STDERR)
        except OSError:
            yield words
            return
        with _file() as file:
            os.dup2(file.fileno(), STDERR)
            try:
                yield words
            finally:
                os.dup2(kept, STDERR)
                os.close(kept)
                file.seek(0)
                lines = file.read().decode(errors="replace").splitlines(keepends=True)
                if others := [line for line in lines if not library.match(line)]:
                    os.write(STDERR, "".join(others).encode())
                if said := [line.replace("tempfile.tif: ", "").strip() for line in lines if library.match(line)]:
                    words.append(" ".join(dict.fromkeys(said)))


def _file() -> BinaryIO:
    """A file without a name, in memory where the system has such: a full temporary directory is no fault of the image."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("words"), "w+b")
    file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 (the caller closes it)
    return file
