"""The images that the page shows: which ones, their pictures, and what is known of each."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from imagerecords.schemas.data_card import Category, Metric, Picture, Problem
from imagerecords.schemas.messages import plural
from imagerecords.schemas.receipt import WRITTEN
from imagerecords.tasks.data_card.drawn import Drawn
from imagerecords.tasks.data_card.gallery import WITHOUT_PICTURE, rejection, rows_of_problems
from imagerecords.tasks.data_card.overview import Overview
from imagerecords.tasks.data_card.pictures import PictureSource, described, of_row, with_pictures
from imagerecords.tasks.data_card.rows import Rows
from imagerecords.tasks.data_card.sheets import choose
from imagerecords.tasks.storage.folders import Folder

BUDGET = 5_500_000  # characters of all pictures
LABEL_BYTES = 100  # of a label in the table, which the pictures leave room for
LEAST_BUDGET = 3_000_000
# The longer side in pixels by the largest number of pictures.
SIDES = ((240, 320), (600, 224), (950, 160))
SMALLEST_SIDE = 112


def make_pictures(
    overview: Overview, problems: Sequence[Problem], inputs: Mapping[str, Folder], drawn: Mapping[str, Drawn]
) -> tuple[Picture, ...]:
    """The pictures of the problems and of samples, by label and row, or those of them that are `drawn` already.

    `inputs` are the input's folders by split, if known.
    """
    rows, labels = overview.rows, overview.labels
    numbers = rows.written()
    of_problems = rows_of_problems(problems)
    place_of = {number: place for place, number in enumerate(numbers.tolist())} if of_problems else {}
    known = {place_of[row] for row in of_problems if row in place_of}
    chosen = [*of_problems, *(int(numbers[place]) for place in choose(overview.written, labels, known, overview.charts))]
    side = next((side for most, side in SIDES if len(chosen) <= most), SMALLEST_SIDE)
    sources = [_source(rows, row, inputs) for row in rows.take(chosen)]
    budget = max(LEAST_BUDGET, BUDGET - LABEL_BYTES * len(labels))
    return tuple(sorted(with_pictures(sources, side, budget, drawn), key=lambda picture: (picture.label or 0, picture.row)))


def _source(rows: Rows, row: dict[str, object], inputs: Mapping[str, Folder]) -> PictureSource:
    if row["status"] == WRITTEN:
        return of_row(rows.folder, row)
    picture = described(row, rejection(row))
    folder = inputs.get(str(row["split"]))
    if folder is None or row["reason"] in WITHOUT_PICTURE:
        return PictureSource(picture)
    return PictureSource(picture, folder, str(row["path"]), size=int(str(row["source_size"] or 0)))


def metrics_of(pictures: Sequence[Picture], overview: Overview) -> tuple[Metric, ...]:
    """Each metric's values and percentiles, for the images on the page."""
    shown = np.array([picture.row for picture in pictures if picture.record is not None or not picture.note], np.int64)
    places = np.searchsorted(overview.rows.written(), shown)
    metrics = []
    for metric in overview.metrics.values():
        finite = np.sort(metric.values[np.isfinite(metric.values)])
        values = metric.values[places]
        below, above = (np.searchsorted(finite, values, side=side) for side in ("left", "right"))
        percent = (below + above) * 50 / finite.size
        has = np.isfinite(values)
        metrics.append(
            Metric(
                metric.key,
                metric.title,
                metric.low,
                metric.high,
                dict(zip(shown[has].tolist(), values[has].tolist(), strict=True)),
                dict(zip(shown[has].tolist(), percent[has].round(1).tolist(), strict=True)),
            )
        )
    return tuple(metrics)


def categories_of(pictures: Sequence[Picture], written: pa.Table) -> tuple[Category, ...]:
    """The formats of all images, and what only pictures say: colours, cameras, and sizes of boxes."""
    found = []
    if "source_format" in written.column_names and written["source_format"].null_count < written.num_rows:
        counts = written["source_format"].value_counts().to_pylist()
        by_format = {str(each["values"] or "unknown"): each["counts"] for each in counts}
        found.append(Category("format", "Formats", "Of the input files of all images.", _by_count(by_format)))
    drawn = [picture for picture in pictures if picture.data_uri and not picture.note]
    of = f"Of the {plural(len(drawn), 'image')} with a picture in this file."
    if drawn:
        colours: dict[str, int] = {}
        cameras: dict[str, int] = {}
        for picture in drawn:
            colour = "grey" if picture.is_grey else "colour"
            colours[colour] = colours.get(colour, 0) + 1
            cameras[picture.camera or "not recorded"] = cameras.get(picture.camera or "not recorded", 0) + 1
        found.append(Category("colour", "Colour", of, _by_count(colours)))
        found.append(Category("camera", "Cameras, by EXIF", of, _by_count(cameras)))
    sizes = [box_size((box.xmax - box.xmin) * (box.ymax - box.ymin)) for picture in drawn for box in picture.boxes]
    if sizes:
        counts_by_size = {name: sizes.count(name) for name in ("small", "medium", "large")}
        found.append(Category("box", "Boxes by size", f"Side of a box by that of the image. {of}", counts_by_size))
    return tuple(found)


def box_size(area: float) -> str:
    """A box's size in words, by the share of the image that it covers: its side below a tenth of the image's, or a third."""
    return "small" if area < 0.01 else "medium" if area < 1 / 9 else "large"


def _by_count(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
