"""Whole builds, run directly: the same bytes however they are made, and reruns that do only what is left."""

import os
from pathlib import Path

import pytest

from imagerecords.schemas.errors import OutputLocked, OverBudget

HOW = [
    {"executor": "threads", "workers": 1},
    {"executor": "threads", "workers": 3},
    {"executor": "processes", "workers": 1},
    {"executor": "processes", "workers": 3},
]


def test_every_file_has_the_same_bytes_whoever_makes_it(tmp_path, fill, picture, build, digests):
    train = {"cat": 9, "dog": [*(picture(number, "PNG", "RGBA") for number in range(6)), b"no image"]}
    settings = {
        "train_directory": fill(tmp_path / "train", train),
        "validation_directory": fill(tmp_path / "validation", {"cat": 3, "dog": 3}),
        "train_shards": 4,
        "validation_shards": 2,
        "max_rejected_fraction": 0.5,
    }
    made = []
    for number, how in enumerate(HOW):
        build(output_directory=tmp_path / f"out{number}", **settings, **how)
        made.append(digests(tmp_path / f"out{number}"))
    assert len(made[0]) == 6 + 6 + 6 + 9 + 2  # shards, indexes, receipts, sidecars, plan and about.json
    assert made[1:] == made[:1] * 3


def test_a_fresh_copy_of_the_input_gives_the_same_shards(tmp_path, fill, build, digests):
    """Modification times differ, and so do plan and fingerprints; the data do not."""
    outputs = []
    for name in ("a", "b"):
        source = Path(fill(tmp_path / name / "in", {"cat": 4, "dog": 4}))
        for number, path in enumerate(sorted(source.rglob("*.jpg"))):
            os.utime(path, ns=(number, number + len(name) * 1000))
        build(train_directory=source, output_directory=tmp_path / name / "out", train_shards=2)
        outputs.append({path: digest for path, digest in digests(tmp_path / name / "out").items() if path.startswith("train-")})
    assert outputs[0] == outputs[1]


def test_a_rerun_reuses_all_and_changes_nothing(tmp_path, data, build, digests):
    first = build(train_directory=data, output_directory=tmp_path / "out", train_shards=3)
    before = digests(tmp_path / "out")
    second = build(train_directory=data, output_directory=tmp_path / "out", train_shards=3)
    assert (first.shards_converted, first.shards_reused) == (3, 0)
    assert (second.shards_converted, second.shards_reused) == (0, 3)
    assert second.digest == first.digest
    assert second.splits == first.splits
    assert digests(tmp_path / "out") == before


@pytest.mark.parametrize(
    "file",
    ["train-00001-of-00003", "index/train-00001-of-00003.idx", "_build/receipts/train-00001-of-00003.parquet"],
)
@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"x")], ids=["deleted", "altered"])
def test_a_rerun_repairs_exactly_what_is_missing_or_altered(tmp_path, data, build, digests, file, damage):  # noqa: PLR0917
    build(train_directory=data, output_directory=tmp_path / "out", train_shards=3)
    before = digests(tmp_path / "out")
    damage(tmp_path / "out" / file)
    again = build(train_directory=data, output_directory=tmp_path / "out", train_shards=3)
    assert (again.shards_converted, again.shards_reused) == (1, 2)
    assert digests(tmp_path / "out") == before


@pytest.mark.parametrize("written", ["{data}/", "{data}/.", "file://{data}", "data"])
def test_the_same_input_written_another_way_is_the_same_plan(tmp_path, data, build, monkeypatch, written):
    """Path, size and time of each image are the same; a rerun with a trailing slash has nothing to do."""
    monkeypatch.chdir(tmp_path)
    build(train_directory=data, output_directory=tmp_path / "out", train_shards=3)
    again = build(train_directory=written.format(data=data), output_directory=tmp_path / "out", train_shards=3)
    assert again.shards_reused == 3


@pytest.mark.parametrize(
    "file",
    [
        "manifest.parquet",
        "findings.parquet",
        "labels.txt",
        "croissant.json",
        "dataset_info.json",
        "features.json",
        "report.html",
    ],
)
def test_a_rerun_repairs_the_sidecars(tmp_path, data, build, digests, file):
    build(train_directory=data, output_directory=tmp_path / "out", train_shards=3)
    before = digests(tmp_path / "out")
    (tmp_path / "out" / file).write_bytes(b"x")
    assert build(train_directory=data, output_directory=tmp_path / "out", train_shards=3).shards_reused == 3
    assert digests(tmp_path / "out") == before


def test_an_image_that_goes_away_during_the_build_is_counted(tmp_path, data, build, monkeypatch):
    """Between the listing and the reading; with the real steps otherwise."""
    from imagerecords.flows import pipeline as order

    prepare = order.prepare_output

    def prepare_then_lose_an_image(*args):
        notes = prepare(*args)
        (Path(data) / "cat/000.jpg").unlink()
        (Path(data) / "dog/001.jpg").write_bytes(b"something else")
        return notes

    monkeypatch.setattr(order, "prepare_output", prepare_then_lose_an_image)
    summary = build(train_directory=data, output_directory=tmp_path / "out", max_rejected_fraction=0.5)
    assert summary.splits[0].rejected == {"changed_during_build": 2}
    assert (summary.splits[0].found, summary.splits[0].written) == (10, 8)


def test_an_output_that_another_build_holds_is_refused_before_the_input_is_read(tmp_path, build):
    from imagerecords.tasks.storage.folders import open_folder
    from imagerecords.tasks.storage.lock import output_lock

    with output_lock(open_folder(str(tmp_path / "out"), {}), 60.0), pytest.raises(OutputLocked, match="process"):
        build(train_directory=tmp_path / "no-such-folder", output_directory=tmp_path / "out")


@pytest.mark.parametrize("fails", [False, True])
def test_a_build_leaves_neither_lock_nor_scratch(tmp_path, data, fill, build, fails):
    source = fill(tmp_path / "bad", {"cat": [b""]}) if fails else data
    if fails:
        with pytest.raises(OverBudget):
            build(train_directory=source, output_directory=tmp_path / "out")
    else:
        build(train_directory=source, output_directory=tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out/_build").iterdir()) == ["about.json", "plan.parquet", "receipts"]


def test_one_data_directory_is_divided_by_fractions(tmp_path, fill, build, read_classic):
    source = fill(tmp_path / "in", {"cat": 60, "dog": 60})
    summary = build(
        data_directory=source, output_directory=tmp_path / "out", validation_fraction=0.2, test_fraction=0.2, train_shards=2
    )
    assert [split.split for split in summary.splits] == ["train", "validation", "test"]
    assert sum(split.written for split in summary.splits) == 120
    seen = [
        (record["class/text"], record["filename"])
        for path in (tmp_path / "out").glob("t*-of-*")
        for record in read_classic(path)
    ]
    seen += [
        (record["class/text"], record["filename"])
        for path in (tmp_path / "out").glob("validation-*")
        for record in read_classic(path)
    ]
    assert len(seen) == len(set(seen)) == 120


@pytest.mark.parametrize("check", ["sample", "all"])
def test_tensorflow_reads_what_was_built_when_asked(tmp_path, data, build, check):
    summary = build(train_directory=data, output_directory=tmp_path / "out", train_shards=2, tensorflow_check=check)
    assert summary.splits[0].written == 10


def test_from_memory_to_memory_gives_the_same_data_as_from_disk_to_disk(tmp_path, data, build, digests):
    from imagerecords.tasks.storage.folders import open_folder

    memory = open_folder("memory://build/in", {})
    for path in Path(data).rglob("*.jpg"):
        memory.fs.pipe_file(memory.join(str(path.relative_to(data))), path.read_bytes())
    there = build(train_directory="memory://build/in", output_directory="memory://build/out", train_shards=3)
    here = build(train_directory=data, output_directory=tmp_path / "out", train_shards=3)
    assert there.digest == here.digest
    assert [path for path in memory.fs.find("/build/out") if path.endswith(("lock", ".tmp"))] == []


def test_the_summary_has_the_counts_and_the_times_in_order(tmp_path, data, build):
    summary = build(train_directory=data, output_directory=tmp_path / "out", train_shards=3)
    assert (summary.runner, summary.labels, summary.output_directory) == ("direct", 2, str(tmp_path / "out"))
    (split,) = summary.splits
    assert (split.split, split.found, split.written, split.rejected, split.shards) == ("train", 10, 10, {}, 3)
    assert split.bytes == sum(path.stat().st_size for path in (tmp_path / "out").glob("train-*"))
    times = summary.timeline
    assert times.began <= times.first_shard_began <= times.last_shard_validated <= times.ended
