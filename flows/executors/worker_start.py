"""What runs in a worker process around its steps: its beginning, the image in hand, and its end with its parent."""

import contextlib
import functools
import importlib
import multiprocessing
import os
import signal
import struct
import threading
import traceback
from collections.abc import Callable
from multiprocessing import connection
from multiprocessing.reduction import DupFd
from typing import Any

from imagerecords.schemas.current_image import DoneImages, report_images

LONGEST_REPORT = 500  # characters: with a pipe's 64 KiB, a hundred workers can fail without one that waits for a reader
PLACE = 4096  # bytes of a worker's place in the file of images in hand, which starts at its process id times this
COUNT = struct.Struct("<q")  # at the beginning of a place: the images that are done of the shard in hand


class SharedFile:
    """An open file that a worker process gets with its start."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __reduce__(self) -> tuple[Callable[[Any], "SharedFile"], tuple[Any]]:
        """Pass the file's own number on in the child."""
        return _received, (DupFd(self.number),)


def _received(file: Any) -> SharedFile:
    return SharedFile(file.detach())


def begin_worker(
    report: "connection.Connection[Any, Any]", images: SharedFile, variables: dict[str, str], modules: list[str]
) -> None:
    """Set a worker process up and report that it has begun; the fork server has usually done its imports.

    The parent alone handles Ctrl-C, and a worker never outlives its parent.
    """
    os.environ.clear()
    os.environ.update(variables)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    report_images(functools.partial(_record_image, images.number, DoneImages()))
    trouble = ""
    try:
        for module in modules:
            importlib.import_module(module)
        threading.Thread(target=_end_with_parent, name="parent watch", daemon=True).start()
    except Exception as error:
        trouble = last_line("".join(traceback.format_exception_only(error)))
    with contextlib.suppress(OSError):  # the parent has just ended
        report.send((os.getpid(), trouble))
        if not trouble:
            return
    os._exit(1)


def _record_image(file: int, done: DoneImages, shard: str, path: str) -> None:
    text = COUNT.pack(done.begin(shard, path)) + os.fsencode(f"{shard}\0{path}"[: PLACE // 4])
    with contextlib.suppress(OSError):  # a full disk: the image would be neither named nor counted
        os.pwrite(file, text.ljust(PLACE if not path else len(text) + 1, b"\0"), os.getpid() * PLACE)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()  # watching getppid() would see the fork server
    os._exit(1)


def last_line(text: str) -> str:
    """The last line of an error's text, cut to LONGEST_REPORT."""
    lines = [line.strip() for line in text.splitlines() if line.strip(" '")]
    return (lines or ["no reason given"])[-1][:LONGEST_REPORT]
