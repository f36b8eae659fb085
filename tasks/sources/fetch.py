"""The bytes of a shard's images, in the plan's order; read ahead where the input is remote.

The window that is read ahead is bounded in objects and in bytes, so that memory stays flat whatever the images' sizes.
"""

import errno
import os
import stat
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import pyarrow as pa

from imagerecords.schemas.messages import plural
from imagerecords.schemas.receipt import Reason, Rejected
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.images.process import refuse_bytes
from imagerecords.tasks.storage.bulk_read import FileChanged, Read, bulk_reader
from imagerecords.tasks.storage.folders import Folder

READ_AGAIN_AFTER = 0.2  # seconds, doubled each time
GONE = (FileNotFoundError, IsADirectoryError, NotADirectoryError)


class PlannedImage(NamedTuple):
    """A row of the plan; `boxes` and `objects` as its columns have them, None in a data set without any."""

    label: int
    path: str
    size: int
    version: str
    boxes: list[dict[str, Any]] | None
    objects: list[dict[str, Any]] | None = None
    labels: list[int] | None = None


Fetched = tuple[PlannedImage, bytes | Rejected]


def planned_images(rows: pa.Table) -> list[PlannedImage]:
    """The rows of a plan, in their order."""
    return list(map(PlannedImage._make, zip(*(rows[name].to_pylist() for name in PlannedImage._fields), strict=True)))


def fetch_images(source: Folder, rows: pa.Table, settings: BuildSettings) -> Iterator[Fetched]:
    """Each planned image with its bytes, or with why it can't be had.

    An image that is not the one that was planned is rejected, never mixed in. OSErrors that say nothing of this image
    alone (a failing disk, a server's 503) are raised: the shard is tried again.
    """
    images = planned_images(rows)
    if source.is_local:
        read = partial(_read_with_retries, source, settings.retries)
        for image in images:
            yield image, _attempt(read, image, settings)
        return
    read = partial(_read_remote, bulk_reader(source, settings.s3_reader))
    with ThreadPoolExecutor(settings.read_ahead) as threads:
        try:
            yield from _read_ahead(images, settings, lambda image: threads.submit(_attempt, read, image, settings))
        finally:
            threads.shutdown(wait=False, cancel_futures=True)


def _read_ahead(
    images: list[PlannedImage], settings: BuildSettings, submit: Callable[[PlannedImage], Future[bytes | Rejected]]
) -> Iterator[Fetched]:
    """The images in their order; while one is worked on, those behind it are fetched, as many as the settings allow."""
    window: deque[tuple[PlannedImage, Future[bytes | Rejected]]] = deque()
    held = 0  # bytes of the images in the window
    for image in images:
        while window and (len(window) >= settings.read_ahead or held + image.size > settings.read_ahead_bytes):
            first, future = window.popleft()
            yield first, future.result()
            held -= first.size
        window.append((image, submit(image)))
        held += image.size
    for first, future in window:
        yield first, future.result()


def _attempt(read: Callable[[PlannedImage], bytes], image: PlannedImage, settings: BuildSettings) -> bytes | Rejected:
    try:
        refuse_bytes(image.size, settings)  # before it is read
        return read(image)
    except Rejected as rejected:
        return rejected
    except GONE as error:
        return _unreadable(image, error) or Rejected(Reason.CHANGED_DURING_BUILD, "it was listed, and is gone")
    except PermissionError as error:
        return Rejected(Reason.UNREADABLE, f"permission denied: {error.strerror or error}")
    except OSError as error:
        if unreadable := _unreadable(image, error):
            return unreadable
        raise


def _unreadable(image: PlannedImage, error: OSError) -> Rejected | None:
    """A file that could not be read when it was listed (a link to nowhere, or to itself) can't change now."""
    if image.version != "unreadable":
        return None
    return Rejected(Reason.UNREADABLE, f"link that leads nowhere: {error.strerror or type(error).__name__}")


def _read_with_retries(source: Folder, retries: int, image: PlannedImage) -> bytes:
    """The bytes of a local file; a disk that can't read it is asked again, and then the image is left out, not the shard."""
    for attempt in range(retries + 1):
        try:
            return _read_local(source, image)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            if attempt < retries:
                time.sleep(READ_AGAIN_AFTER * 2**attempt)
    raise Rejected(Reason.UNREADABLE, f"the disk can't read it, {plural(retries + 1, 'attempt')}: {os.strerror(errno.EIO)}")


def _read_local(source: Folder, image: PlannedImage) -> bytes:
    with open(source.join(image.path), "rb", buffering=0, opener=_without_waiting) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise Rejected(Reason.CHANGED_DURING_BUILD, "not the file that was listed: no regular file now")
        data = file.read() if status.st_size <= image.size else b""
        version = str(os.fstat(file.fileno()).st_mtime_ns)
    if len(data) != image.size or version != image.version:
        raise Rejected(
            Reason.CHANGED_DURING_BUILD, f"not the file that was listed: {status.st_size} bytes now, {image.size} then"
        )
    return data


def _without_waiting(path: str, flags: int) -> int:
    """Open a file; one that was replaced by a named pipe does not wait for somebody to write to it."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _read_remote(read: Read, image: PlannedImage) -> bytes:
    try:
        return read(image.path, image.size, image.version)
    except FileChanged:
        raise Rejected(Reason.CHANGED_DURING_BUILD, "not the object that was listed: its version is another") from None
    except OSError as error:
        if error.errno and error.filename is None:  # else the shard that is being written would be named
            error.filename = image.path
        raise
