"""Images that may have a wrong label: all images that look most like them have another one.

Images are compared by what the manifest has: the 64 bits of the difference hash, brightness, contrast, sharpness and aspect.
For many data sets that is too little to separate labels, and then nothing is reported: the search says how often an image's
neighbours agree with its label, and gives up below AGREEMENT. Every image is compared with at most MOST of the data set.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from imagerecords.tasks.dataset.label_columns import has_several

NEIGHBOURS = 8
AGREEMENT = 0.5  # of images have the label of most of their neighbours: else neighbours say nothing about labels
ABOVE_CHANCE = 2.0  # times the share of the largest label
MOST = 6000
HASH_WEIGHT = 0.35  # of one bit beside a metric's standard deviation
CHUNK = 128  # of images compared with all others at once; 512 take 100 MB
METRICS = ("brightness", "contrast", "sharpness")

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Suspect:
    """An image, a place in the table, with the label of its neighbours, and the nearest of those."""

    place: int
    other: int
    share: float
    neighbours: tuple[int, ...]


@dataclass(frozen=True)
class Suspects:
    """The suspects, the surest first; `agreement` is the share of images that have the label of their neighbours.

    Where neighbours say nothing about labels, it is not meaningful, and nothing is found.
    """

    agreement: float
    compared: int
    is_meaningful: bool = False
    found: tuple[Suspect, ...] = ()


def find_mislabels(written: pa.Table) -> Suspects:
    """The images of a manifest's written rows whose neighbours all have one other label; none where images have several."""
    if has_several(written) or "dhash" not in written.column_names or written.num_rows <= 3 * NEIGHBOURS:
        return Suspects(0.0, 0)
    known = np.flatnonzero(pc.is_valid(written["dhash"]).to_numpy())
    if len(known) <= 3 * NEIGHBOURS:
        return Suspects(0.0, 0)
    places = known[np.unique(np.linspace(0, len(known) - 1, min(MOST, len(known))).astype(np.int64))]
    sample = written.take(places)
    label = sample["label"].to_numpy()
    if len(np.unique(label)) < 2:
        return Suspects(0.0, 0)
    near = _nearest(_features(sample))
    labels = label[near]
    most = np.array([np.bincount(each).argmax() for each in labels - labels.min()]) + labels.min()
    share = (labels == most[:, None]).mean(axis=1)
    agreement = float((most == label).mean())
    suspect = np.flatnonzero((most != label) & (share >= 1 - 1 / NEIGHBOURS) & ~(labels == label[:, None]).any(axis=1))
    suspect = suspect[np.argsort(-share[suspect], kind="stable")]
    found = tuple(Suspect(int(places[at]), int(most[at]), float(share[at]), tuple(places[near[at]].tolist())) for at in suspect)
    chance = float(np.unique(label, return_counts=True)[1].max()) / len(label)
    is_meaningful = agreement >= max(AGREEMENT, min(0.9, ABOVE_CHANCE * chance))
    return Suspects(agreement, len(places), is_meaningful, found if is_meaningful else ())


def _features(sample: pa.Table) -> npt.NDArray[np.float32]:
    bits = np.unpackbits(sample["dhash"].to_numpy().astype(">u8").view(np.uint8).reshape(-1, 8), axis=1).astype(np.float32)
    height, width = (sample[name].to_numpy().astype(np.float32) for name in ("height", "width"))
    columns = [_float(sample[name]) for name in METRICS]
    columns[2] = np.log(np.maximum(columns[2], 1e-9))
    columns.append(np.log(np.maximum(width, 1) / np.maximum(height, 1)))
    scaled = [(each - np.nanmean(each)) / max(float(np.nanstd(each)), 1e-6) for each in columns]
    return np.concatenate([bits * HASH_WEIGHT, np.nan_to_num(np.stack(scaled, axis=1))], axis=1).astype(np.float32)


def _float(column: pa.ChunkedArray) -> npt.NDArray[np.float32]:
    values: npt.NDArray[np.float32] = column.fill_null(float("nan")).to_numpy()
    return values


def _nearest(features: npt.NDArray[np.float32]) -> Numbers:
    """The places of each one's nearest others, the nearest first."""
    squares = (features**2).sum(axis=1)
    nearest = []
    for start in range(0, len(features), CHUNK):
        part = features[start : start + CHUNK]
        distance = squares - 2 * part @ features.T
        distance[np.arange(len(part)), np.arange(start, start + len(part))] = np.inf
        few = np.argpartition(distance, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
        order = np.argsort(np.take_along_axis(distance, few, axis=1), axis=1, kind="stable")
        nearest.append(np.take_along_axis(few, order, axis=1))
    return np.concatenate(nearest)
