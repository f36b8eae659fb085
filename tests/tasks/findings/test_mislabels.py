"""Likely wrong labels: found where neighbours say something about labels, and not searched where they do not."""

import numpy as np
import pyarrow as pa
import pytest

from imagerecords.tasks.findings.mislabels import find_mislabels


def table(labels, brightness, dhash):
    rows = len(labels)
    columns = {"label": pa.array(labels, pa.int32()), "brightness": pa.array(brightness, pa.float32())}
    columns |= {name: pa.array([0.2] * rows, pa.float32()) for name in ("contrast", "sharpness")}
    columns |= {"dhash": pa.array(dhash, pa.uint64()), "height": pa.array([30] * rows), "width": pa.array([40] * rows)}
    return pa.table(columns)


def test_an_image_among_those_of_another_label_is_suspected():
    noise = np.random.default_rng(1)
    labels = [1] * 50 + [2] * 50
    labels[7] = 2
    brightness = np.r_[noise.normal(0.2, 0.01, 50), noise.normal(0.8, 0.01, 50)]
    suspects = find_mislabels(table(labels, brightness, [1] * 100))
    assert suspects.is_meaningful
    assert [(each.place, each.other) for each in suspects.found] == [(7, 1)]
    assert suspects.found[0].share == 1
    assert len(suspects.found[0].neighbours) == 8


def test_where_neighbours_say_nothing_about_labels_none_is_suspected():
    noise = np.random.default_rng(2)
    hashes = noise.integers(0, 2**63, 200).astype(np.uint64)
    suspects = find_mislabels(table([1, 2] * 100, noise.uniform(size=200), hashes))
    assert not suspects.is_meaningful
    assert suspects.found == ()
    assert suspects.compared == 200


@pytest.mark.parametrize("change", ["one label", "few images", "no hashes"])
def test_where_there_is_nothing_to_compare_nothing_is_searched(change):
    labels = {"one label": [1] * 60, "few images": [1, 2]}.get(change, [1, 2] * 30)
    made = table(labels, [0.5] * len(labels), [1] * len(labels))
    assert find_mislabels(made.drop_columns(["dhash"]) if change == "no hashes" else made).compared == 0
