"""What the commands print of a data set in which there is one of everything: its numbers agree with their nouns."""

import re
import shutil

import pytest

BOXES = "image,xmin,ymin,xmax,ymax\n{0},0.1,0.1,0.5,0.5\n{0},0.2,0.2,0.2,0.6\nnowhere.jpg,0.1,0.1,0.5,0.5\n"


@pytest.fixture
def planted(tmp_path, picture):
    """An input with one hidden file, one note, one broken image, one leak, one blank image and one box."""
    train, validation = tmp_path / "train", tmp_path / "validation"
    for folder, count in ((train / "cat", 3), (train / "dog", 1), (validation / "cat", 1)):
        folder.mkdir(parents=True)
        for number in range(count):
            (folder / f"{folder.name}{number}.jpg").write_bytes(picture(len(list(tmp_path.rglob("*.jpg"))), size=(40, 30)))
    shutil.copy(train / "cat/cat1.jpg", validation / "cat/leak.jpg")
    (train / "cat/broken.jpg").write_bytes((train / "cat/cat0.jpg").read_bytes()[:200])
    (train / "dog/.hidden").write_text("x")
    (train / "dog/note.txt").write_text("x")
    (tmp_path / "boxes.csv").write_text(BOXES.format("cat/cat2.jpg"))
    return tmp_path


def test_a_number_agrees_with_its_noun_in_all_that_is_printed(imagerecords, planted):
    data, other = planted / "out", planted / "other"
    source = ("--train_directory", planted / "train", "--validation_directory", planted / "validation")
    boxes = ("--bounding_boxes", planted / "boxes.csv", "--max_rejected_fraction", "0.5", "--executor", "threads")
    name = planted / "list"
    name.write_text("cat2.jpg\n")
    runs = [
        imagerecords("plan", *source, *boxes, "--output_directory", data),
        imagerecords("build", "--no-prefect", *source, *boxes, "--output_directory", data),
        imagerecords("build", "--no-prefect", *source, "--executor", "threads", "--output_directory", other),
        imagerecords("audit", data),
        imagerecords("extract", data, "--to", planted / "to", "--label", "dog"),
        imagerecords("extract", data, "--to", planted / "to", "--label", "dog"),
        imagerecords("remove", data, "--list", name),
        imagerecords("remove", data, "--list", name),
        imagerecords("diff", data, other),
        imagerecords("locate", data, "cat0.jpg"),
        imagerecords("build", "--append", "--no-prefect", *source, *boxes, "--output_directory", data),
        imagerecords("doctor"),
    ]
    printed = "\n".join(run.out + run.err for run in runs)
    for part in (
        "1 hidden file, 1 .txt file",
        "1 image with boxes",
        "not complete: ",
        "no image of dog",
        "rejected:\n  train/cat/broken.jpg: ",
        "1 image of 1 label written to",
        "; 1 was there already",
        "1 image removed, 1 shard rewritten",
        "0 images removed, 0 shards rewritten; 1 removed before",
    ):
        assert part in printed, part
    assert re.findall(r"\b1 (?!was\b)[.a-z]+s\b.*", printed) == []


def test_the_table_of_many_folds_has_whole_cells_on_a_narrow_terminal(imagerecords, fill, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    data = fill(tmp_path / "in", {"a_label_with_a_long_name": 20})
    header, first, *_ = imagerecords(
        "plan", "--data_directory", data, "--folds", "10", "--output_directory", tmp_path / "out"
    ).out.splitlines()
    assert header.split() == ["label", *(f"fold_{number}" for number in range(10))]
    assert first.split() == ["a_label_with_a_long_name", *["2"] * 10]
