"""Which image a worker has in hand, so that the build can name the one at which it died, and count those that are done."""

import threading
from collections.abc import Callable

Report = Callable[[str, str], object]

_thread = threading.local()


def report_images(report: Report) -> None:
    """Have `report` called with shard and path of each image that this thread begins."""
    _thread.report = report


def begin_image(shard: str, path: str) -> None:
    """Record the image that is begun; with an empty path, that none is."""
    report: Report | None = getattr(_thread, "report", None)
    if report is not None:
        report(shard, path)


class DoneImages:
    """The number of images that are done of the shard in hand, from the reports of those that are begun."""

    def __init__(self) -> None:
        self._shard = ""
        self._begun = 0

    def begin(self, shard: str, path: str) -> int:
        """Count the image that is begun, with an empty path none, and return the number of those before it."""
        self._begun = 0 if not path else self._begun + 1 if shard == self._shard else 1
        self._shard = shard
        return self.count

    @property
    def count(self) -> int:
        """How many are done."""
        return max(0, self._begun - 1)
