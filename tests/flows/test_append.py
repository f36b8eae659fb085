"""Data sets that grow: old shards keep their bytes, new images go behind, and every reader finds them all."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from imagerecords.schemas.errors import BadLayout, OutputConflict, OverBudget
from imagerecords.tasks.audit.folder import audit_folder
from imagerecords.tasks.commands.remove import remove_images

FIRST = {"train_shards": 3, "validation_shards": 2}


@pytest.fixture
def add(picture):
    """`add(root, "cat", 3)` adds so many new images to a label's folder."""

    def add(root, label, count, first=100):
        folder = Path(root) / label
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(first, first + count):
            (folder / f"{number}.jpg").write_bytes(picture(number, size=(17, 13)))

    return add


@pytest.fixture
def grown(tmp_path, fill, build):
    """The settings of an append to a data set of three train and two validation shards."""
    settings = {
        "train_directory": fill(tmp_path / "train", {"cat": 6, "dog": 6}),
        "validation_directory": fill(tmp_path / "validation", {"cat": 3, "dog": 3}),
        "output_directory": tmp_path / "out",
        "append": True,
    }
    build(**settings, **FIRST)
    return settings


def names(output, split):
    return sorted(path.name for path in Path(output).glob(f"{split}-*"))


def contents(output, split):
    """The bytes of a split's shards, in order."""
    return [(Path(output) / name).read_bytes() for name in names(output, split)]


def manifest(output, split):
    return [row for row in pq.read_table(Path(output) / "manifest.parquet").to_pylist() if row["split"] == split]


def labels(output):
    return (Path(output) / "labels.txt").read_text().split()


def test_new_images_go_into_new_shards_behind_the_old_ones(grown, build, add):
    output = grown["output_directory"]
    before = {split: contents(output, split) for split in ("train", "validation")}
    receipts = {row["path"]: row for row in manifest(output, "train")}
    add(grown["train_directory"], "cat", 5)
    summary = build(**grown, train_shards=2)
    assert names(output, "train") == [f"train-{number:05d}-of-00005" for number in range(5)]
    assert names(output, "validation") == [f"validation-{number:05d}-of-00002" for number in range(2)]
    assert contents(output, "train")[:3] == before["train"]
    assert contents(output, "validation") == before["validation"]
    assert (summary.shards_converted, summary.shards_kept) == (2, 5)
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
    assert (summary.shards_converted, summary.shards_kept) == (0, 5)
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
    assert (audit.files, audit.records, audit.faults) == (9, 27, ())


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
    assert (summary.shards_converted, summary.shards_kept) == (3, 3)
    assert sum(row["status"] == "written" for row in manifest(output, "train")) == 14
    assert audit_folder(str(output), {}).faults == ()


def test_what_became_of_old_images_in_the_input_does_not_matter(grown, build, add, picture, told):
    output, source = grown["output_directory"], Path(grown["train_directory"])
    before = contents(output, "train")
    (source / "cat/000.jpg").write_bytes(picture(77, size=(50, 50)))
    (source / "dog/001.jpg").unlink()
    add(source, "dog", 1)
    notes = told(**grown)
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
    settings = {"data_directory": source, "validation_fraction": 0.3, "append": True}
    build(output_directory=tmp_path / "out", **settings)
    before = {row["path"]: row["split"] for split in ("train", "validation") for row in manifest(tmp_path / "out", split)}
    add(source, "cat", 40)
    build(output_directory=tmp_path / "out", **settings)
    build(output_directory=tmp_path / "anew", **settings)
    after = {row["path"]: row["split"] for split in ("train", "validation") for row in manifest(tmp_path / "out", split)}
    anew = {row["path"]: row["split"] for split in ("train", "validation") for row in manifest(tmp_path / "anew", split)}
    assert after | before == after
    assert after == anew


LABEL_ROWS = {
    # name: (labels file or None, input's labels, labels file then, input's labels then, expected or the error's words)
    "sorted before an old one": (None, "bd", None, "abcd", "bdac"),
    "listed at the end": ("db", "bd", "dbca", "abcd", "dbca"),
    "a labels file for the first time": (None, "bd", "bda", "abd", "bda"),
    "a labels file no more": ("db", "bd", None, "abd", "dba"),
    "listed in between": (
        "db",
        "bd",
        "dab",
        "abd",
        "labels file must begin with the data set's labels.*got 'a' instead of 'b'",
    ),
    "listed in another order": ("db", "bd", "bda", "abd", "labels file must begin .* got 'b' instead of 'd'"),
    "a folder gone": (None, "bd", None, "ad", "got no images of 'b'.*--append_missing_labels keep"),
    "a line gone": ("bd", "bd", "ba", "abd", "got no images of 'd'"),
    "folder and line gone": ("bd", "bd", "ba", "ab", "got no images of 'd'"),
    "a folder gone that is listed": ("bd", "bd", "bda", "ab", "got no images of 'd'"),
}


def lay_out(tmp_path, fill, listed, folders):
    """Settings of an input with these labels, each a letter; images that are there stay."""
    source = tmp_path / "in"
    for path in source.glob("?"):
        if path.name not in folders:
            path.rename(tmp_path / f"gone-{path.name}")
    fill(source, {label: 2 for label in folders if not (source / label).exists()})
    if listed is None:
        return {"train_directory": source}
    (tmp_path / "labels.txt").write_text("".join(f"{label}\n" for label in listed))
    return {"train_directory": source, "labels_file": tmp_path / "labels.txt"}


@pytest.mark.parametrize("row", LABEL_ROWS)
def test_labels_are_appended_and_never_renumbered(tmp_path, fill, build, digests, row):
    listed, folders, listed_then, folders_then, expected = LABEL_ROWS[row]
    output = {"output_directory": tmp_path / "out", "append": True}
    build(**output, **lay_out(tmp_path, fill, listed, folders))
    then = lay_out(tmp_path, fill, listed_then, folders_then) | {"unlisted_labels": "ignore"}
    before = digests(tmp_path / "out")
    if expected.isalpha():
        build(**output, **then)
        assert labels(tmp_path / "out") == list(expected)
        return
    with pytest.raises(BadLayout, match=expected):
        build(**output, **then)
    assert digests(tmp_path / "out") == before


KEPT_ROWS = {
    # as above; expected labels, and those that got new images: a, and d where its folder counts
    "a folder gone": (None, "bd", None, "ad", "bda", "ad"),
    "a line gone, its folder still there": ("bd", "bd", "ba", "abd", "bda", "a"),  # no new image of d is taken
    "a folder gone that is listed": ("bd", "bd", "bda", "ab", "bda", "a"),
    "all old ones gone": (None, "bd", None, "a", "bda", "a"),
}


@pytest.mark.parametrize("row", KEPT_ROWS)
def test_a_missing_label_is_kept_on_demand_with_its_id_and_records(tmp_path, fill, build, row):
    listed, folders, listed_then, folders_then, expected, grown_by = KEPT_ROWS[row]
    output = {"output_directory": tmp_path / "out", "append": True}
    build(**output, **lay_out(tmp_path, fill, listed, folders))
    then = lay_out(tmp_path, fill, listed_then, folders_then)
    for folder in then["train_directory"].iterdir():
        if folder.name == "d":
            (folder / "new.jpg").write_bytes((folder / "000.jpg").read_bytes())
    build(**output, **then, unlisted_labels="ignore", append_missing_labels="keep")
    assert labels(tmp_path / "out") == list(expected)
    rows = manifest(tmp_path / "out", "train")
    assert sorted({row["text"] for row in rows}) == sorted(expected)
    assert {row["text"] for row in rows if row["shard"].startswith("train-00001")} == set(grown_by)
    assert {(row["text"], row["label"]) for row in rows} == {(label, expected.index(label) + 1) for label in expected}


def test_a_new_split_may_appear(tmp_path, fill, build, add):
    settings = {"train_directory": fill(tmp_path / "train", {"cat": 4}), "output_directory": tmp_path / "out", "append": True}
    build(**settings)
    before = contents(tmp_path / "out", "train")
    summary = build(**settings, validation_directory=fill(tmp_path / "validation", {"cat": 2}))
    assert names(tmp_path / "out", "validation") == ["validation-00000-of-00001"]
    assert contents(tmp_path / "out", "train") == before
    assert [split.found for split in summary.splits] == [4, 2]


DIFFERENCES = {
    "train_directory": ({"train_directory": "other"}, "input of train .* after"),
    "a split less": ({"validation_directory": None}, "input of validation None after"),
    "divided by fractions": (
        {"train_directory": None, "validation_directory": None, "data_directory": "other"},
        "input of train None after",
    ),
    "content": ({"check_pixels": "none"}, "check_pixels 'none' after 'all'"),
}


@pytest.mark.parametrize("difference", DIFFERENCES)
def test_settings_that_would_make_shards_of_another_kind_are_refused_by_name(grown, fill, build, digests, difference):
    change, words = DIFFERENCES[difference]
    output = grown["output_directory"]
    fill(output.with_name("other"), {"cat": 6, "dog": 7})
    change = {name: output.with_name(value) if value == "other" else value for name, value in change.items()}
    before = digests(output)
    with pytest.raises(OutputConflict, match=f"append must go on as the data set was built, got .*{words}"):
        build(**grown | change)
    assert digests(output) == before


def test_another_encoder_is_refused(grown, build, add, monkeypatch):
    from imagerecords.tasks import append

    add(grown["train_directory"], "cat", 1)
    monkeypatch.setattr(append, "ENCODER_VERSION", "a later one")
    with pytest.raises(OutputConflict, match="the encoder's version 'a later one' after"):
        build(**grown)


@pytest.mark.parametrize("content", [b"", b"garbage"])
def test_a_data_set_whose_plan_cannot_be_read_is_not_appended_to(grown, build, digests, content):
    (grown["output_directory"] / "_build/plan.parquet").write_bytes(content)
    before = digests(grown["output_directory"])
    with pytest.raises(OutputConflict, match="the plan of a data set must be one that can be read"):
        build(**grown)
    assert digests(grown["output_directory"]) == before


def test_shards_without_a_plan_are_not_appended_to(grown, build):
    """A classic build's, for one."""
    (grown["output_directory"] / "_build/plan.parquet").unlink()
    with pytest.raises(OutputConflict, match="of another plan"):
        build(**grown)


def test_a_build_without_append_tells_of_it(grown, build, add):
    add(grown["train_directory"], "cat", 1)
    with pytest.raises(OutputConflict, match="pass --append to add new images"):
        build(**grown | {"append": False}, **FIRST)


def test_more_new_shards_than_new_images_are_as_many_as_images(grown, build, add, told):
    """One scheduled command has one number of shards for the first build and for each night."""
    add(grown["train_directory"], "cat", 2)
    notes = told(**grown, train_shards=8, layout_threads=4, allow_empty_shards=True)
    assert len(names(grown["output_directory"], "train")) == 5
    assert any("2 new shards, fewer than the 8 asked for" in note for note in notes)


@pytest.fixture
def told():
    """`told(**settings)` builds and gives what the build told."""
    from imagerecords.flows.direct import build_directly
    from imagerecords.flows.progress import LineProgress
    from imagerecords.schemas.settings import BuildSettings

    def told(**settings):
        lines = []
        settings = {name: str(value) if isinstance(value, Path) else value for name, value in settings.items()}
        build_directly(BuildSettings(executor="threads", workers=2, **settings), LineProgress(lines.append, lambda _: None))
        return lines

    return told


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
    assert "check_pixels 'none' after 'all'" in refused.err


def test_a_refused_append_is_exit_code_2(grown, imagerecords):
    words = [word for name, value in grown.items() if name != "append" for word in (f"--{name}", value)]
    ran = imagerecords("build", "--append", "--no-prefect", "--check_pixels", "none", *words)
    assert ran.code == 2
    assert "append must go on as the data set was built" in ran.err


def copy(source, target):
    """A file's bytes under another name."""
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(source.read_bytes())


def reasons(output):
    """Why images were left out, by split and path."""
    rows = [row for split in ("train", "validation") for row in manifest(output, split)]
    return {f"{row['split']}/{row['path']}": row["message"] for row in rows if row["reason"] == "duplicate"}


def test_a_new_copy_of_an_old_image_is_left_out_and_the_old_one_stays(grown, build, add):
    """Even where a first build would keep the new one, since validation comes before train."""
    train, validation = Path(grown["train_directory"]), Path(grown["validation_directory"])
    before = contents(grown["output_directory"], "train")
    copy(train / "dog/000.jpg", validation / "cat/copy.jpg")
    add(validation, "cat", 1, first=200)
    add(train, "cat", 2)
    copy(train / "cat/101.jpg", train / "dog/copy.jpg")
    build(**grown, duplicates="drop")
    assert reasons(grown["output_directory"]) == {
        "validation/cat/copy.jpg": "the same bytes as dog/000.jpg in train, which is kept",
        "train/dog/copy.jpg": "the same bytes as cat/101.jpg in train, which is kept",
    }
    assert contents(grown["output_directory"], "train")[:3] == before


def test_a_copy_of_an_image_that_is_gone_is_left_out_too(grown, build, add):
    """What is stored counts, not what is still there."""
    train = Path(grown["train_directory"])
    (train / "dog/000.jpg").rename(train / "cat/renamed.jpg")
    add(train, "cat", 1)
    build(**grown, duplicates="drop")
    assert reasons(grown["output_directory"]) == {
        "train/cat/renamed.jpg": "the same bytes as dog/000.jpg in train, which is kept"
    }


def test_what_a_stopped_build_has_not_told_of_yet_is_read_for_its_copies(grown, build, add):
    train = Path(grown["train_directory"])
    for lost in ("dataset_info.json", "manifest.parquet"):
        (grown["output_directory"] / lost).unlink()
    copy(train / "dog/003.jpg", train / "cat/copy.jpg")
    add(train, "cat", 1)
    build(**grown, duplicates="drop")
    assert reasons(grown["output_directory"]) == {"train/cat/copy.jpg": "the same bytes as dog/003.jpg in train, which is kept"}


def test_new_images_that_are_all_copies_make_no_shard(grown, told, digests):
    train = Path(grown["train_directory"])
    before = digests(grown["output_directory"])
    copy(train / "cat/000.jpg", train / "cat/copy.jpg")
    notes = told(**grown, duplicates="drop")
    assert any("train: 1 new image, all duplicates: nothing to append" in note for note in notes)
    assert digests(grown["output_directory"]) == before


def write_manifest(path, rows):
    """A manifest of rows of path, label and whatever else."""
    columns = list(rows[0])
    lines = [",".join(columns), *(",".join(str(row[name]) for name in columns) for row in rows)]
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture
def listed(tmp_path, fill):
    """Settings of an append by a manifest, and its rows: four cats and four dogs, one of each for validation."""
    fill(tmp_path / "in", {"cat": 4, "dog": 4, "owl": 2})
    rows = [
        {"path": f"in/{label}/{number:03}.jpg", "label": label, "split": "validation" if number == 3 else "train"}
        for label in ("cat", "dog")
        for number in range(4)
    ]
    return {"manifest": tmp_path / "images.csv", "output_directory": tmp_path / "out", "append": True}, rows


NEW_OWLS = [{"path": f"in/owl/00{number}.jpg", "label": "owl", "split": "train"} for number in range(2)]


@pytest.mark.parametrize("delta", [False, True], ids=["the whole manifest", "new rows alone"])
def test_a_manifest_grows_the_data_set(listed, build, delta):
    settings, rows = listed
    output = settings["output_directory"]
    write_manifest(settings["manifest"], rows)
    build(**settings)
    before = {split: contents(output, split) for split in ("train", "validation")}
    write_manifest(settings["manifest"], NEW_OWLS if delta else NEW_OWLS + rows)
    build(**settings, append_missing_labels="keep" if delta else "error")
    assert contents(output, "train")[:-1] == before["train"]
    assert contents(output, "validation") == before["validation"]
    assert labels(output) == ["cat", "dog", "owl"]
    assert [row["path"] for row in manifest(output, "train")[6:]] in (
        ["in/owl/000.jpg", "in/owl/001.jpg"],
        ["in/owl/001.jpg", "in/owl/000.jpg"],
    )
    assert audit_folder(str(output), {}).faults == ()


def test_a_manifest_without_a_label_of_the_data_set_is_refused(listed, build, digests):
    settings, rows = listed
    write_manifest(settings["manifest"], rows)
    build(**settings)
    before = digests(settings["output_directory"])
    write_manifest(settings["manifest"], [*NEW_OWLS, *(row for row in rows if row["label"] == "dog")])
    with pytest.raises(BadLayout, match="got no images of 'cat'"):
        build(**settings)
    assert digests(settings["output_directory"]) == before


def test_a_row_that_changes_its_split_or_label_moves_no_record(listed, build, told):
    """Else validation would hold what a trainer has seen."""
    settings, rows = listed
    write_manifest(settings["manifest"], rows)
    build(**settings)
    before = [row["path"] for row in manifest(settings["output_directory"], "validation")]
    moved = [row | {"split": "validation"} if row["path"] == "in/cat/000.jpg" else row for row in rows]
    moved = [row | {"label": "cat"} if row["path"] == "in/dog/001.jpg" else row for row in moved]
    write_manifest(settings["manifest"], moved)
    notes = told(**settings)
    assert any("2 images changed" in note for note in notes)
    assert [row["path"] for row in manifest(settings["output_directory"], "validation")] == before


def test_boxes_and_their_books_grow_too(tmp_path, fill, build, add):
    source = fill(tmp_path / "in", {"cat": 3})
    boxes = tmp_path / "boxes.csv"
    boxes.write_text("000.jpg,0.1,0.1,0.5,0.5\n001.jpg,0.2,0.2,0.6,0.6\n001.jpg,0.3,0.3,0.7,0.7\nelsewhere.jpg,0,0,1,1\n")
    settings = {"train_directory": source, "output_directory": tmp_path / "out", "append": True}
    build(**settings, bounding_boxes=boxes)
    add(source, "cat", 2)
    boxes.write_text(boxes.read_text() + "100.jpg,0.1,0.1,0.9,0.9\n")
    (Path(source) / "cat/001.jpg").unlink()
    summary = build(**settings, bounding_boxes=boxes)
    assert [row["boxes"] for row in sorted(manifest(tmp_path / "out", "train"), key=lambda row: row["path"])] == [1, 2, 0, 1, 0]
    assert summary.boxes.written == 4
    add(source, "cat", 1, first=300)
    with pytest.raises(OutputConflict, match="boxes False after True"):
        build(**settings)


def test_synsets_keep_their_texts(tmp_path, fill, build, add):
    source = fill(tmp_path / "in", {"n02": 2})
    synsets = tmp_path / "synsets.txt"
    synsets.write_text("n02\tcat\nn01\tdog\n")
    settings = {"train_directory": source, "output_directory": tmp_path / "out", "append": True, "synsets_file": synsets}
    build(**settings)
    add(source, "n01", 2)
    build(**settings)
    assert labels(tmp_path / "out") == ["n02", "n01"]
    assert {row["label"]: row["text"] for row in manifest(tmp_path / "out", "train")} == {1: "cat", 2: "dog"}
    synsets.write_text("n02\tkitten\nn01\tdog\n")
    with pytest.raises(OutputConflict, match="text of n02 'kitten' after 'cat'"):
        build(**settings)


@pytest.mark.parametrize("keep", [True, False], ids=["shards kept", "a shard lost"])
def test_what_was_removed_stays_out_of_the_data_set_that_grows(grown, build, add, keep):
    output = grown["output_directory"]
    gone = "cat/001.jpg"
    (row,) = [row for row in manifest(output, "train") if row["path"] == gone]
    remove_images(str(output), [f"train/{gone}"], {})
    before = contents(output, "train")
    if not keep:  # it must be converted anew, without what was taken out of it
        (output / row["shard"]).unlink()
    add(grown["train_directory"], "dog", 4)
    build(**grown, train_shards=1)
    assert contents(output, "train")[:3] == before
    rows = {row["path"]: row for row in manifest(output, "train")}
    assert len(rows) == 16
    assert (rows[gone]["status"], rows[gone]["reason"]) == ("rejected", "removed")
    assert not audit_folder(str(output), {}).faults
    remove_images(str(output), ["train/dog/100.jpg"], {})  # and again, from a new shard
    assert [row["path"] for row in manifest(output, "train") if row["reason"] == "removed"] == [gone, "dog/100.jpg"]
    build(**grown)
    assert len([row for row in manifest(output, "train") if row["status"] == "written"]) == 14
    assert not audit_folder(str(output), {}).faults
