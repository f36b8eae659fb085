"""Shortcuts: a label that a metric or a name separates from all others."""

import numpy as np
import pytest

from imagerecords.tasks.findings.shortcuts import FEWEST, by_metric, by_name

LABEL = np.repeat([1, 2, 3], 20)
NOISE = np.random.default_rng(1).uniform(size=60)


@pytest.mark.parametrize(("shift", "expected"), [(0, []), (2, [(2, True)]), (-2, [(2, False)])])
def test_a_label_that_is_brighter_or_darker_than_all_others_is_found(shift, expected):
    values = NOISE + np.where(LABEL == 2, shift, 0)
    assert [(each.label, each.is_high) for each in by_metric(LABEL, {"brightness": values})] == expected


def test_a_metric_that_is_the_same_everywhere_or_unknown_separates_nothing():
    assert by_metric(LABEL, {"width": np.full(60, 3.0), "boxes": np.full(60, np.nan)}) == []


def test_a_label_of_few_images_proves_nothing():
    label = np.array([1] * 50 + [2] * (FEWEST - 1))
    assert by_metric(label, {"brightness": label.astype(float)}) == []


@pytest.mark.parametrize(
    ("formats", "expected"),
    [(("JPEG", "JPEG", "JPEG"), []), (("JPEG", "PNG", "JPEG"), [(2, "PNG")]), (("JPEG", "PNG", "PNG"), [(1, "JPEG")])],
)
def test_a_label_with_a_format_of_its_own_is_found(formats, expected):
    names = np.repeat(np.array(formats, object), 20).astype(str)
    assert [(each.label, each.name) for each in by_name(LABEL, "format", names)] == expected
