"""The data card's own texts: the words for a picture, and what the page omits."""

import pytest

from imagerecords.schemas.data_card import LabelRow, Outcome, Picture, Problem, Report, Sheet


@pytest.mark.parametrize(
    ("boxes", "text"),
    [(0, "cat, train: a.jpg"), (1, "cat, train: a.jpg, 1 box"), (3, "cat, train: a.jpg, 3 boxes")],
)
def test_a_picture_has_a_text_for_screen_readers(boxes, text):
    assert Picture("a.jpg", "train", 1, "cat", boxes=boxes).alternative == text


@pytest.mark.parametrize(("count", "unshown"), [(None, 0), (0, 0), (1, 0), (30, 29)])
def test_a_problem_counts_what_is_not_shown(count, unshown):
    """Without a count it is an end of a scale, of which nothing is omitted."""
    assert Problem("tiny", "Tiny", "", count, cases=(object(),)).unshown == unshown


def report(labels, sheets):
    rows = tuple(LabelRow(number, str(number), (images,), 0) for number, images in enumerate(labels))
    return Report(Outcome(True), True, (), rows, (), (), sheets, ())


def test_a_page_that_shows_all_omits_nothing():
    """A label without images has no sheet to be missed."""
    shown = Picture("a.jpg", "train", 1, "cat", "data:")
    assert list(report([5, 0], (Sheet(0, "0", 5, (shown,)),)).caps()) == []


def test_a_page_says_what_it_omits():
    missing = Picture("a.jpg", "train", 1, "cat")
    sentences = list(report([5, 6, 7], (Sheet(0, "0", 5, (missing,)),)).caps())
    assert sentences[0].startswith("1 of 3 labels are shown")
    assert sentences[1].startswith("1 picture is missing")


@pytest.mark.parametrize(("pictures", "is_compact"), [((), True), ((1,), True), ((1, 2), True), ((1, 3), False)])
def test_sheets_of_few_pictures_stand_side_by_side(pictures, is_compact):
    sheets = tuple(Sheet(1, "a", 9, (Picture("a", "train", 1, "a"),) * count) for count in pictures)
    assert report([9], sheets).is_compact is is_compact
