"""Data sets that grow: old shards keep their bytes, new images go into new shards, and every reader finds them all."""

import json
from pathlib import Path

import pytest

from imagerecords.schemas.errors import OutputConflict, OverBudget
from imagerecords.tasks.audit.folder import audit_folder
from tests.flows.growing import FIRST, contents, manifest, names


def test_new_images_go_into_new_shards_after_the_old_ones(grown, build, add):
    output = grown["output_directory"]
    before = {split: contents(output, split) for split in ("train", "validation")}
    receipts = {row["path"]: row for row in manifest(output, "train")}
    add(grown["train_directory"], "cat", 5)
    summary = build(**grown, train_shards=2)
    assert names(output, "train") == [f"train-{number:05d}-of-00005" for number in range(5)]
    assert names(output, "validation") == [f"validation-{number:05d}-of-00002" for number in range(2)]
    assert contents(output, "train")[:3] == before["train"]
    assert contents(output, "validation") == before["validation"]
    assert (summary.shards_converted, summary.shards_reused) == (2, 5)
    old, new = manifest(output, "train")[:12], manifest(output, "train")[12:]
    for row in old:
        was = receipts[row["path"]]
        assert row == was | {"shard": was["shard"].replace("00003", "00005")}
    assert {row["path"] for row in new} == {f"cat/{number}.jpg" for number in range(100, 105)}
    assert {row["shard"] for row in new} == {"train-00003-of-00005", "train-00004-of-00005"}


def test_nothing_under_an_old_name_is_left(grown, build, add, digests):
    add(grown["train_directory"], "cat", 5)
    build(**grown)
    assert [path for path in digests(grown["output_directory"]) if "train-" in path and "-of-00003" in path] == []


def test_without_new_images_not_a_byte_changes(grown, build, digests):
    before = digests(grown["output_directory"])
    summary = build(**grown)
    assert (summary.shards_converted, summary.shards_reused) == (0, 5)
    assert digests(grown["output_directory"]) == before


def test_an_append_run_again_changes_nothing(grown, build, add, digests):
    add(grown["train_directory"], "cat", 5)
    first = build(**grown)
    before = digests(grown["output_directory"])
    again = build(**grown)
    assert (again.digest, again.shards_converted) == (first.digest, 0)
    assert digests(grown["output_directory"]) == before


@pytest.mark.parametrize("how", [{"executor": "processes", "workers": 2}, {"executor": "threads", "workers": 3}])
def test_every_file_has_the_same_bytes_whoever_appends(grown, build, add, digests, how):
    output = grown["output_directory"]
    other = grown | {"output_directory": output.with_name("other")}
    build(**other, **FIRST)
    add(grown["train_directory"], "cat", 5)
    build(**grown, train_shards=2, workers=1)
    build(**other, train_shards=2, **how)
    assert digests(other["output_directory"]) == digests(output)


def test_an_output_without_a_data_set_is_built_as_without_append(tmp_path, grown, build, digests):
    """So that one scheduled command does both."""
    build(**grown | {"output_directory": tmp_path / "plain", "append": False}, **FIRST)
    assert digests(tmp_path / "plain") == digests(tmp_path / "out")


def test_grown_twice_it_holds_every_image_once_for_every_reader(tmp_path, grown, build, add, read_classic):
    import tensorflow_datasets as tfds

    output = grown["output_directory"]
    add(grown["train_directory"], "cat", 4)
    build(**grown)
    old = contents(output, "train")
    add(grown["train_directory"], "owl", 3)
    add(grown["validation_directory"], "owl", 2, first=200)
    build(**grown, train_shards=2)
    assert names(output, "train") == [f"train-{number:05d}-of-00006" for number in range(6)]
    assert contents(output, "train")[:4] == old
    for split, root in (("train", grown["train_directory"]), ("validation", grown["validation_directory"])):
        read = [record for name in names(output, split) for record in read_classic(Path(output) / name)]
        found = sorted((record["class/text"].decode(), record["filename"].decode()) for record in read)
        assert found == sorted((path.parent.name, path.name) for path in Path(root).rglob("*.jpg"))
        ids = {record["class/text"].decode(): record["class/label"].tolist() for record in read}
        assert ids == {"cat": [1], "dog": [2], "owl": [3]}
    builder = tfds.builder_from_directory(str(output))
    assert {name: split.num_examples for name, split in builder.info.splits.items()} == {"train": 19, "validation": 8}
    assert builder.info.features["image"]["class"]["label"].names == ["background", "cat", "dog", "owl"]
    examples = [example["image"] for example in builder.as_dataset(split="validation")]
    assert len({(int(image["class"]["label"]), image["filename"].numpy()) for image in examples}) == len(examples) == 8
    audit = audit_folder(str(output), {})
    assert (audit.files, audit.records, audit.problems) == (9, 27, ())


def test_a_first_build_that_was_killed_and_then_got_more_images_is_finished_by_the_append(grown, build, add):
    output = grown["output_directory"]
    for lost in (
        "dataset_info.json",
        "manifest.parquet",
        "train-00002-of-00003",
        "_build/receipts/train-00001-of-00003.parquet",
    ):
        (output / lost).unlink()
    add(grown["train_directory"], "cat", 2)
    summary = build(**grown)
    assert (summary.shards_converted, summary.shards_reused) == (3, 3)
    assert sum(row["status"] == "written" for row in manifest(output, "train")) == 14
    assert audit_folder(str(output), {}).problems == ()


def test_what_happened_to_old_images_in_the_input_does_not_matter(grown, build, add, picture, notes_of):
    output, source = grown["output_directory"], Path(grown["train_directory"])
    before = contents(output, "train")
    (source / "cat/000.jpg").write_bytes(picture(77, size=(50, 50)))
    (source / "dog/001.jpg").unlink()
    add(source, "dog", 1)
    notes = notes_of(**grown)
    assert contents(output, "train")[:3] == before
    assert any("1 image changed" in note and "cat/000.jpg" in note for note in notes)
    assert any("1 image no longer in the input" in note and "dog/001.jpg" in note for note in notes)
    assert any("train: 1 new image in 1 new shard" in note for note in notes)


def test_an_image_that_was_rejected_stays_rejected(tmp_path, fill, build, picture):
    source = fill(tmp_path / "in", {"cat": [picture(1), b"no image", picture(2)]})
    settings = {"train_directory": source, "output_directory": tmp_path / "out", "append": True, "max_rejected_fraction": 0.5}
    build(**settings)
    (Path(source) / "cat/001.jpg").write_bytes(picture(3))
    summary = build(**settings)
    assert summary.splits[0].rejected == {"not_an_image": 1}


def test_the_rejected_fraction_is_that_of_old_and_new_images_together(grown, build):
    """A night's few bad images do not stop a large data set; its manifest names them."""
    source = Path(grown["train_directory"])
    (source / "cat/bad.jpg").write_bytes(b"no image")
    assert build(**grown, max_rejected_fraction=0.08).splits[0].rejected == {"not_an_image": 1}
    for number in range(2):
        (source / f"cat/worse{number}.jpg").write_bytes(b"no image")
    with pytest.raises(OverBudget, match="3 of 15"):
        build(**grown, max_rejected_fraction=0.08)


def test_one_directory_divided_by_fractions_grows_with_every_image_in_its_split(tmp_path, fill, build, add):
    source = fill(tmp_path / "in", {"cat": 40, "dog": 40})
    settings = {"data_directory": source, "validation_fraction": 0.3, "append": True, "split_method": "hash"}
    build(output_directory=tmp_path / "out", **settings)
    before = {row["path"]: row["split"] for split in ("train", "validation") for row in manifest(tmp_path / "out", split)}
    add(source, "cat", 40)
    build(output_directory=tmp_path / "out", **settings)
    build(output_directory=tmp_path / "fresh", **settings)
    after = {row["path"]: row["split"] for split in ("train", "validation") for row in manifest(tmp_path / "out", split)}
    fresh = {row["path"]: row["split"] for split in ("train", "validation") for row in manifest(tmp_path / "fresh", split)}
    assert after | before == after
    assert after == fresh


def test_a_new_split_may_appear(tmp_path, fill, build, add):
    settings = {"train_directory": fill(tmp_path / "train", {"cat": 4}), "output_directory": tmp_path / "out", "append": True}
    build(**settings)
    before = contents(tmp_path / "out", "train")
    summary = build(**settings, validation_directory=fill(tmp_path / "validation", {"cat": 2}))
    assert names(tmp_path / "out", "validation") == ["validation-00000-of-00001"]
    assert contents(tmp_path / "out", "train") == before
    assert [split.found for split in summary.splits] == [4, 2]


def test_a_build_without_append_names_the_option(grown, build, add):
    add(grown["train_directory"], "cat", 1)
    with pytest.raises(OutputConflict, match="pass --append to add new images"):
        build(**grown | {"append": False}, **FIRST)


def test_more_new_shards_than_new_images_are_limited_to_the_images(grown, build, add, notes_of):
    """One scheduled command has one number of shards for the first build and for each night."""
    add(grown["train_directory"], "cat", 2)
    notes = notes_of(**grown, train_shards=8, layout_threads=4, allow_empty_shards=True)
    assert len(names(grown["output_directory"], "train")) == 5
    assert any("2 new shards, fewer than the 8 asked for" in note for note in notes)


def test_plan_shows_what_is_new_and_writes_nothing(grown, build, add, digests, imagerecords):
    add(grown["train_directory"], "cat", 4)
    add(grown["train_directory"], "owl", 3)
    before = digests(grown["output_directory"])
    words = [word for name, value in grown.items() if name != "append" for word in (f"--{name}", value)]
    ran = imagerecords("plan", "--append", "--json", *words)
    plan = json.loads(ran.out)
    assert ran.code == 0
    assert [(split["split"], split["images"], split["shards"]) for split in plan["splits"]] == [
        ("train", 19, 4),
        ("validation", 6, 2),
    ]
    assert [(split["split"], split["images"], split["shards"], split["labels"]) for split in plan["new"]] == [
        ("train", 7, 1, {"cat": 4, "owl": 3}),
        ("validation", 0, 0, {}),
    ]
    table = imagerecords("plan", "--append", *words).out
    assert "new train" in table
    assert "train: 7 new images in 1 new shard" in table
    assert digests(grown["output_directory"]) == before
    refused = imagerecords("plan", "--append", "--check_pixels", "none", *words)
    assert refused.code == 2
    assert "check_pixels is 'none', was 'all'" in refused.err


def test_a_refused_append_is_exit_code_2(grown, imagerecords):
    words = [word for name, value in grown.items() if name != "append" for word in (f"--{name}", value)]
    ran = imagerecords("build", "--append", "--no-prefect", "--check_pixels", "none", *words)
    assert ran.code == 2
    assert "cannot append, since the data set was built with other settings or input" in ran.err
