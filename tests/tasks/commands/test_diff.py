"""diff: what became of the images between two data sets."""

import shutil

import pytest

from imagerecords.tasks.commands.diff import diff_datasets


@pytest.fixture
def pair(tmp_path, fill, build):
    """`pair(change, **settings)` builds a data set, changes its input, builds another; gives their differences in short."""

    def pair(change, first=None, **settings):
        source = tmp_path / "in"
        fill(source, {"cat": 6, "dog": 6})
        options = {"data_directory": source, "validation_fraction": 0.3} | (first or {})
        build(output_directory=tmp_path / "a", **options)
        change(source)
        build(output_directory=tmp_path / "b", **options | settings)
        return [(each.kind, each.path) for each in diff_datasets(str(tmp_path / "a"), str(tmp_path / "b"), {})]

    return pair


def test_the_same_images_in_other_shards_and_order_are_no_difference(pair):
    assert pair(lambda source: None, train_shards=3, seed=1) == []


def test_added_and_removed(pair, picture):
    def change(source):
        (source / "cat/000.jpg").unlink()
        (source / "cat/new.jpg").write_bytes(picture(99))

    assert pair(change) == [("added", "cat/new.jpg"), ("removed", "cat/000.jpg")]


def test_another_picture_of_the_same_path_is_replaced(pair, picture):
    assert pair(lambda source: (source / "dog/003.jpg").write_bytes(picture(99))) == [("replaced", "dog/003.jpg")]


def test_an_image_in_another_labels_folder_is_moved_and_relabelled(pair):
    found = pair(lambda source: shutil.move(source / "dog/003.jpg", source / "cat/x.jpg"), first={"validation_fraction": 0.0})
    assert found == [("moved", "cat/x.jpg"), ("relabelled", "cat/x.jpg")]


def test_images_that_change_their_split_are_moved(pair):
    found = pair(lambda source: None, validation_fraction=0.7)
    assert {kind for kind, _ in found} == {"moved"}
    assert len(found) > 1


def test_a_label_of_another_number_is_relabelled(pair, picture):
    """A new folder before the others moves their ids up."""

    def change(source):
        (source / "ape").mkdir()
        (source / "ape/0.jpg").write_bytes(picture(50))

    found = pair(change, first={"validation_fraction": 0.0})
    assert found == [
        ("added", "ape/0.jpg"),
        *(("relabelled", f"{name}/{n:03}.jpg") for name in ("cat", "dog") for n in range(6)),
    ]


def test_the_same_file_stored_otherwise_is_re_encoded(tmp_path, fill, build, picture, monkeypatch):
    fill(tmp_path / "in", {"cat": [picture(1), picture(2, "PNG")]})
    build(train_directory=tmp_path / "in", output_directory=tmp_path / "a")
    from PIL import Image

    save = Image.Image.save
    monkeypatch.setattr(Image.Image, "save", lambda image, file, kind, **options: save(image, file, kind, quality=50))
    build(train_directory=tmp_path / "in", output_directory=tmp_path / "b")
    (found,) = diff_datasets(str(tmp_path / "a"), str(tmp_path / "b"), {})
    assert (found.kind, found.path) == ("re-encoded", "cat/001.jpg")
    assert found.was != found.now


def test_the_same_bytes_at_many_paths_are_paired_one_to_one(tmp_path, fill, build, picture):
    fill(tmp_path / "a-in", {"cat": [picture(1)] * 4})
    fill(tmp_path / "b-in", {"dog": [picture(1)] * 3})
    build(train_directory=tmp_path / "a-in", output_directory=tmp_path / "a")
    build(train_directory=tmp_path / "b-in", output_directory=tmp_path / "b")
    kinds = [each.kind for each in diff_datasets(str(tmp_path / "a"), str(tmp_path / "b"), {})]
    assert kinds == ["moved"] * 3 + ["relabelled"] * 3 + ["removed"]


def test_a_data_set_and_its_shards_without_manifest_have_the_same_pictures(small, tmp_path):
    """By records alone a path is a file name, so everything is moved, and nothing added or lost."""
    for shard in small.glob("*-of-*"):
        shutil.copy(shard, tmp_path / shard.name)
    assert {each.kind for each in diff_datasets(str(small), str(tmp_path), {})} == {"moved"}
