"""The shares of splits: what they are, and where they are not what was asked for."""

import pytest

from imagerecords.schemas.shares import shares_of


@pytest.mark.parametrize(
    ("labels", "train", "validation", "asked", "said"),
    [
        (20, 4, 1, 0.1, " (10.0% asked for)"),  # one image at least of each label
        (20, 4, 1, 0.2, ""),
        (1, 9, 2, 0.15, ""),  # one image more than 1.65
        (20, 4, 1, 0, ""),  # split directories
    ],
)
def test_a_share_that_is_noticeably_another_than_was_asked_for_is_said(labels, train, validation, asked, said):
    counts = {
        "train": {str(label): train for label in range(labels)},
        "validation": {str(n): validation for n in range(labels)},
    }
    (share,) = shares_of(counts, {"validation": asked})
    assert share.line() == f"validation has {validation / (train + validation):.1%} of the images{said}"
