"""One record of a data set, with its image, label and boxes."""

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from imagerecords.schemas.errors import CorruptRecord
from imagerecords.schemas.results import label_words

if TYPE_CHECKING:
    from PIL import Image

BOX_SIDES = ("xmin", "ymin", "xmax", "ymax")
BOX_LABELS = ("image/object/class/label", "image/object/bbox/label")  # of TensorFlow's object detection API; of this package
BOX_TEXTS = "image/object/class/text"


@dataclass(frozen=True, slots=True)
class Box:
    """A bounding box: sides relative to the image's width and height, from 0 to 1, and its class, id and text.

    Both are None where they are not recorded; with object_labels=own they are of `object_labels.txt`, not of the labels.
    """

    xmin: float
    ymin: float
    xmax: float
    ymax: float
    label: int | None
    text: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Record:
    """One record: its place, its label, and all features of its Example.

    `shard` and `number` say which file it is in and which record there; `path` is the input file's path as the manifest has it,
    or, in a data set without a manifest, the file name that the record gives. `label` is the id in the record (from 1 in data
    sets built here) and `text` its name; both are None in a record without a label. With several, `label` is the first, and
    `labels` and `texts` have all. `features` has every feature's values by
    key; the lists are shared and must not be changed.
    """

    split: str
    shard: str
    number: int
    path: str
    label: int | None
    text: str | None
    features: dict[str, list[Any]] = field(hash=False)

    @property
    def encoded(self) -> bytes:
        """The encoded image: the bytes of a JPEG in data sets built here."""
        from imagerecords.tasks.records.image import encoded_image

        return encoded_image(self.features)

    @property
    def labels(self) -> tuple[int, ...]:
        """The ids of all labels: one, several in data sets built with labels=many, or none."""
        from imagerecords.tasks.records.image import several_labels

        several = several_labels(self.features)["labels"]
        return tuple(several or ([] if self.label is None else [self.label]))

    @property
    def texts(self) -> tuple[str, ...]:
        """The names of all labels, in the order of `labels`; empty where they are not known."""
        from imagerecords.tasks.records.image import several_labels

        several = several_labels(self.features)["texts"]
        return tuple(several or ([] if self.text is None else [self.text]))

    @property
    def boxes(self) -> tuple[Box, ...]:
        """The bounding boxes; empty where there are none. Raises CorruptRecord where numbers of sides and labels differ."""
        sides = [list(self.features.get(f"image/object/bbox/{side}", ())) for side in BOX_SIDES]
        labels = next((list(self.features[key]) for key in BOX_LABELS if self.features.get(key)), [None] * len(sides[0]))
        if {len(values) for values in (*sides, labels)} != {len(labels)}:
            raise CorruptRecord(
                f"a record must have as many {', '.join(BOX_SIDES)} and labels of boxes, got "
                f"{', '.join(str(len(values)) for values in (*sides, labels))}: record {self.number} of {self.shard}"
            )
        texts: list[str | None] = [
            text.decode("utf-8", "replace") for text in self.features.get(BOX_TEXTS, ()) if isinstance(text, bytes)
        ]
        texts = texts if len(texts) == len(labels) else [None] * len(labels)
        return tuple(Box(*values) for values in zip(*sides, labels, texts, strict=True))

    def image(self) -> "Image.Image":
        """The image decoded by Pillow, mode RGB. Raises PIL.UnidentifiedImageError where Pillow does not know its format."""
        from PIL import Image

        with Image.open(io.BytesIO(self.encoded)) as image:
            return image.convert("RGB")

    def __repr__(self) -> str:
        label = label_words(self.label, self.text)
        return f"<Record {self.number} of {self.shard}: {self.path!r}, {label}, {len(self.encoded):,} bytes>"

    def _repr_jpeg_(self) -> bytes | None:
        encoded = self.encoded
        return encoded if encoded.startswith(b"\xff\xd8") else None
