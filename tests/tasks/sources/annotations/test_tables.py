"""Rows of CSV tables that would be read wrong: refused with their file and line, whatever the table is of."""

import pytest

from imagerecords.tasks.discover import survey
from imagerecords.tasks.sources.annotations.tables import CLASS_COLUMNS, CORNER_COLUMNS, FILE_COLUMNS
from imagerecords.tasks.sources.boxes_csv import NAMES
from tests.tasks.sources.annotations.writing import NAMED, pictures, put

DETECTIONS = "filename,width,height,class,xmin,ymin,xmax,ymax"
ROWS = [f"{scene.name},48,32,{scene.label},{','.join(map(str, scene.box))}" for scene in NAMED]


@pytest.fixture
def errors_of(tmp_path, make_settings):
    """`errors_of(lines)` are the errors of a folder with such a table and all pictures."""

    def errors_of(*lines, name="labels.csv"):
        pictures(tmp_path / "in")
        put(tmp_path / "in" / name, "\n".join(lines))
        return survey(make_settings(annotations=str(tmp_path / "in"))).errors

    return errors_of


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ('two.JPG,48,32,"dog,4,4,16,28', "line 3 has a quote that is never closed"),
        ('two.JPG,48,32,"do"g,4,4,16,28', "line 3 has text behind a closing quote"),
        ("two,2.JPG,48,32,dog,4,4,16,28", "a row must have 8 columns, got 9"),
    ],
)
def test_a_row_that_would_be_read_wrong_is_refused(errors_of, row, problem):
    errors = errors_of(DETECTIONS, ROWS[0], row, *ROWS[2:])
    (error,) = [error for error in errors if problem in error]
    assert error.count("/in") == 1
    assert "labels.csv" in error


def test_a_row_with_line_breaks_in_its_values_has_the_line_where_it_begins(errors_of):
    (error,) = errors_of(DETECTIONS, ROWS[0].replace("cat", '"c\nt"'), ROWS[1])
    assert "labels.csv, line 2" in error


def test_a_column_that_is_named_twice_is_refused(errors_of):
    (error,) = errors_of("filename,label,label", "one.jpg,cat,dog")
    assert "columns named twice: label. Rename or remove one" in error


def test_a_row_of_a_one_hot_table_that_is_too_short_is_refused(errors_of):
    (error,) = errors_of("filename,cat,dog", "one.jpg,1,0", "two.JPG,0", name="_classes.csv")
    assert "a row must have 3 columns, got 2" in error
    assert "_classes.csv, line 3" in error


def test_bounding_boxes_knows_the_columns_that_annotations_know():
    known = {"image": FILE_COLUMNS, "class": CLASS_COLUMNS}
    known |= dict(zip(("xmin", "ymin", "xmax", "ymax"), CORNER_COLUMNS, strict=True))
    for meaning, names in known.items():
        assert {name.replace("_", "") for name in names} <= set(NAMES[meaning])
