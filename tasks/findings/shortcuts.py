"""Shortcuts: labels that can be recognised by something other than what is in the picture.

A model learns the brightness, size, shape or file format of a label's images instead of its content, if that is enough. A label
is reported where one metric, or one name such as the format, separates its images from all others.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

SEPARATION = 0.97  # the chance that an image of the label has more of the metric than one of the others
SHARE, REST = 0.9, 0.1  # of a label's images, and of the others, that have a name
FEWEST = 8  # images of a label

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Shortcut:
    """A label that a metric separates from the rest: `is_high` is which end, `strength` from 0 to 1; or a name that does."""

    label: int
    key: str
    strength: float
    is_high: bool = True
    name: str = ""


def by_metric(label: Numbers, metrics: Mapping[str, npt.NDArray[np.float64]]) -> list[Shortcut]:
    """Labels that a metric separates from all other images, the strongest first, each metric's best end."""
    found = []
    for key, values in metrics.items():
        known = np.isfinite(values)
        of, these = label[known], values[known]
        if not len(these) or float(these.min()) == float(these.max()):
            continue
        numbers, place, counts = np.unique(of, return_inverse=True, return_counts=True)
        sums = np.bincount(place, weights=_ranks(these))
        rest = len(of) - counts
        above = (sums - counts * (counts + 1) / 2) / np.maximum(counts * rest, 1)
        strength = np.maximum(above, 1 - above)
        for at in np.flatnonzero((counts >= FEWEST) & (rest >= FEWEST) & (strength >= SEPARATION)):
            found.append(Shortcut(int(numbers[at]), key, float(strength[at]), is_high=bool(above[at] > 0.5)))
    return sorted(found, key=lambda each: (-each.strength, each.label, each.key))


def by_name(label: Numbers, key: str, names: npt.NDArray[np.object_]) -> list[Shortcut]:
    """Labels almost all of whose images have one name that hardly any other image has."""
    found = []
    everywhere = dict(zip(*np.unique(names, return_counts=True), strict=True)) if len(names) else {}
    for number in np.unique(label):
        ours = names[label == number]
        rest = len(names) - len(ours)
        if len(ours) < FEWEST or rest < FEWEST:
            continue
        values, counts = np.unique(ours, return_counts=True)
        name, count = values[counts.argmax()], int(counts.max())
        if name and count / len(ours) >= SHARE and (everywhere[name] - count) / rest <= REST:
            found.append(Shortcut(int(number), key, count / len(ours), name=str(name)))
    return sorted(found, key=lambda each: (-each.strength, each.label))


def _ranks(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Ranks from 1, the same for equal values."""
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks: npt.NDArray[np.float64] = ((ends - counts + 1 + ends) / 2)[which]
    return ranks
