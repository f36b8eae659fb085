"""The Examples of a data set, and the boxes in them."""

from imagerecords.schemas.boxes import CORNERS
from imagerecords.tasks.records.example import parse_example
from imagerecords.tasks.records.frames import read_frames


def examples(output, split="train"):
    for shard in sorted(output.glob(f"{split}-*")):
        with shard.open("rb") as file:
            yield from (parse_example(record.data) for record in read_frames(file, resume=False))


def boxes_of(features):
    """The boxes of a record: label id, xmin, ymin, xmax, ymax."""
    return list(zip(*(features[f"image/object/bbox/{name}"] for name in ("label", *CORNERS)), strict=True))
