"""Images as they are read, each with what is known of it; records that lie remote are fetched ahead, as images are."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from hashlib import sha256
from typing import NamedTuple

from imagerecords.schemas.receipt import Rejected
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.dataset.known_lookup import KnownImages, Outcome
from imagerecords.tasks.sources.fetch import Fetched, PlannedImage


class Read(NamedTuple):
    """An image with its bytes, or why it can't be had; the SHA-256 of its bytes, and its outcome where that is known."""

    image: PlannedImage
    data: bytes | Rejected
    digest: bytes | None
    outcome: Outcome | None


def with_outcomes(fetched: Iterable[Fetched], known: KnownImages | None, settings: BuildSettings) -> Iterator[Read]:
    """The images in their order."""
    if known is None or not known.has_remote_records:
        for image, data in fetched:
            yield _look_up(image, data, known)
        return
    window: deque[tuple[int, Future[Read]]] = deque()
    held = 0  # bytes of the images in the window
    with ThreadPoolExecutor(settings.read_ahead) as threads:
        try:
            for image, data in fetched:
                while window and (len(window) >= settings.read_ahead or held + image.size > settings.read_ahead_bytes):
                    size, first = window.popleft()
                    yield first.result()
                    held -= size
                window.append((image.size, threads.submit(_look_up, image, data, known)))
                held += image.size
            for _, future in window:
                yield future.result()
        finally:
            threads.shutdown(wait=False, cancel_futures=True)


def _look_up(image: PlannedImage, data: bytes | Rejected, known: KnownImages | None) -> Read:
    if isinstance(data, Rejected):
        return Read(image, data, None, None)
    digest = sha256(data).digest()
    return Read(image, data, digest, known.find(data, digest) if known else None)
