"""Which image a worker process has in hand, so that its parent can name the one at which it died."""

from collections.abc import Callable

_report: Callable[[str, str], None] | None = None


def report_images(report: Callable[[str, str], None]) -> None:
    """Have `report` called with shard and path of each image that this process begins."""
    global _report  # noqa: PLW0603
    _report = report


def begin_image(shard: str, path: str) -> None:
    """Record the image that is begun; with an empty path, that none is."""
    if _report is not None:
        _report(shard, path)
