"""An output made ready: another plan's leftovers are refused, or removed on demand, and nothing else is."""

from pathlib import Path

import pytest

from imagerecords.schemas.errors import OutputConflict, OverBudget
from imagerecords.tasks.discover import discover_images
from imagerecords.tasks.partition import partition_images
from imagerecords.tasks.prepare import prepare_output


@pytest.fixture
def source(tmp_path, fill):
    """An input of two labels."""
    return Path(fill(tmp_path / "in", {"cat": 4, "dog": 4}))


@pytest.fixture
def built(tmp_path, source, build):
    """The output of a build with three shards."""
    build(train_directory=source, output_directory=tmp_path / "out", train_shards=3)
    return tmp_path / "out"


def names(root):
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def files_of(shards, count):
    """All that belongs to these shards in an output."""
    numbered = [f"train-{shard:05d}-of-{count:05d}" for shard in shards]
    return {file for name in numbered for file in (name, f"index/{name}.idx", f"_build/receipts/{name}.parquet")}


def test_shards_of_another_plan_are_refused_and_left_alone(built, source, build, digests):
    before = digests(built)
    with pytest.raises(OutputConflict, match=r"got 3 of another plan.*train-00000-of-00003.*--overwrite"):
        build(train_directory=source, output_directory=built, train_shards=2)
    assert digests(built) == before


@pytest.mark.parametrize("name", ["train-00000-of-00008", "validation-00000-of-00001", "test-00003-of-00004"])
def test_shards_that_nobody_planned_are_refused(tmp_path, source, build, name):
    """A classic build's, for one: trainers would glob both."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).write_bytes(b"")
    with pytest.raises(OutputConflict, match=name):
        build(train_directory=source, output_directory=tmp_path / "out", train_shards=2)


def test_a_strange_shard_beside_this_plans_is_refused_too(built, source, build):
    (built / "train-00000-of-00008").write_bytes(b"")
    with pytest.raises(OutputConflict, match="train-00000-of-00008"):
        build(train_directory=source, output_directory=built, train_shards=3)


def test_overwrite_removes_exactly_the_old_shards_their_indexes_and_receipts(built, source, build):
    mine = {"notes.txt", "flowers_train-00000-of-00005", "index/mine.txt", "sub/train-00000-of-00003", "report-of-mine.html"}
    for name in mine:
        (built / name).parent.mkdir(exist_ok=True)
        (built / name).write_bytes(b"mine")
    before = names(built)
    build(train_directory=source, output_directory=built, train_shards=2, overwrite=True)
    assert names(built) == before - files_of(range(3), 3) | files_of(range(2), 2)


def test_overwritten_is_what_a_fresh_build_is(built, tmp_path, source, build, digests):
    build(train_directory=source, output_directory=built, train_shards=2, overwrite=True)
    build(train_directory=source, output_directory=tmp_path / "fresh", train_shards=2)
    assert digests(built) == digests(tmp_path / "fresh")


def test_overwrite_with_shards_of_the_same_names_leaves_no_old_record(built, tmp_path, source, build, digests):
    build(train_directory=source, output_directory=built, train_shards=3, seed=1, overwrite=True)
    build(train_directory=source, output_directory=tmp_path / "fresh", train_shards=3, seed=1)
    assert digests(built) == digests(tmp_path / "fresh")


def test_overwrite_without_anything_to_remove_is_an_ordinary_build(tmp_path, source, build, digests):
    build(train_directory=source, output_directory=tmp_path / "a", overwrite=True)
    build(train_directory=source, output_directory=tmp_path / "b")
    assert digests(tmp_path / "a") == digests(tmp_path / "b")


def test_a_data_set_is_not_complete_from_the_first_change_on(built, source, make_settings):
    settings = make_settings(train_directory=source, output_directory=built, train_shards=3)
    prepare_output(partition_images(discover_images(settings), settings), settings)
    assert not (built / "dataset_info.json").exists()
    assert (built / "train-00000-of-00003").exists()


def test_an_input_that_changed_makes_another_plan(built, source, build, picture):
    """New data must not slip into an old data set without a word."""
    (source / "cat/new.jpg").write_bytes(picture(99))
    with pytest.raises(OutputConflict):
        build(train_directory=source, output_directory=built, train_shards=3)


def test_an_input_that_changed_with_overwrite_converts_only_what_changed(tmp_path, fill, build, picture):
    source = Path(fill(tmp_path / "in", {"cat": 6}))
    build(train_directory=source, output_directory=tmp_path / "out", train_shards=3)
    (source / "cat/000.jpg").write_bytes(picture(99))
    summary = build(train_directory=source, output_directory=tmp_path / "out", train_shards=3, overwrite=True)
    assert (summary.shards_converted, summary.shards_reused) == (1, 2)


@pytest.mark.parametrize("content", [b"", b"garbage", b"PAR1" + b"\0" * 100 + b"PAR1", "parquet", "metadata"])
def test_a_plan_that_cannot_be_read_is_another_plan(built, source, build, content):
    import pyarrow as pa
    import pyarrow.parquet as pq

    plan = built / "_build/plan.parquet"
    if content == "parquet":  # a file of Parquet, but no plan
        pq.write_table(pa.table({"a": [1]}), plan)
    elif content == "metadata":
        pq.write_table(pa.table({"a": [1]}).replace_schema_metadata({b"imagerecords": b"[1]"}), plan)
    else:
        plan.write_bytes(content)
    with pytest.raises(OutputConflict):
        build(train_directory=source, output_directory=built, train_shards=3)
    build(train_directory=source, output_directory=built, train_shards=3, overwrite=True)


def test_every_flip_in_a_plans_end_is_survived(built, source, make_settings):
    """Where Parquet keeps its own and our header."""
    settings = make_settings(train_directory=source, output_directory=built, train_shards=3)
    plan = partition_images(discover_images(settings), settings)
    file = built / "_build/plan.parquet"
    data = file.read_bytes()
    for position in range(len(data) - 400, len(data)):
        changed = bytearray(data)
        changed[position] ^= 0xFF
        file.write_bytes(changed)
        try:
            prepare_output(plan, settings)
        except OutputConflict:
            continue


def test_what_a_user_put_into_an_output_stays_when_a_build_fails(tmp_path, fill, build):
    """A labels.txt of one's own, used as labels_file: in an output that holds no data set it is not another plan's."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out/labels.txt").write_text("dog\ncat\n")
    source = fill(tmp_path / "in", {"cat": [b"no image"], "dog": [b"no image"]})
    with pytest.raises(OverBudget):
        build(train_directory=source, output_directory=tmp_path / "out", labels_file=tmp_path / "out/labels.txt")
    assert (tmp_path / "out/labels.txt").read_text() == "dog\ncat\n"
