"""What a C library prints on standard error, caught for a message."""

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

STDERR = 2
LOCK = threading.Lock()  # the descriptor is the whole process's


@contextmanager
def caught_words() -> Iterator[list[str]]:
    """Standard error of the whole process caught while the block runs; afterwards the list holds what was printed, in one line.

    Where there is no standard error, as in some services, nothing is caught.
    """
    words: list[str] = []
    with LOCK:
        try:
            kept = os.dup(STDERR)
        except OSError:
            yield words
            return
        with tempfile.TemporaryFile() as file:
            os.dup2(file.fileno(), STDERR)
            try:
                yield words
            finally:
                os.dup2(kept, STDERR)
                os.close(kept)
                file.seek(0)
                if printed := file.read().decode(errors="replace").replace("tempfile.tif: ", ""):
                    words.append(" ".join(printed.split()))
