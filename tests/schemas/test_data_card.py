"""What the data card says of itself: the words for a picture, and what the page leaves out."""

import pytest

from imagerecords.schemas.data_card import LabelRow, Outcome, Picture, Problem, Report, Sheet


@pytest.mark.parametrize(
    ("boxes", "text"),
    [(0, "cat, train: a.jpg"), (1, "cat, train: a.jpg, 1 box"), (3, "cat, train: a.jpg, 3 boxes")],
)
def test_a_picture_is_told_in_words(boxes, text):
    assert Picture("a.jpg", "train", 1, "cat", boxes=boxes).alternative == text


@pytest.mark.parametrize(("count", "unshown"), [(None, 0), (0, 0), (1, 0), (30, 29)])
def test_a_problem_tells_how_many_are_not_shown(count, unshown):
    """Without a count it is no problem as such, and nothing of it is left out."""
    assert Problem("tiny", "Tiny", "", count, cases=(object(),)).unshown == unshown


def report(labels, sheets):
    rows = tuple(LabelRow(number, str(number), (images,), 0) for number, images in enumerate(labels))
    return Report(Outcome(True), True, (), rows, (), (), sheets, ())


def test_a_page_that_shows_all_leaves_nothing_out():
    """A label without images has no sheet to be missed."""
    shown = Picture("a.jpg", "train", 1, "cat", "data:")
    assert list(report([5, 0], (Sheet(0, "0", 5, (shown,)),)).caps()) == []


def test_what_a_page_leaves_out_is_told():
    missing = Picture("a.jpg", "train", 1, "cat")
    told = list(report([5, 6, 7], (Sheet(0, "0", 5, (missing,)),)).caps())
    assert told[0].startswith("1 of 3 labels are here")
    assert told[1].startswith("1 pictures are missing")


@pytest.mark.parametrize(("pictures", "is_compact"), [((), True), ((1,), True), ((1, 2), True), ((1, 3), False)])
def test_sheets_of_few_pictures_stand_side_by_side(pictures, is_compact):
    sheets = tuple(Sheet(1, "a", 9, (Picture("a", "train", 1, "a"),) * count) for count in pictures)
    assert report([9], sheets).is_compact is is_compact
