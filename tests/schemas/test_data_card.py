"""The data card's own texts: the words for a picture, and what the page omits."""

import pytest

from imagerecords.schemas.data_card import Box, Outcome, Picture, Problem, Report
from imagerecords.schemas.summary import SplitSummary

BOX = Box(0.1, 0.1, 0.5, 0.5)


@pytest.mark.parametrize(
    ("boxes", "text"),
    [((), "cat, train: a.jpg"), ((BOX,), "cat, train: a.jpg, 1 box"), ((BOX,) * 3, "cat, train: a.jpg, 3 boxes")],
)
def test_a_picture_has_a_text_for_screen_readers(boxes, text):
    assert Picture("cats/a.jpg", "train", 1, "cat", boxes=boxes).alternative == text


@pytest.mark.parametrize(("count", "unshown"), [(0, 0), (1, 0), (30, 29)])
def test_a_problem_counts_what_is_not_shown(count, unshown):
    assert Problem("tiny", "Tiny", "low", "", "", count, cases=(object(),)).unshown == unshown


def report(images, *pictures):
    split = SplitSummary(split="train", found=images, written=images, rejected={}, shards=1, bytes=1)
    return Report(Outcome(True), True, (split,), (), pictures=pictures)


SHOWN = Picture("a.jpg", "train", 1, "cat", "data:", record=0)


def test_a_page_that_shows_all_says_so():
    assert report(1, SHOWN).scope() == "All 1 image of the data set have a picture in this file."


def test_a_page_says_what_is_not_in_it():
    rejected = Picture("c.jpg", "train", 1, "cat", "data:", note="truncated")
    without = Picture("b.jpg", "train", 1, "cat", record=1)
    assert report(7, SHOWN, rejected, without).scope().startswith("1 of 7 images have a picture in this file")
