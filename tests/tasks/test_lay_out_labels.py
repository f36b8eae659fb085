"""The label folders that are laid out from an export."""

import errno
import json
import os

import pytest
from pydantic import ValidationError

from imagerecords.schemas.errors import BadLayout
from imagerecords.schemas.label_export import LabelExport
from imagerecords.tasks.lay_out_labels import lay_out_labels


def task(image, *choices, cancelled=False):
    result = [{"type": "choices", "value": {"choices": list(choices)}}]
    return {"data": {"image": image}, "annotations": [{"was_cancelled": cancelled, "result": result}]}


@pytest.fixture
def export(tmp_path, picture):
    """Forty labelled images beside their export, and the settings that lay them out."""
    images = tmp_path / "images"
    images.mkdir()
    tasks = []
    for number in range(40):
        (images / f"{number}.jpg").write_bytes(picture(number))
        tasks.append(task(f"/data/upload/1/{number}.jpg", "cat" if number % 2 else "dog"))
    (tmp_path / "export.json").write_text(json.dumps(tasks))
    return LabelExport(
        export_file=str(tmp_path / "export.json"),
        images_directory=str(images),
        labelled_directory=str(tmp_path / "labelled"),
        output_directory=str(tmp_path / "out"),
        validation_fraction=0.25,
    )


def laid_out(tmp_path):
    folder = tmp_path / "labelled"
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.jpg"))


def test_images_are_linked_into_their_labels_folders_once(export, tmp_path):
    counts = lay_out_labels(export)
    assert sum(counts.values()) == 40
    assert set(counts) == {"train/cat", "train/dog", "validation/cat", "validation/dog"}
    assert (tmp_path / "labelled/labels.txt").read_text() == "cat\ndog\n"
    before = laid_out(tmp_path)
    assert len(before) == 40
    assert all(os.path.islink(tmp_path / "labelled" / path) for path in before)
    lay_out_labels(export)
    assert laid_out(tmp_path) == before


def test_images_of_one_name_whose_digests_begin_alike_are_all_laid_out(export, tmp_path, monkeypatch):
    monkeypatch.setattr("imagerecords.tasks.lay_out_labels.SHORT_DIGEST", 0)
    (tmp_path / "images/other").mkdir()
    (tmp_path / "images/other/0.jpg").write_bytes(b"another picture")
    tasks = [task(path, "cat") for path in ("/data/upload/1/0.jpg", "/data/upload/1/other/0.jpg")]
    (tmp_path / "export.json").write_text(json.dumps(tasks))
    assert lay_out_labels(export.model_copy(update={"validation_fraction": 0.0})) == {"train/cat": 2}


def test_a_csv_of_images_and_labels_is_laid_out_too(export, tmp_path):
    images = sorted((tmp_path / "images").iterdir())
    labels = {image: "cat" if int(image.stem) % 2 else "dog" for image in images}
    (tmp_path / "export.csv").write_text("\n".join(["image,label", *(f"{image},{labels[image]}" for image in images)]) + "\n")
    lay_out_labels(export.model_copy(update={"export_file": str(tmp_path / "export.csv")}))
    folder = tmp_path / "labelled"
    assert {path.resolve(): path.parent.name for path in folder.rglob("*.jpg")} == labels
    assert (folder / "labels.txt").read_text().split() == ["cat", "dog"]


def test_an_image_keeps_its_split_when_the_export_grows(export, tmp_path):
    lay_out_labels(export)
    before = set(laid_out(tmp_path))
    tasks = json.loads((tmp_path / "export.json").read_text())
    (tmp_path / "images/new.jpg").write_bytes((tmp_path / "images/0.jpg").read_bytes())
    (tmp_path / "export.json").write_text(json.dumps([*tasks, task("/data/upload/1/new.jpg", "cat")]))
    lay_out_labels(export)
    assert before < set(laid_out(tmp_path))


def test_an_image_that_is_relabelled_leaves_its_old_folder(export, tmp_path):
    lay_out_labels(export)
    tasks = json.loads((tmp_path / "export.json").read_text())
    tasks[0] = task("/data/upload/1/0.jpg", "cat")  # it was a dog
    (tmp_path / "export.json").write_text(json.dumps(tasks))
    lay_out_labels(export)
    names = [path for path in laid_out(tmp_path) if path.endswith("-0.jpg")]
    assert [path.split("/")[1] for path in names] == ["cat"]


def test_an_image_that_is_relabelled_after_an_interrupted_export_leaves_its_old_folder(export, tmp_path, monkeypatch):
    linked = os.symlink

    def full(source, link):
        if link.endswith("-5.jpg"):
            raise OSError(errno.ENOSPC, "No space left on device")
        linked(source, link)

    with monkeypatch.context() as patch:
        patch.setattr(os, "symlink", full)
        with pytest.raises(OSError, match="No space left"):
            lay_out_labels(export)
    assert [path for path in laid_out(tmp_path) if path.endswith("-0.jpg")]
    tasks = json.loads((tmp_path / "export.json").read_text())
    tasks[0] = task("/data/upload/1/0.jpg", "cat")  # it was a dog
    (tmp_path / "export.json").write_text(json.dumps(tasks))
    lay_out_labels(export)
    assert [path.split("/")[1] for path in laid_out(tmp_path) if path.endswith("-0.jpg")] == ["cat"]
    assert len(laid_out(tmp_path)) == 40


def test_images_of_another_directory_take_the_places_of_those_before(export, tmp_path):
    lay_out_labels(export)
    moved = (tmp_path / "images").rename(tmp_path / "moved")
    (tmp_path / "images").mkdir()
    (tmp_path / "images/0.jpg").write_bytes(b"another picture")
    lay_out_labels(export.model_copy(update={"images_directory": str(moved)}))
    assert {path.resolve().parent for path in (tmp_path / "labelled").rglob("*.jpg")} == {moved}


def test_one_image_with_two_labels_in_two_rows_is_refused_before_anything_is_laid_out(export, tmp_path):
    tasks = json.loads((tmp_path / "export.json").read_text())
    (tmp_path / "export.json").write_text(json.dumps([*tasks, task("/data/upload/1/0.jpg", "cat")]))
    with pytest.raises(BadLayout, match=r"one label, got 'dog' at .*task 1 and 'cat': .*task 41"):
        lay_out_labels(export)
    assert not (tmp_path / "labelled").exists()


def test_a_missing_image_is_named(export, tmp_path):
    (tmp_path / "images/7.jpg").unlink()
    with pytest.raises(BadLayout, match=r"7\.jpg"):
        lay_out_labels(export)
    assert not (tmp_path / "labelled").exists()


def test_to_a_remote_store_images_are_copied(export, tmp_path):
    there = export.model_copy(update={"labelled_directory": "memory://label-export/labelled"})
    lay_out_labels(there)
    import fsspec

    fs = fsspec.filesystem("memory")
    copied = [path for path in fs.find("/label-export/labelled") if path.endswith("-0.jpg")]
    assert [fs.cat_file(path) for path in copied] == [(tmp_path / "images/0.jpg").read_bytes()]


def test_a_credential_in_the_settings_is_refused():
    with pytest.raises(ValidationError, match="no credential"):
        LabelExport(export_file="e", labelled_directory="l", output_directory="o", storage_options={"secret": "s"})
