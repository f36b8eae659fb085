"""Results of shards in the order of their arrival, with something to do while none comes."""

from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue
from typing import TypeVar

T = TypeVar("T")

SECONDS_BETWEEN_CALLS = 0.25


def arrivals(queue: "SimpleQueue[T]", count: int, waiting: Callable[[], None]) -> Iterator[T]:
    """The next `count` items of the queue; `waiting` is called four times per second until one comes."""
    for _ in range(count):
        while True:
            try:
                item = queue.get(timeout=SECONDS_BETWEEN_CALLS)
            except Empty:
                waiting()
            else:
                break
        yield item


def nothing() -> None:
    """Nothing to do while waiting."""
