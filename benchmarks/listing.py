"""How the other contenders list label folders, and how all contenders print their results."""

import itertools
import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

SHARDS = 16
SEED = 12345
T = TypeVar("T")


class LabelledFile(NamedTuple):
    """An image file with its label's id (from 1) and text."""

    path: str
    label: int
    text: str


def labelled_files(directory: str) -> list[LabelledFile]:
    """All files of the label folders, shuffled, because all contenders write in an order suitable for training."""
    labels = sorted(entry.name for entry in os.scandir(directory) if entry.is_dir())
    files = [
        LabelledFile(str(path), number, label)
        for number, label in enumerate(labels, start=1)
        for path in sorted(Path(directory, label).iterdir())
    ]
    random.Random(SEED).shuffle(files)
    return files


def slices(items: list[T], count: int) -> Iterator[list[T]]:
    """The items in `count` contiguous parts of nearly equal length."""
    edges = [len(items) * number // count for number in range(count + 1)]
    for start, end in itertools.pairwise(edges):
        yield items[start:end]


def print_result(images: int, work_seconds: float) -> None:
    """Print the result of a contender's run: the images written, and the time of the work without start-up and imports."""
    print(json.dumps({"images": images, "work_seconds": work_seconds}), flush=True)
