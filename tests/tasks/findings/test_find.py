"""findings: small manifests, and the findings of each."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from imagerecords.schemas.errors import CorruptRecord
from imagerecords.schemas.findings import FEW_IMAGES
from imagerecords.schemas.receipt import COLUMNS
from imagerecords.tasks.dataset.findings_file import read_findings, write_findings
from imagerecords.tasks.findings.find import IMAGES_SHOWN, find, find_and_list
from imagerecords.tasks.storage.folders import open_folder

BUSY = 0x0123_4567_89AB_CDEF  # hashes that are far from each other
OTHER = 0xFEDC_BA98_7654_3210
QUALITY = {"brightness": 0.5, "contrast": 0.2, "sharpness": 0.1, "height": 300, "width": 400}


def image(path, content, split="train", label=1, **columns):
    """A written image's row: a sound photo of its own kind, unless columns say otherwise."""
    row = QUALITY | {"split": split, "path": path, "label": label, "text": f"label {label}", "status": "written"}
    row |= {"shard": f"{split}-00000-of-00001", "sha256": content * 64, "dhash": None, "offset": 0}
    return row | columns


@pytest.fixture
def findings_of(tmp_path):
    """`findings_of(rows)` writes a manifest of these rows, two a row group, and gives its findings."""

    def findings_of(rows):
        pq.write_table(pa.Table.from_pylist(rows, COLUMNS), tmp_path / "manifest.parquet", row_group_size=2)
        return find(open_folder(str(tmp_path), {}))

    return findings_of


def numbers(copies):
    return [(kind.groups, kind.images) for kind in (copies.within, copies.across_labels, copies.across_splits)]


NONE = (0, 0)
EXACT = [
    # (images as (content, split, label); groups and images within, across labels, across splits)
    ([("a", "train", 1), ("b", "train", 1)], [NONE, NONE, NONE]),
    ([("a", "train", 1), ("a", "train", 1)], [(1, 2), NONE, NONE]),
    ([("a", "train", 1), ("a", "train", 1), ("b", "test", 2), ("b", "test", 2), ("b", "test", 2)], [(2, 5), NONE, NONE]),
    ([("a", "train", 1), ("a", "train", 2)], [NONE, (1, 2), NONE]),
    ([("a", "train", 1), ("a", "train", 1), ("a", "train", 2)], [NONE, (1, 3), NONE]),  # once, and not as within too
    ([("a", "train", 1), ("a", "validation", 1)], [NONE, NONE, (1, 2)]),
    ([("a", "validation", 1), ("a", "test", 1)], [NONE, NONE, (1, 2)]),  # train is not needed for a leak
    ([("a", "train", 1), ("a", "train", 2), ("a", "validation", 2)], [NONE, (1, 3), (1, 3)]),  # a leak and a conflict
    ([("a", "train", 1), ("a", "test", 1), ("b", "train", 1), ("b", "train", 2)], [NONE, (1, 2), (1, 2)]),
]


@pytest.mark.parametrize(("images", "expected"), EXACT)
def test_duplicates_are_reported_under_each_kind_that_they_are_of(findings_of, images, expected):
    findings = findings_of([image(f"{number}.jpg", *each) for number, each in enumerate(images)])
    assert numbers(findings.counts.exact) == expected
    assert findings.counts.exact.total.groups == len({content for content, *_ in images if images_of(images, content) > 1})
    assert numbers(findings.counts.near) == [NONE, NONE, NONE]


def images_of(images, content):
    return sum(each == content for each, *_ in images)


NEAR = [
    # (images as (content, hash, split, label); groups and images within, across labels, across splits)
    ([("a", BUSY, "train", 1), ("b", BUSY ^ 0b111, "train", 1)], [(1, 2), NONE, NONE]),
    ([("a", BUSY, "train", 1), ("b", BUSY ^ 0b1111, "train", 1)], [NONE, NONE, NONE]),
    ([("a", BUSY, "train", 1), ("b", BUSY, "train", 1), ("c", OTHER, "train", 1)], [(1, 2), NONE, NONE]),
    ([("a", BUSY, "train", 1), ("b", BUSY, "train", 2)], [NONE, (1, 2), NONE]),
    ([("a", BUSY, "train", 1), ("b", BUSY, "validation", 2)], [NONE, (1, 2), (1, 2)]),
    ([("a", BUSY, "train", 1), ("a", BUSY, "train", 1)], [NONE, NONE, NONE]),  # exact duplicates are reported already
    ([("a", BUSY, "train", 1), ("a", BUSY, "train", 1), ("b", BUSY, "train", 1)], [(1, 2), NONE, NONE]),
    ([("a", BUSY, "train", 1), ("a", BUSY, "test", 1), ("b", BUSY, "train", 1)], [NONE, NONE, (1, 2)]),  # b and a's copy
    ([("a", 0, "train", 1), ("b", 0, "train", 1), ("c", 1, "train", 1)], [NONE, NONE, NONE]),  # nothing rises in them
    ([("a", 2**64 - 1, "train", 1), ("b", 2**64 - 1, "train", 1)], [NONE, NONE, NONE]),
    ([("a", None, "train", 1), ("b", None, "train", 1)], [NONE, NONE, NONE]),  # no pixels were looked at
]


@pytest.mark.parametrize(("images", "expected"), NEAR)
def test_near_duplicates_are_reported_once_and_exact_ones_not_again(findings_of, images, expected):
    rows = [image(f"{number}.jpg", content, *place, dhash=dhash) for number, (content, dhash, *place) in enumerate(images)]
    assert numbers(findings_of(rows).counts.near) == expected


def test_blank_images_are_not_near_duplicates_of_each_other(findings_of):
    """Noise makes their hashes what they are."""
    findings = findings_of([image(f"{name}.jpg", name, dhash=BUSY, contrast=0.001) for name in "abc"])
    assert (findings.counts.blank, findings.counts.near.total.groups) == (3, 0)


ODD = [
    ({}, {}),
    ({"contrast": 0.0}, {"blank"}),
    ({"contrast": 0.0, "brightness": 0.0, "sharpness": 0.0}, {"blank"}),  # not dark and blurred beside that
    ({"brightness": 0.05}, {"dark"}),
    ({"brightness": 0.07}, {}),
    ({"brightness": 0.98}, {"bright"}),
    ({"brightness": 0.96}, {}),
    ({"sharpness": 0.0}, {"blurred"}),
    ({"sharpness": 0.0, "height": 255}, {}),  # small pictures are smooth on purpose
    ({"height": 31, "width": 31}, {"tiny"}),
    ({"height": 32, "width": 32}, {}),
    ({"height": 1601, "width": 400}, {"extreme_aspect_ratio"}),
    ({"height": 400, "width": 1601}, {"extreme_aspect_ratio"}),
    ({"height": 400, "width": 1600}, {}),
    ({"height": 10, "width": 300}, {"tiny", "extreme_aspect_ratio"}),
    ({"brightness": None, "contrast": None, "sharpness": None}, {}),  # the figures are not there
]


@pytest.mark.parametrize(("columns", "expected"), ODD)
def test_an_image_is_reported_for_its_quality(findings_of, columns, expected):
    findings = findings_of([image("a.jpg", "a", **columns), image("b.jpg", "b")])
    kinds = ("blank", "dark", "bright", "blurred", "tiny", "extreme_aspect_ratio")
    assert {kind for kind in kinds if getattr(findings.counts, kind)} == set(expected)
    assert {kind: [each.path for each in shown] for kind, shown in findings.images.items()} == {
        kind: ["a.jpg"] for kind in expected
    }


def test_the_most_extreme_images_are_shown_first_with_their_figures(findings_of):
    rows = [image(f"{number:02}.jpg", f"{number:02}", brightness=number / 10000) for number in range(99, 20, -1)]
    findings = findings_of(rows)
    shown = findings.images["dark"]
    assert findings.counts.dark == 79
    assert [each.path for each in shown] == [f"{number}.jpg" for number in range(21, 21 + IMAGES_SHOWN)]
    assert shown[0].value == pytest.approx(0.0021)


def test_rejected_images_are_not_looked_at(findings_of):
    """They have a digest where they were read, and are in the data set no more than what is not."""
    rejected = dict.fromkeys(("height", "width", "brightness", "contrast", "sharpness", "offset"))
    rows = [image("a.jpg", "a"), image("b.jpg", "a", status="rejected", **rejected)]
    findings = findings_of(rows)
    assert findings.counts.exact.total.groups == 0
    assert findings.counts.measured == 0


def test_labels_with_few_training_images_and_without_any_are_reported(findings_of):
    few = [image(f"few{number}.jpg", f"f{number}") for number in range(FEW_IMAGES - 1)]
    enough = [image(f"enough{number}.jpg", f"e{number}", label=2) for number in range(FEW_IMAGES)]
    elsewhere = [image("v.jpg", "v", split="validation"), image("w.jpg", "w", split="validation", label=3)]
    lost = [image("x.jpg", "x", label=4, status="rejected", offset=None)]
    findings = findings_of(few + enough + elsewhere + lost)
    assert [(each.label, each.split, each.images) for each in findings.labels_with_few_images] == [
        ("label 1", "train", FEW_IMAGES - 1)
    ]
    assert [(each.label, each.split) for each in findings.missing_labels] == [
        ("label 3", "train"),
        ("label 4", "train"),
        ("label 2", "validation"),
        ("label 4", "validation"),
    ]
    assert (findings.counts.labels_with_few_images, findings.counts.missing_labels) == (1, 3)  # labels, not places


def test_a_leak_is_shown_by_images_of_both_splits_however_many_there_are(findings_of):
    rows = [image(f"{number:02}.jpg", "a", label=number // 3) for number in range(30)]
    rows += [image("last.jpg", "a", split="validation", label=9)]
    (group,) = findings_of(rows).exact.across_splits
    assert group.images == 31
    assert {"00.jpg", "last.jpg"} <= {member.path for member in group.members}
    assert len(group.members) == 6


def test_examples_say_where_their_records_stand(findings_of):
    rows = [image("a.jpg", "a"), image("b.jpg", "b", offset=100), image("c.jpg", "b", split="test", offset=7)]
    (group,) = findings_of(rows).exact.across_splits
    assert [(member.shard, member.offset, member.label) for member in group.members] == [
        ("train-00000-of-00001", 100, "label 1"),
        ("test-00000-of-00001", 7, "label 1"),
    ]


def test_a_manifest_without_rows_has_no_findings(findings_of):
    findings = findings_of([])
    assert list(findings.counts.phrases()) == []


def test_findings_do_not_depend_on_the_row_groups(tmp_path):
    draw = np.random.default_rng(1)
    rows = [
        image(f"{number}.jpg", f"{draw.integers(60)}", "train", int(draw.integers(1, 4)), dhash=int(draw.integers(1, 2**40)))
        for number in range(100)
    ]
    table = pa.Table.from_pylist(rows, COLUMNS)
    found = []
    for size in (1, 7, 100):
        pq.write_table(table, tmp_path / "manifest.parquet", row_group_size=size)
        found.append(find(open_folder(str(tmp_path), {})))
    assert found[1:] == found[:1] * 2
    assert found[0].counts.exact.total.groups > 20


def test_notes_on_jpegs_are_counted(findings_of):
    notes = ("odd_header", "has_gps", "has_thumbnail")
    rows = [image(f"{number}.jpg", str(number), **dict.fromkeys(notes[:number], True)) for number in range(4)]
    rows.append(image("rejected.jpg", "r", status="rejected") | dict.fromkeys(notes))
    counts = findings_of(rows).counts
    assert [getattr(counts, name) for name in notes] == [3, 2, 1]


def test_a_manifest_of_0_1_0_has_no_notes(findings_of, tmp_path):
    findings_of([image("a.jpg", "a", has_gps=True)])
    old = pq.read_table(tmp_path / "manifest.parquet").drop_columns(["odd_header", "has_gps", "has_thumbnail"])
    pq.write_table(old, tmp_path / "manifest.parquet")
    assert find(open_folder(str(tmp_path), {})).counts.has_gps == 0


def test_all_findings_are_listed_group_by_group_and_image_by_image(findings_of, tmp_path):
    """In findings.parquet: the group across splits and labels, the near one, and the dark image, not only examples."""
    groups = [("a", "train", 1), ("b", "train", 1), ("a", "test", 2), ("b", "train", 1)]
    rows = [image(f"{number}.jpg", *each) for number, each in enumerate(groups)]
    rows += [image("n.jpg", "n", dhash=BUSY), image("m.jpg", "m", dhash=BUSY ^ 1, brightness=0.01)]
    findings_of(rows)
    output = open_folder(str(tmp_path), {})
    write_findings(output, find_and_list(output)[1])
    table = read_findings(output).to_pylist()
    assert [(row["kind"], row["group"], row["path"], row["across_splits"], row["across_labels"]) for row in table] == [
        ("exact_duplicates", 0, "0.jpg", True, True),
        ("exact_duplicates", 0, "2.jpg", True, True),
        ("exact_duplicates", 1, "1.jpg", False, False),
        ("exact_duplicates", 1, "3.jpg", False, False),
        ("near_duplicates", 0, "n.jpg", False, False),
        ("near_duplicates", 0, "m.jpg", False, False),
        ("dark", None, "m.jpg", None, None),
    ]
    assert table[-1]["value"] == pytest.approx(0.01)
    assert (table[0]["shard"], table[0]["text"]) == ("train-00000-of-00001", "label 1")


def test_a_data_set_without_findings_has_an_empty_list(findings_of, tmp_path):
    findings_of([image("a.jpg", "a")])
    assert find_and_list(open_folder(str(tmp_path), {}))[1].num_rows == 0


def test_a_damaged_list_of_findings_is_named(tmp_path):
    (tmp_path / "findings.parquet").write_bytes(b"PAR1")
    with pytest.raises(CorruptRecord, match=r"findings\.parquet must be readable, got"):
        read_findings(open_folder(str(tmp_path), {}))
