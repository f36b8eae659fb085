"""Builds of inputs with planted duplicates: what is reported, what fails, and what is dropped, by the settings."""

import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import imagerecords
from imagerecords.schemas.errors import OverBudget, UnwantedDuplicates
from tests.tasks.images.test_jpeg_check import photo
from tests.tasks.images.test_jpeg_metadata import exif_of, with_segments


@pytest.fixture
def planted(tmp_path, fill, picture):
    """An input with one image twice in a label, one under two labels, and one in train and in validation."""
    one, twice, conflict, leak, *others = (picture(number, size=(40, 32)) for number in range(10))
    train = {"cat": [one, twice, twice, conflict, *others[:2]], "dog": [conflict, leak, *others[2:4]]}
    return {
        "train_directory": fill(tmp_path / "train", train),
        "validation_directory": fill(tmp_path / "validation", {"cat": [others[4]], "dog": [leak, others[5]]}),
        "output_directory": tmp_path / "out",
    }


@pytest.fixture
def labels_apart(tmp_path, fill, picture):
    """The same without a leak and a conflict."""
    return {"train_directory": fill(tmp_path / "in", {"cat": [picture(1), picture(1)]}), "output_directory": tmp_path / "out"}


def groups(summary):
    exact = summary.findings.exact
    return [(kind.groups, kind.images) for kind in (exact.within, exact.across_labels, exact.across_splits)]


def manifest(settings):
    return pq.read_table(Path(settings["output_directory"]) / "manifest.parquet").to_pylist()


def is_complete(settings):
    return (Path(settings["output_directory"]) / "dataset_info.json").exists()


def test_by_default_duplicates_are_reported_and_written(planted, build):
    summary = build(**planted)
    assert groups(summary) == [(1, 2), (1, 2), (1, 2)]
    assert sum(split.written for split in summary.splits) == 13
    assert is_complete(planted)


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ({"duplicates": "fail"}, "6 images in 3 groups of duplicates (duplicates=fail)"),
        ({"leakage": "fail"}, "2 images in more than one split, in 1 group of duplicates (leakage=fail)"),
    ],
)
def test_unwanted_duplicates_fail_the_build_after_the_manifest_is_written(planted, build, policy, words):
    first = "dog/001.jpg in train = dog/000.jpg in validation"
    with pytest.raises(UnwantedDuplicates, match=re.escape(f"{words}. First: {first}. ")):
        build(**planted, **policy)
    assert len(manifest(planted)) == 13
    assert not is_complete(planted)


def test_all_problems_are_reported_together(planted, build):
    (Path(planted["train_directory"]) / "cat/bad.jpg").write_bytes(b"no image")
    with pytest.raises(OverBudget) as error:
        build(**planted, duplicates="fail", leakage="fail", max_rejected_fraction=0)
    assert len(str(error.value).splitlines()) == 4  # with the first rejected image


def test_duplicates_within_a_split_are_no_leakage(labels_apart, build):
    assert groups(build(**labels_apart, leakage="fail")) == [(1, 2), (0, 0), (0, 0)]
    assert is_complete(labels_apart)


def test_a_failed_build_with_report_reuses_all_its_shards(planted, build):
    with pytest.raises(UnwantedDuplicates):
        build(**planted, leakage="fail")
    summary = build(**planted)
    assert (summary.shards_converted, summary.shards_reused) == (0, 2)
    assert is_complete(planted)


def test_dropped_duplicates_are_counted_and_not_in_the_data_set(planted, build, read_classic):
    """The first label keeps the conflict, validation keeps the leak."""
    summary = build(**planted, duplicates="drop", leakage="fail", max_rejected_fraction=0)
    assert groups(summary) == [(0, 0)] * 3
    assert [(split.found, split.written, split.rejected) for split in summary.splits] == [
        (10, 7, {"duplicate": 3}),
        (3, 3, {}),
    ]
    rejected = {row["path"]: row for row in manifest(planted) if row["status"] == "rejected"}
    assert {path: (row["reason"], row["message"]) for path, row in rejected.items()} == {
        "cat/002.jpg": ("duplicate", "the same bytes as cat/001.jpg in train, which is kept"),
        "dog/000.jpg": ("duplicate", "the same bytes as cat/003.jpg in train, which is kept"),
        "dog/001.jpg": ("duplicate", "the same bytes as dog/000.jpg in validation, which is kept"),
    }
    written = [
        (record["class/text"].decode(), record["filename"].decode())
        for path in Path(planted["output_directory"]).glob("train-*")
        for record in read_classic(path)
    ]
    assert len(written) == 7
    assert ("dog", "001.jpg") not in written


def test_dropped_images_are_not_read_by_the_conversion(planted, build, monkeypatch):
    """They are duplicates of written images: one that is deleted meanwhile is dropped all the same."""
    from imagerecords.flows import pipeline as order

    prepare = order.prepare_output

    def prepare_then_lose_a_copy(*args):
        notes = prepare(*args)
        (Path(planted["train_directory"]) / "cat/002.jpg").unlink()
        return notes

    monkeypatch.setattr(order, "prepare_output", prepare_then_lose_a_copy)
    assert build(**planted, duplicates="drop").splits[0].rejected == {"duplicate": 3}


def test_a_kept_image_that_changes_meanwhile_is_missing_with_its_duplicates_until_the_next_build(planted, build, monkeypatch):
    from imagerecords.flows import pipeline as order

    prepare = order.prepare_output
    kept = Path(planted["train_directory"]) / "cat/001.jpg"
    before = kept.read_bytes()

    def prepare_then_change_the_kept_one(*args):
        notes = prepare(*args)
        kept.write_bytes(b"something else")
        return notes

    monkeypatch.setattr(order, "prepare_output", prepare_then_change_the_kept_one)
    first = build(**planted, duplicates="drop", max_rejected_fraction=0.5)
    assert first.splits[0].rejected == {"changed_during_build": 1, "duplicate": 3}
    monkeypatch.undo()
    kept.write_bytes(before)
    again = build(**planted, duplicates="drop", overwrite=True)
    assert again.splits[0].rejected == {"duplicate": 3}


def test_a_rerun_that_drops_reuses_all_and_changes_nothing(planted, build, digests):
    first = build(**planted, duplicates="drop", train_shards=3)
    before = digests(planted["output_directory"])
    again = build(**planted, duplicates="drop", train_shards=3)
    assert (again.shards_reused, again.digest, again.findings) == (4, first.digest, first.findings)
    assert digests(planted["output_directory"]) == before


def test_every_file_is_the_same_by_threads_and_processes_where_duplicates_are_dropped(planted, tmp_path, build, digests):
    made = []
    for number, how in enumerate([{"executor": "threads", "workers": 1}, {"executor": "processes", "workers": 2}]):
        build(**planted | {"output_directory": tmp_path / f"out{number}"}, duplicates="drop", train_shards=3, **how)
        made.append(digests(tmp_path / f"out{number}"))
    assert made[0] == made[1]


def test_a_label_that_dropping_leaves_empty_fails_the_build(tmp_path, fill, picture, build):
    source = fill(tmp_path / "in", {"cat": [picture(1), picture(2)], "dog": [picture(1)]})
    with pytest.raises(OverBudget, match="every image of label 'dog' in train was rejected"):
        build(train_directory=source, output_directory=tmp_path / "out", duplicates="drop")


def test_the_budget_is_that_of_the_images_that_were_not_dropped(tmp_path, fill, picture, build):
    """One of the four that were asked for is bad, however many were dropped."""
    images = [*(picture(number) for number in range(3)), b"no image", *[picture(0)] * 6]
    settings = {"train_directory": fill(tmp_path / "in", {"cat": images}), "duplicates": "drop"}
    build(**settings, output_directory=tmp_path / "out", max_rejected_fraction=0.25)
    with pytest.raises(OverBudget, match=r"got 1 of 4 \(1 not_an_image\)"):
        build(**settings, output_directory=tmp_path / "other", max_rejected_fraction=0.24)


def test_the_command_prints_the_findings_one_per_line_and_in_json(planted, imagerecords):
    arguments = [argument for name, value in planted.items() for argument in (f"--{name}", value)]
    ran = imagerecords("build", "--no-prefect", "--executor", "threads", *arguments)
    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    first = lines.index("found, the most severe first; the data card shows them:") + 1
    assert lines[first] == "  2 exact duplicates across splits (1 group)"
    assert lines[first + 1] == "  2 exact duplicates across labels (1 group)"
    assert f"data card: {planted['output_directory']}/report.html" in lines
    ran = imagerecords("build", "--no-prefect", "--executor", "threads", *arguments, "--json")
    assert json.loads(ran.out)["findings"]["exact"]["across_splits"] == {"groups": 1, "images": 2}


def test_the_command_fails_with_1_over_unwanted_duplicates_after_its_summary(planted, imagerecords):
    arguments = [argument for name, value in planted.items() for argument in (f"--{name}", value)]
    ran = imagerecords("build", "--no-prefect", "--executor", "threads", *arguments, "--leakage", "fail")
    assert ran.code == 1
    assert "found, the most severe first" in ran.out
    assert "error: 2 images in more than one split, in 1 group of duplicates (leakage=fail)" in ran.err


def test_a_clean_data_set_has_no_line_of_findings(tmp_path, fill, picture, imagerecords):
    source = fill(tmp_path / "in", {"cat": [picture(number, size=(64, 48)) for number in range(12)]})
    ran = imagerecords(
        "build", "--no-prefect", "--executor", "threads", "--train_directory", source, "--output_directory", tmp_path / "out"
    )
    assert ran.code == 0, ran.err
    assert "exact" not in ran.out


def test_prefects_summary_lists_what_was_found(planted, build):
    from imagerecords.flows.prefect_ui.artifacts import summary_markdown

    text = summary_markdown(build(**planted))
    assert "\n\nFound:\n\n- 2 exact duplicates across splits (1 group)\n- 2 exact" in text
    assert "\n\nDigest `" in text


def test_a_plan_says_that_it_does_not_search_for_duplicates(planted, imagerecords):
    arguments = [argument for name, value in planted.items() for argument in (f"--{name}", value)]
    ran = imagerecords("plan", *arguments, "--duplicates", "drop")
    assert ran.code == 0, ran.err
    assert "note: the duplicates that a build would drop are counted here" in ran.out


def test_odd_headers_positions_and_thumbnails_are_counted_and_in_the_manifest(tmp_path, build):
    plain, private = photo(1), exif_of(6, gps=True, thumbnail=True)
    files = {
        "plain.jpg": plain,
        "odd.jpg": plain[:11] + b"\2" + photo(2)[12:],
        "padded.jpg": photo(3)[:-2] + bytes(8) + b"\xff\xd9",
        "rotated.jpg": with_segments(photo(4, size=(64, 48)), private),
        "upright.jpg": with_segments(photo(5), exif_of(gps=True)),
    }
    folder = tmp_path / "in/a"
    folder.mkdir(parents=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    summary = build(train_directory=tmp_path / "in", output_directory=tmp_path / "out")
    rows = {row["path"].rpartition("/")[2]: row for row in pq.read_table(tmp_path / "out/manifest.parquet").to_pylist()}
    notes = ("odd_header", "has_gps", "has_thumbnail")
    assert {name: tuple(row[note] for note in notes) for name, row in rows.items()} == {
        "plain.jpg": (False, False, False),
        "odd.jpg": (True, False, False),
        "padded.jpg": (True, False, False),
        "rotated.jpg": (False, True, True),
        "upright.jpg": (False, True, False),
    }
    assert [name for name, row in rows.items() if row["sha256"] != row["encoded_sha256"]] == ["rotated.jpg"]
    words = [
        "2 images with an odd JPEG header, which no pixel depends on",
        "2 images with a GPS position in the metadata",
        "1 image with an embedded thumbnail",
    ]
    assert [phrase for phrase in summary.findings.phrases() if phrase in words] == words
    page = (tmp_path / "out/report.html").read_text()
    assert all(phrase in page for phrase in words)
    assert imagerecords.audit(tmp_path / "out", pixels=True).problems == ()
    stripped = build(train_directory=tmp_path / "in", output_directory=tmp_path / "stripped", metadata="strip")
    assert (stripped.findings.has_gps, stripped.findings.has_thumbnail, stripped.findings.odd_header) == (0, 0, 2)
    shard = (tmp_path / "stripped/train-00000-of-00001").read_bytes()
    assert b"Exif" not in shard
