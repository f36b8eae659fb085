"""Boxes laid out as the columns of a listing, by the policies of the settings, with their counts."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from imagerecords.schemas.boxes import (
    CORNERS,
    CROWD,
    KEPT,
    NAMELESS,
    NOT_FINITE,
    OF_UNLABELLED,
    OTHER_OBJECT,
    PLANNED_BOX,
    PLANNED_OBJECT,
    PLANNED_OBJECTS,
    RULES,
    SOUND,
    BoxCounts,
    BoxReason,
    FoundBoxes,
    Policy,
    clamp,
    problems_of,
)
from imagerecords.schemas.labels import NO_LABEL
from imagerecords.schemas.messages import NAMED, first_lines
from imagerecords.schemas.unicode_names import composed

MOST_OF_BOX = 1.05  # of a box is its object's area, with what rounding adds
NO_IMAGE = -1  # in place of an image's row


@dataclass(frozen=True)
class PlacedBoxes:
    """Boxes as a listing has them: its columns, their counts, what is wrong, and which of the found ones are in the columns.

    `object_labels` are the classes of objects by id, None where they are the labels.
    """

    column: pa.Array
    counts: BoxCounts
    errors: tuple[str, ...]
    is_planned: np.ndarray
    objects: pa.Array
    object_labels: tuple[str, ...] | None = None


class Naming(NamedTuple):
    """What boxes are called: the label of each image, the names of all labels, and those of objects where they have others."""

    image_labels: pa.ChunkedArray
    labels: tuple[str, ...]
    objects: tuple[str, ...] | None = None


def place_boxes(
    found: FoundBoxes, rows: np.ndarray, naming: Naming, policy: Policy, *, for_detection: bool = False
) -> PlacedBoxes:
    """The boxes as columns: a list for each image, in the order they were found.

    `rows` has the image of each box, or NO_IMAGE. A box whose own name is a label has that label's id, any other its image's;
    where objects have names of their own, each has its image's label, and its own class as an object.
    """
    with np.errstate(over="ignore"):  # they become infinite, which is reported
        corners = found.corners.astype(np.float32)
    faults = problems_of(corners)
    corrected = clamp(corners) if policy == "clamp" else corners
    own = _own_labels(found.names, naming.labels if naming.objects is None else naming.objects)
    left_out = found.left_out != KEPT
    usable = (faults != NOT_FINITE) & (problems_of(corrected) == SOUND)
    kept = usable & ~left_out
    placed = kept & (rows != NO_IMAGE)
    errors = _errors(found, faults, kept & ~placed, left_out) if policy == "fail" else []
    counts = BoxCounts(
        found=len(found) + len(found.malformed),
        planned=int(placed.sum()),
        clamped=int((placed & (corrected != corners).any(axis=1)).sum()),
        dropped=len(found.malformed) + int((~usable & ~left_out).sum()),
        of_no_image=int((kept & ~placed).sum()),
        excluded=int(left_out.sum()),
        reasons=tuple(_reasons(found, np.where(kept, SOUND, faults), placed, own)),
    )
    without_area, wrong_area = _without_area(found, corrected)
    if for_detection and (wrong := placed & wrong_area).any():
        reason = _reason(found, wrong, "written with their box's area, since the stated one is larger than the box")
        counts = counts.model_copy(update={"reasons": (*counts.reasons, reason)})
    order = np.flatnonzero(placed)[np.argsort(rows[placed], kind="stable")]
    images = naming.image_labels.combine_chunks().take(pa.array(rows[order])).cast(pa.int32())
    by_name = pc.if_else(pa.array(own[order] > 0), pa.array(own[order], pa.int32()), images).cast(pa.int32())
    columns = [pa.array(corrected[order, number]) for number in range(len(CORNERS))]
    label = by_name if naming.objects is None else images
    values = pa.StructArray.from_arrays([*columns, label], fields=list(PLANNED_BOX))
    edges = pa.array(np.concatenate([[0], np.cumsum(np.bincount(rows[order], minlength=len(naming.image_labels)))]), pa.int32())
    column, objects = pa.ListArray.from_arrays(edges, values), pa.nulls(len(naming.image_labels), PLANNED_OBJECTS)
    if for_detection:
        area = pa.array(found.areas[order], pa.float32(), mask=without_area[order])
        marks = (pa.array(mark[order]) for mark in (found.crowd, found.difficult))
        described = pa.StructArray.from_arrays([by_name, *marks, area], fields=list(PLANNED_OBJECT))
        objects = pa.ListArray.from_arrays(edges, described)
    return PlacedBoxes(column, counts, first_lines(errors), placed, objects, naming.objects)


def _without_area(found: FoundBoxes, corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which boxes have no area of their object that can be used, and which of them state one that can't be."""
    sides = np.maximum(corners[:, 2:] - corners[:, :2], 0)
    with np.errstate(invalid="ignore"):
        usable = (found.areas > 0) & (found.areas <= sides.prod(axis=1) * MOST_OF_BOX)
        return ~usable, ~usable & (found.areas > 0)


def nameless(found: FoundBoxes) -> np.ndarray:
    """Which boxes that are not left out have no name of their object."""
    without: np.ndarray = found.names.is_null().to_numpy(zero_copy_only=False) & (found.left_out == KEPT)
    return without


def _own_labels(names: pa.Array, labels: Sequence[str]) -> np.ndarray:
    """The id of the label that each object's name is, 0 where it is none."""
    ids = {composed(label): number for number, label in enumerate(labels, start=1)}
    coded = names.dictionary_encode()
    of_name = np.array([*(ids.get(composed(name), 0) for name in coded.dictionary.to_pylist()), 0], np.int32)
    own: np.ndarray = of_name[pc.fill_null(coded.indices, len(coded.dictionary)).to_numpy(zero_copy_only=False)]
    return own


def _errors(found: FoundBoxes, faults: np.ndarray, of_no_image: np.ndarray, left_out: np.ndarray) -> list[str]:
    """What makes a build fail with invalid_boxes=fail: all that can't be used or has no image."""
    wrong = np.flatnonzero((faults != SOUND) & ~left_out)
    places = found.places.take(pa.array(wrong)).to_pylist()
    errors = [*found.malformed]
    errors += [_mistake(found.corners[box], int(faults[box]), place) for box, place in zip(wrong, places, strict=True)]
    errors += [
        f"a box must be of an image of the input, got {image!r}: {place}. Correct the name, or pass --invalid_boxes clamp"
        for image, place in _rows_of(found, of_no_image & (faults == SOUND))
    ]
    return errors


def _rows_of(found: FoundBoxes, mask: np.ndarray) -> Iterable[tuple[str, str]]:
    """The image and the place of some boxes."""
    keep = pa.array(mask)
    return zip(found.images.filter(keep).to_pylist(), found.places.filter(keep).to_pylist(), strict=True)


def _reasons(found: FoundBoxes, faults: np.ndarray, placed: np.ndarray, own: np.ndarray) -> Iterable[BoxReason]:
    """Why boxes are not written, or not as their file has them."""
    if found.malformed:
        yield BoxReason(reason="can't be read", count=len(found.malformed), first=tuple(map(_short, found.malformed[:NAMED])))
    is_in = found.left_out == KEPT
    for fault in range(1, len(RULES)):
        if (of_fault := is_in & (faults == fault)).any():
            yield _reason(found, of_fault, f"dropped, since they must {RULES[fault]}")
    if (of_no_image := is_in & (faults == SOUND) & ~placed).any():
        yield _reason(found, of_no_image, "of no image")
    if (is_crowd := found.left_out == CROWD).any():
        yield _reason(found, is_crowd, "left out as crowd regions (setting crowd)")
    if (without := found.left_out == NAMELESS).any():
        yield _reason(found, without, "left out, since their object has no name (setting object_labels)")
    if (of_none := found.left_out == OF_UNLABELLED).any():
        yield _reason(found, of_none, "left out, since neither their object's name is a label nor has their image one")
    is_other = _has_other_name(found, own)
    for mask, what in ((is_other & placed, "with their image's label"), (found.left_out == OTHER_OBJECT, "left out")):
        if not mask.any():
            continue
        names = Counter(found.names.filter(pa.array(mask)).to_pylist())
        first = tuple(f"{name!r} ({count:,})" for name, count in names.most_common(NAMED))
        others = f", {len(names):,} names" if len(names) > NAMED else ""
        text = f"{what}, since their object's name is no label (setting object_labels{others})"
        yield BoxReason(reason=text, count=int(mask.sum()), first=first, of_names=True)


def leave_out_objects(found: FoundBoxes, labels: Sequence[str]) -> FoundBoxes:
    """The boxes with those of objects marked whose name is no label, as object_labels=drop asks for."""
    other = _has_other_name(found, _own_labels(found.names, labels)) & (found.left_out == KEPT)
    return replace(found, left_out=np.where(other, np.int8(OTHER_OBJECT), found.left_out))


def leave_out_unnamed(found: FoundBoxes, rows: np.ndarray, naming: Naming) -> FoundBoxes:
    """The boxes with those marked that would have the label of their image, which has none."""
    unlabelled = np.append(naming.image_labels.to_numpy() == NO_LABEL, False)  # the last is for NO_IMAGE
    unnamed = unlabelled[rows] & (_own_labels(found.names, naming.labels) == 0) & (found.left_out == KEPT)
    return replace(found, left_out=np.where(unnamed, np.int8(OF_UNLABELLED), found.left_out))


def _has_other_name(found: FoundBoxes, own: np.ndarray) -> np.ndarray:
    """Which boxes name their object, by a name that is no label."""
    named: np.ndarray = (own == 0) & found.names.is_valid().to_numpy(zero_copy_only=False)
    return named


def _reason(found: FoundBoxes, mask: np.ndarray, text: str) -> BoxReason:
    rows = np.flatnonzero(mask)
    some = np.zeros(len(mask), bool)
    some[rows[:NAMED]] = True
    first = tuple(f"{image!r} ({_base(place)})" for image, place in _rows_of(found, some))
    return BoxReason(reason=text, count=len(rows), first=first)


def _short(problem: str) -> str:
    """A problem with its place named without folders: the data card names no place on a machine."""
    text, colon, place = problem.rpartition(": ")
    return f"{text}{colon}{_base(place)}"


def _base(place: str) -> str:
    return place.rpartition("/")[2]


def _mistake(corners: np.ndarray, fault: int, place: str) -> str:
    numbers = ", ".join(f"{number:g}" for number in corners)
    return f"a box must {RULES[fault]}, got {numbers}: {place}. Correct it, or pass --invalid_boxes clamp"
