"""A shard's fingerprint covers all that its bytes depend on, and nothing else."""

from dataclasses import replace

import pyarrow as pa
import pytest

from imagerecords.schemas.boxes import PLANNED_BOXES, BoxCounts
from imagerecords.schemas.listing import COLUMNS, Listing
from imagerecords.tasks.planning.fingerprints import fingerprint

BEFORE = {
    "label": [1, 2],
    "path": ["cat/1.jpg", "dog/1.jpg"],
    "size": [10, 20],
    "version": ["1", "2"],
    "drop": [None, None],
}


@pytest.mark.parametrize(
    "after",
    [
        {"label": [2, 2]},
        {"path": ["cat/2.jpg", "dog/1.jpg"]},
        {"size": [11, 20]},
        {"version": ["1", "3"]},
        {"drop": [None, "a copy"]},
        {"path": BEFORE["path"][::-1], "label": [2, 1], "size": [20, 10], "version": ["2", "1"]},  # another order
    ],
)
def test_a_fingerprint_covers_each_planned_image(make_settings, after):
    settings, listing = make_settings(), of_labels("cat", "dog")
    other = fingerprint(pa.table(BEFORE | after), "in", listing, settings)
    assert other != fingerprint(pa.table(BEFORE), "in", listing, settings)


def of_labels(*labels, **more):
    return Listing(labels, {}, COLUMNS.empty_table(), **more)


def test_a_fingerprint_covers_root_label_names_and_content_settings(make_settings):
    rows, listing = pa.table(BEFORE), of_labels("cat", "dog")
    prints = [
        fingerprint(rows, "in", listing, make_settings()),
        fingerprint(rows, "other", listing, make_settings()),
        fingerprint(rows, "in", of_labels("cat", "hund"), make_settings()),
        fingerprint(rows, "in", of_labels("cat", "dog", texts=("Katze", "Hund")), make_settings()),
        fingerprint(rows, "in", of_labels("cat", "dog", texts=("Katze", "Dackel")), make_settings()),
        fingerprint(rows, "in", listing, make_settings(check_pixels="none")),
    ]
    assert len(set(prints)) == 6


BOX = {"xmin": 0.1, "ymin": 0.2, "xmax": 0.3, "ymax": 0.4, "label": 1}


def test_a_fingerprint_covers_boxes_their_images_and_their_order(make_settings):
    other = BOX | {"label": 2}
    counts = BoxCounts(found=2, planned=2, clamped=0, dropped=0, of_no_image=0)
    listing = of_labels("cat", "dog", boxes=counts)
    columns = [
        [[], []],  # a data set with boxes has other records, even where none is left
        [[BOX], []],
        [[], [BOX]],
        [[BOX | {"ymax": 0.41}], []],
        [[other], []],
        [[BOX, other], []],
        [[other, BOX], []],
        [[BOX], [other]],
    ]
    tables = [pa.table(BEFORE | {"boxes": pa.array(boxes, PLANNED_BOXES)}) for boxes in columns]
    prints = [fingerprint(table, "in", listing, make_settings()) for table in tables]
    prints.append(fingerprint(pa.table(BEFORE), "in", of_labels("cat", "dog"), make_settings()))
    prints.append(fingerprint(tables[1], "in", replace(listing, boxes_in_display_orientation=True), make_settings()))
    assert len(set(prints)) == len(columns) + 2
    twice = pa.concat_tables([tables[2], tables[1]])  # a shard's rows are a slice of all
    assert fingerprint(twice.slice(2), "in", listing, make_settings()) == prints[1]


def test_a_fingerprint_does_not_cover_speed(make_settings):
    rows = pa.table(BEFORE | {"label": [1, 1]})
    slow, fast = make_settings(workers=1, retries=0), make_settings(workers=9, retries=9, executor="processes")
    assert fingerprint(rows, "in", of_labels("cat"), slow) == fingerprint(rows, "in", of_labels("cat"), fast)
