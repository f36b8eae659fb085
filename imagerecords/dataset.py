"""A finished data set, read from Python: any record by its number, without TensorFlow and without Prefect.

Arrow and fsspec are imported when a data set is opened, not with this module.
"""

import operator
import os
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

from imagerecords.record import Record
from imagerecords.schemas.errors import CorruptRecord
from imagerecords.schemas.html_table import html_table
from imagerecords.schemas.messages import plural
from imagerecords.schemas.secrets import refuse_secrets
from imagerecords.schemas.splits import EVERY_SPLIT, FOLDS
from imagerecords.schemas.summary import MIB

if TYPE_CHECKING:
    import tensorflow

    from imagerecords.tasks.dataset.places import Found, Places
    from imagerecords.tasks.records.random_access import RandomReader

JOINED = "+"  # between the names of splits in the name of a Split of several
BLOCK = 8 * MIB  # bytes that iteration reads at once


class Split(Sequence[Record]):
    """The records of a split, or of a slice of one, by number from 0.

    Each access reads one record at its offset and checks both its CRCs. Iteration reads blocks of 8 MiB. A Split can be
    pickled, shared by threads and used in forked processes: PyTorch's DataLoader and grain take it directly. Records are in the
    manifest's order, which the build has shuffled.
    """

    def __init__(self, name: str, reader: "RandomReader", places: "Places", labels: Mapping[int, str]) -> None:
        self.name = name
        self._reader = reader
        self._places = places
        self._labels = labels

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, number: SupportsIndex) -> Record: ...

    @overload
    def __getitem__(self, number: slice) -> "Split": ...

    def __getitem__(self, number: SupportsIndex | slice) -> "Record | Split":
        """A record, from the end if negative; or a Split of the part that a slice selects, for which nothing is read.

        Raises IndexError where there is no such record, CorruptRecord where it is damaged or is not the manifest's, and
        Incomplete where its file is gone.
        """
        if isinstance(number, slice):
            return Split(self.name, self._reader, self._places[number], self._labels)
        position = self._position(number)
        return next(self._records(position, position + 1))

    def __getitems__(self, numbers: Sequence[SupportsIndex]) -> list[Record]:
        """The records of these numbers, read concurrently from S3. PyTorch's DataLoader calls this for a batch."""
        positions = [self._position(number) for number in numbers]
        datas = self._reader.read_scattered([self._places.place(position) for position in positions])
        return [self._record(position, data) for position, data in zip(positions, datas, strict=True)]

    def _position(self, number: SupportsIndex) -> int:
        index, count = operator.index(number), len(self)
        if not -count <= index < count:
            limits = f"at least {-count} and less than {count}"
            raise IndexError(f"a record's number must be {limits}, got {index}: split {self.name!r} of {self._reader.url}")
        return index % count

    def __iter__(self) -> Iterator[Record]:
        for start, stop in self._places.spans(BLOCK):
            yield from self._records(start, stop)

    def _records(self, start: int, stop: int) -> Iterator[Record]:
        """The records of one span, read at once."""
        for position, data in enumerate(read_span(self._reader, self._places, start, stop), start):
            yield self._record(position, data)

    def _record(self, position: int, data: bytes) -> Record:
        from imagerecords.tasks.dataset.record_rows import split_of
        from imagerecords.tasks.records.features import read_features
        from imagerecords.tasks.records.image import image_label, image_text

        shard, place = self._places.place(position)
        try:
            features = read_features(data)
        except ValueError as error:
            where = f"record {place.number} at byte {place.offset}"
            raise CorruptRecord(f"{where} must be a tf.train.Example, got: {error}: {self._reader.url}/{shard}") from error
        label, text = image_label(features), image_text(features)
        if text is None and label is not None:
            text = self._labels.get(label)
        split = split_of(shard) if JOINED in self.name else self.name
        return Record(split, shard, place.number, self._places.path[position].as_py(), label, text, features)

    def tf(  # noqa: PLR0913  # one parameter per option, so that editors show them
        self,
        *,
        batch: int | None = None,
        image_size: tuple[int, int] | None = None,
        shuffle: bool | int = False,
        seed: int | None = None,
        drop_remainder: bool = False,
        labels_from_zero: bool = False,
        interpolation: str = "bilinear",
        antialias: bool = False,
        crop_to_aspect_ratio: bool = False,
        num_parallel_calls: int | None = None,
    ) -> "tensorflow.data.Dataset":
        """A tf.data.Dataset of (image, label), with its cardinality set, prefetching; needs TensorFlow.

        Images are RGB, uint8 of shape (height, width, 3) as decoded, or float32 from 0 to 255 when resized; labels are int64
        scalars, or, where images have several, float32 vectors with a 1 at each of their ids. With `batch` both have a first
        dimension more, and the last batch is smaller unless `drop_remainder`.

        - `image_size` is (height, width) in pixels, to which each image is resized by `interpolation` (a method of
          tf.image.resize) and `antialias`; with `crop_to_aspect_ratio` its centre is cut out first, else it is distorted.
          Without `image_size` a batch needs images of one size.
        - `shuffle=True` shuffles the files, interleaves 16 of them, and shuffles their records, still encoded, in a buffer of
          up to 256 MiB; a number is the buffer's size in records. From S3 blocks of 8 MiB are shuffled instead of files. With a
          `seed` a new Dataset gives the same order again; each epoch of one Dataset has another order. Without `shuffle` the
          order is the Split's.
        - `labels_from_zero` subtracts the first label's id: labels are then indexes into `Dataset.labels`.
        - `num_parallel_calls` is the number of images decoded in parallel; None leaves it to tf.data.

        JPEGs are decoded with dct_method="INTEGER_ACCURATE", to the pixels that Pillow gives. Files on a local disk are read by
        TensorFlow, others through fsspec in blocks of 8 MiB.

        Raises BadSettings for wrong or contradicting options, and for images of several sizes in a batch.
        """
        if find_spec("tensorflow") is None:
            raise ModuleNotFoundError(
                "tf() needs TensorFlow, which is not installed. Run pip install tensorflow", name="tensorflow"
            )
        from imagerecords.tf_input import TfOptions, tf_dataset

        options = TfOptions(
            batch=batch,
            image_size=image_size,
            shuffle=shuffle,
            seed=seed,
            drop_remainder=drop_remainder,
            labels_from_zero=labels_from_zero,
            interpolation=interpolation,
            antialias=antialias,
            crop_to_aspect_ratio=crop_to_aspect_ratio,
            num_parallel_calls=num_parallel_calls,
        )
        return tf_dataset(self._reader, self._places, self._labels, options)

    def __repr__(self) -> str:
        return f"<Split {self.name!r} of {self._reader.url!r}: {plural(len(self), 'record')}>"

    def _row(self) -> tuple[str, str, str, str]:
        """Name, records, files and MiB, as text for a table."""
        places = self._places
        files = len(set(places.file.tolist()))
        return self.name, f"{len(self):,}", f"{files:,}", f"{int(places.size.sum()) / MIB:,.1f}"


class Dataset(Mapping[str, Split]):
    """The splits of a data set by name.

    `labels` are the labels' names in the order of their ids, `label_ids` the ids, from 1 in data sets built here. A label may
    have no record.
    """

    def __init__(self, url: str, reader: "RandomReader", found: "Found") -> None:
        self.url = url
        self.labels: tuple[str, ...] = tuple(found.labels.values())
        self.label_ids: tuple[int, ...] = tuple(found.labels)
        names = sorted(
            found.places, key=lambda name: (EVERY_SPLIT.index(name) if name in EVERY_SPLIT else len(EVERY_SPLIT), name)
        )
        self._splits = {name: Split(name, reader, found.places[name], found.labels) for name in names}

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits' names: train, validation and test first."""
        return tuple(self._splits)

    def __getitem__(self, split: str) -> Split:
        """A split. Raises KeyError, which lists the splits, where there is none of this name."""
        try:
            return self._splits[split]
        except KeyError:
            raise KeyError(f"split must be one of {', '.join(self._splits)}, got {split!r}: {self.url}") from None

    def fold(self, number: int) -> tuple[Split, Split]:
        """The records of all other folds, to train with, and those of this fold, of a data set built with `folds`.

        The first one's name is an expression that TensorFlow Datasets reads: fold_1+fold_2. Raises KeyError, which lists the
        splits, where there is no such fold.
        """
        from imagerecords.tasks.dataset.places import Places

        held_out = self[f"fold_{number}"]
        others = [split for name, split in self._splits.items() if name in FOLDS and split is not held_out]
        if not others:
            raise KeyError(f"there must be several folds, got one: {self.url}")
        name, places = JOINED.join(split.name for split in others), Places.joined([split._places for split in others])
        return Split(name, held_out._reader, places, held_out._labels), held_out

    def __iter__(self) -> Iterator[str]:
        return iter(self._splits)

    def __len__(self) -> int:
        return len(self._splits)

    def __repr__(self) -> str:
        splits = ", ".join(f"{name} {len(split):,}" for name, split in self._splits.items())
        return f"<Dataset {self.url!r}: {plural(len(self.labels), 'label')}, records: {splits}>"

    def _repr_html_(self) -> str:
        rows = [split._row() for split in self._splits.values()]
        return html_table(("split", "records", "shards", "MiB"), rows, [f"{self.url}, {plural(len(self.labels), 'label')}"])


def open_dataset(url: str | os.PathLike[str], *, storage_options: Mapping[str, Any] | None = None) -> Dataset:
    """Open a finished data set, a directory or a URL such as s3://bucket/prefix, for reading.

    Reads the manifest, and no record. A folder of any program's TFRecord files, without a manifest, is opened too: then every
    record is read once, to find and check it. `storage_options` are fsspec's for remote places, without credentials.

    Raises BadInput where there is no data set, Incomplete where its build has not finished or files are missing, CorruptRecord
    where a file is not as long as the manifest says, and BadSettings where URL or options contain credentials.
    """
    from imagerecords.tasks.commands import catalogue
    from imagerecords.tasks.dataset.places import find_places, refuse_unfinished
    from imagerecords.tasks.records.random_access import RandomReader
    from imagerecords.tasks.storage.folders import open_folder

    place, options = os.fspath(url), dict(storage_options or {})
    refuse_secrets(options, url=place)
    folder = open_folder(place, options)
    refuse_unfinished(folder)
    catalogue.refuse_no_dataset(folder)
    reader = RandomReader(folder.path if folder.is_local else place, options)
    return Dataset(place, reader, find_places(folder))


def read_span(reader: "RandomReader", places: "Places", start: int, stop: int) -> list[bytes]:
    """The serialised Examples of the records from `start` to `stop`, neighbours in one file, by one read."""
    located = [places.place(number) for number in range(start, stop)]
    return reader.read(located[0][0], [place for _, place in located])
