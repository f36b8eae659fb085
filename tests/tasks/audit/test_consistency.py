"""audit: what only all records together show: keys, types, texts of labels, and the labels' file."""

import pytest

from imagerecords.schemas.audit import AuditOptions
from tests.tasks.audit.records import problems


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"encoded": b""}, "image/encoded must hold an image, got no bytes"),
        ({"encoded": b"GIF89a" + b"x" * 40}, "image/format says JPEG, and image/encoded begins as GIF"),
        ({"encoded": b"no image"}, "image/format says JPEG, and image/encoded begins as no image (6e 6f 20 69)"),
        ({"encoded": b"\xff\xd8 no markers"}, "image/encoded: the JPEG has no image data (no frame or scan marker)"),
        ({"height": 24, "width": 16}, "height and width must be the image's 16×24, got 24×16: exchanged"),
        ({"height": 17}, "height and width must be the image's 16×24, got 17×24"),
        ({"label": -2}, "image/class/label must be 0 or more, got -2"),
        ({"label": 2, "text": b"cat", "height": b"16"}, "image/height is bytes in 1 record, int64 in 3 others"),
        ({"encoded": None}, "image/encoded is missing in 1 record of 4"),
        ({"text": b"dog"}, "label 1 is 'dog' in 1 record, 'cat' in 3 others"),
    ],
)
def test_a_record_unlike_the_others_is_a_problem_at_its_place(classic, changes, problem):
    audit = classic({}, {}, changes, {})
    (found,) = audit.problems
    assert problem in found.problem
    assert (found.file, found.record) == ("x.tfrecord", 2)


@pytest.mark.parametrize(
    ("change", "note"),
    [
        ({"label": 0}, "labels begin at 0; classic data sets begin at 1"),
        ({"label": None, "text": None}, "no record has image/class/label, image/class/text"),
        ({"encoded": None}, "no record has image/encoded"),
        ({"source_id": b"7"}, None),
        ({"format": b"jpg"}, None),  # slim writes so
        ({"format": None, "height": None, "width": None, "filename": None}, None),
        ({"label": -1}, "2 records with image/class/label -1, which means none"),
        ({"label": b"cat"}, "image/class/label is bytes; readers of the classic features expect int64"),
        ({"format": None, "encoded": b"raw pixels"}, "2 records with image/encoded that begins as no known image format"),
        ({"channels": 1}, "2 records with image/channels 1, with a JPEG of 3"),
    ],
)
def test_what_is_merely_unusual_in_all_records_is_at_most_one_note(classic, change, note):
    audit = classic(change, change)
    assert audit.problems == ()
    assert len(audit.notes) == (0 if note is None else 1)
    assert all(note in text for text in audit.notes)


def test_a_feature_of_some_records_is_a_note(classic):
    audit = classic({}, {"extra": 3}, {})
    assert (audit.problems, audit.notes) == ((), ("only some of 3 records have a value in: image/extra (1)",))


def test_one_text_of_two_labels_is_a_note(classic):
    """ImageNet has two kinds of crane."""
    audit = classic({"text": b"crane"}, {"text": b"crane", "label": 2})
    assert audit.problems == ()
    assert "several labels have the same text: 'crane' (1, 2)" in audit.notes


@pytest.mark.parametrize(
    ("labels", "records", "found"),
    [
        ("cat\ndog\n", [{}, {"label": 2, "text": b"dog"}], []),
        ("cat\ndog\n", [{"label": 0}, {"label": 1, "text": b"dog"}], []),  # counted from 0, and it agrees
        ("0:cat\n1:dog\n", [{"label": 0}, {"label": 1, "text": b"dog"}], []),  # slim's
        ("cat\ndog\n", [{}, {"label": 2, "text": b"cow"}], ["label 2 is 'cow' in 1 record, 'dog' in labels.txt"]),
        ("cat\n", [{"text": None}, {"label": 4, "text": None}], ["label 4, in 1 record, is beyond the 1 label of labels.txt"]),
    ],
)
def test_labels_are_held_against_the_labels_file(classic, labels, records, found):
    assert problems(classic(*records, labels_txt=labels)) == found


def test_pictures_that_do_not_decode_are_found_only_with_pixels(classic, picture):
    data = picture(1, size=(200, 200), quality=95)
    changes = {"encoded": data[: len(data) // 2] + b"\xff\xd9", "height": 200, "width": 200}
    assert classic({}, changes).problems == ()
    (problem,) = classic({}, changes, options=AuditOptions(pixels=True)).problems
    assert (problem.record, "image/encoded does not decode" in problem.problem) == (1, True)
