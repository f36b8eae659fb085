"""Findings in words: short, the most severe first, and nothing where nothing was found."""

import pytest

from imagerecords.schemas.findings import Duplicates, FindingCounts, Groups

ROWS = [
    (FindingCounts(measured=7), []),
    (FindingCounts(exact=Duplicates(within=Groups(groups=1, images=2))), ["2 exact duplicates (1 group)"]),
    (
        FindingCounts(
            exact=Duplicates(
                within=Groups(groups=2, images=5),
                across_labels=Groups(groups=1, images=2),
                across_splits=Groups(groups=1000, images=2500),
            ),
            near=Duplicates(across_splits=Groups(groups=1, images=3)),
        ),
        [
            "2,500 exact duplicates across splits (1,000 groups)",
            "2 exact duplicates across labels (1 group)",
            "5 exact duplicates (2 groups)",
            "3 near duplicates across splits (1 group)",
        ],
    ),
    (FindingCounts(blank=1, extreme_aspect_ratio=2), ["1 blank image", "2 images with an extreme aspect ratio"]),
    (
        FindingCounts(odd_header=1, has_gps=2, has_thumbnail=1000),
        [
            "1 image with an odd JPEG header, which no pixel depends on",
            "2 images with a GPS position in the metadata",
            "1,000 images with an embedded thumbnail",
        ],
    ),
    (
        FindingCounts(labels_with_few_images=1, missing_labels=2),
        ["2 labels missing in a split", "1 label with fewer than 10 training images"],
    ),
]


@pytest.mark.parametrize(("counts", "phrases"), ROWS)
def test_only_what_was_found_is_named(counts, phrases):
    assert list(counts.phrases()) == phrases


def test_it_is_said_where_near_duplicates_are_not_counted_as_always():
    words = [FindingCounts(near_bits=bits, near_by_chance=2000).limit_of_near() for bits in (1, 0, None)]
    assert words == [
        "near duplicates counted within 1 bit: within 3, chance makes 2,000 near pairs",
        "near duplicates counted with equal hashes: within 3, chance makes 2,000 near pairs",
        "near duplicates not counted: pictures so alike make 2,000 near pairs by chance",
    ]
    assert FindingCounts().limit_of_near() == ""


def test_the_total_of_duplicates_is_that_of_its_three_kinds():
    duplicates = Duplicates(
        within=Groups(groups=1, images=2), across_labels=Groups(groups=3, images=7), across_splits=Groups(groups=5, images=11)
    )
    assert duplicates.total == Groups(groups=9, images=20)
