"""The pool of threads, for tiny builds and tests."""

import threading
from concurrent.futures import ThreadPoolExecutor

from imagerecords.schemas.cancellation import stop_when
from imagerecords.schemas.current_image import DoneImages, report_images


class Threads(ThreadPoolExecutor):
    """`count` threads, whose steps end soon after `stop` is set."""

    def __init__(self, count: int, stop: threading.Event) -> None:
        self._of_threads: list[DoneImages] = []
        super().__init__(count, initializer=self._begin, initargs=(stop,))

    def _begin(self, stop: threading.Event) -> None:
        stop_when(stop)
        done = DoneImages()
        self._of_threads.append(done)
        report_images(done.begin)

    def images_done(self) -> int:
        """The images that are done of the shards in hand."""
        return sum(done.count for done in tuple(self._of_threads))
