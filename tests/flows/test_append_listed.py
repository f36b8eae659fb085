"""append from a file that lists images, and with boxes and synsets."""

from pathlib import Path

import pytest

from imagerecords.schemas.errors import BadLayout, OutputConflict
from imagerecords.tasks.audit.folder import audit_folder
from tests.flows.growing import contents, labels, manifest, write_image_list


@pytest.fixture
def listed(tmp_path, fill):
    """Settings of an append by an image list, and its rows: four cats and four dogs, one of each for validation."""
    fill(tmp_path / "in", {"cat": 4, "dog": 4, "owl": 2})
    rows = [
        {"path": f"in/{label}/{number:03}.jpg", "label": label, "split": "validation" if number == 3 else "train"}
        for label in ("cat", "dog")
        for number in range(4)
    ]
    return {"image_list": tmp_path / "images.csv", "output_directory": tmp_path / "out", "append": True}, rows


NEW_OWLS = [{"path": f"in/owl/00{number}.jpg", "label": "owl", "split": "train"} for number in range(2)]


@pytest.mark.parametrize("delta", [False, True], ids=["the whole manifest", "new rows alone"])
def test_an_image_list_grows_the_data_set(listed, build, delta):
    settings, rows = listed
    output = settings["output_directory"]
    write_image_list(settings["image_list"], rows)
    build(**settings)
    before = {split: contents(output, split) for split in ("train", "validation")}
    write_image_list(settings["image_list"], NEW_OWLS if delta else NEW_OWLS + rows)
    build(**settings, append_missing_labels="keep" if delta else "error")
    assert contents(output, "train")[:-1] == before["train"]
    assert contents(output, "validation") == before["validation"]
    assert labels(output) == ["cat", "dog", "owl"]
    assert [row["path"] for row in manifest(output, "train")[6:]] in (
        ["in/owl/000.jpg", "in/owl/001.jpg"],
        ["in/owl/001.jpg", "in/owl/000.jpg"],
    )
    assert audit_folder(str(output), {}).problems == ()


def test_an_image_list_without_a_label_of_the_data_set_is_refused(listed, build, digests):
    settings, rows = listed
    write_image_list(settings["image_list"], rows)
    build(**settings)
    before = digests(settings["output_directory"])
    write_image_list(settings["image_list"], [*NEW_OWLS, *(row for row in rows if row["label"] == "dog")])
    with pytest.raises(BadLayout, match="no images of label 'cat'"):
        build(**settings)
    assert digests(settings["output_directory"]) == before


def test_a_row_that_changes_its_split_or_label_moves_no_record(listed, build, notes_of):
    """Else validation would hold what a trainer has seen."""
    settings, rows = listed
    write_image_list(settings["image_list"], rows)
    build(**settings)
    before = [row["path"] for row in manifest(settings["output_directory"], "validation")]
    moved = [row | {"split": "validation"} if row["path"] == "in/cat/000.jpg" else row for row in rows]
    moved = [row | {"label": "cat"} if row["path"] == "in/dog/001.jpg" else row for row in moved]
    write_image_list(settings["image_list"], moved)
    notes = notes_of(**settings)
    assert any("2 images changed" in note for note in notes)
    assert [row["path"] for row in manifest(settings["output_directory"], "validation")] == before


def test_boxes_and_their_counts_grow_too(tmp_path, fill, build, add):
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
    with pytest.raises(OutputConflict, match="boxes is False, was True"):
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
    with pytest.raises(OutputConflict, match="text of n02 is 'kitten', was 'cat'"):
        build(**settings)
