"""Ordinary data sets that the rules for odd ones leave alone: lone label folders, labels called mask, columns that end in s."""

import json

import pytest

from imagerecords.tasks.discover import survey
from tests.tasks.sources.annotations.scenes import CLASSES, data_of
from tests.tasks.sources.annotations.writing import NAMED, SCENES, coco, pictures, put, yolo_line


@pytest.fixture
def plan(tmp_path, make_settings):
    """`plan(**settings)` surveys the folder in, and has no errors."""

    def plan(**settings):
        listing = survey(make_settings(**(settings or {"annotations": str(tmp_path / "in")})))
        assert listing.errors == ()
        return listing

    return plan


@pytest.fixture
def table(tmp_path):
    """`table(header, row)` writes a table of all pictures with labels, beside them."""

    def table(header, row):
        pictures(tmp_path / "in", NAMED)
        put(tmp_path / "in/labels.csv", "\n".join([header, *map(row, NAMED)]))

    return table


def label_folders(root, names):
    for scene in NAMED:
        put(root / names[CLASSES.index(scene.label)] / scene.name, data_of(scene))


@pytest.mark.parametrize("top", ["", "train"])
def test_mask_is_a_label_where_no_mask_is(plan, tmp_path, top):
    label_folders(tmp_path / "in" / top, ["mask", "no_mask"])
    assert plan().labels == ("mask", "no_mask")


def test_an_image_in_a_folder_called_mask_is_found_by_its_path_without_an_ending(plan, tmp_path):
    for name in ("mask", "no_mask"):
        put(tmp_path / "in/faces" / name / "0.jpg", data_of(NAMED[0]))
        put(tmp_path / "in/faces" / name / "1.png", data_of(NAMED[2]))
    put(tmp_path / "in/labels.csv", "id,label\n" + "".join(f"{n}/{i},{n}\n" for n in ("mask", "no_mask") for i in (0, 1)))
    rows = plan().images.to_pylist()
    assert [(row["path"].split("/")[1], row["label"]) for row in rows] == [("mask", 1)] * 2 + [("no_mask", 2)] * 2


@pytest.mark.parametrize(
    ("name", "text"), [("labels.txt", "dog\ncat\n"), ("classes.txt", "0 cat\n"), ("build.log", "x"), ("all.sha256", "x")]
)
def test_a_lone_folder_that_a_file_beside_names_or_says_nothing_of_is_a_label(plan, tmp_path, name, text):
    label_folders(tmp_path / "in", ["cat", "cat"])
    put(tmp_path / "in" / name, text)
    assert plan().labels == ("cat",)


def test_files_of_boxes_beside_a_lone_folder_say_no_labels(plan, tmp_path):
    pictures(tmp_path / "in/images", SCENES)
    put(tmp_path / "in/boxes.json", json.dumps(coco(SCENES)))
    settings = {"data_directory": str(tmp_path / "in"), "bounding_boxes": [str(tmp_path / "in/boxes.json")]}
    listing = plan(**settings, features="detection", object_labels="own")
    assert (listing.labels, listing.object_labels) == (("images",), CLASSES)


@pytest.mark.parametrize("column", ["diagnosis", "status", "genus", "species"])
def test_a_column_whose_singular_ends_in_s_has_one_label_per_cell(plan, table, column):
    table(f"filename,{column}", lambda scene: f"{scene.name},{'ok' if scene.label == 'cat' else 'not ok'}")
    assert plan().labels == ("not ok", "ok")


@pytest.mark.parametrize(("column", "values"), [("Usage", ("Training", "PublicTest")), ("dataset", ("coco train", "own"))])
def test_a_column_is_of_splits_only_if_all_its_values_are(plan, table, column, values):
    table(f"filename,label,{column}", lambda scene: f"{scene.name},{scene.label},{values[scene.split == 'val']}")
    listing = plan()
    assert set(listing.images["source"].to_pylist()) == {"data"}
    assert any(f"column {column.lower()}" in note for note in listing.notes)


def test_a_file_in_the_folder_of_a_split_is_not_named_for_it(plan, tmp_path):
    for split in ("train", "test"):
        for scene in NAMED:
            put(tmp_path / "in" / split / scene.label / f"{split}_{scene.name}", data_of(scene))
    put(tmp_path / "in/train/README.txt", "about")
    assert not any("named for a split" in note for note in plan().notes)


@pytest.mark.parametrize(
    "line", ["{0}  {1}", "{1} {0}", "{1} by Ann", "{1} http://example.org/{0}", "{1} camera {2}"], ids=lambda line: line
)
def test_texts_beside_label_folders_that_do_not_differ_by_folder_are_no_labels(plan, tmp_path, line):
    label_folders(tmp_path / "in", CLASSES)
    lines = [line.format(1000 + n, f"{scene.label}/{scene.name}", n // 2) for n, scene in enumerate(NAMED)]
    put(tmp_path / "in/about.txt", "\n".join(lines))
    assert plan().labels == CLASSES


@pytest.mark.parametrize("value", [lambda n: 1000 + n, lambda n: "canon", lambda n: "test" if n % 2 else "train"])
def test_json_beside_label_folders_is_no_map_of_labels_unless_it_differs_by_folder(tmp_path, make_settings, value):
    label_folders(tmp_path / "in", CLASSES)
    put(tmp_path / "in/a.json", json.dumps({f"{scene.label}/{scene.name}": value(n) for n, scene in enumerate(NAMED)}))
    (error,) = survey(make_settings(annotations=str(tmp_path / "in"))).errors
    assert "a.json" in error
    assert "Pass --annotations_format folders" in error


def test_json_of_splits_is_no_map_of_labels(tmp_path, make_settings):
    pictures(tmp_path / "in/images", NAMED)
    put(tmp_path / "in/a.json", json.dumps({name: [s.name for s in NAMED if s.split == name] for name in ("train", "val")}))
    (error,) = survey(make_settings(annotations=str(tmp_path / "in"))).errors
    assert "a.json" in error


@pytest.mark.parametrize("export", ["coco", "yolo", "table"])
@pytest.mark.parametrize("beside", [("a.json", '{"one.jpg": "canon", "two.JPG": "nikon"}'), ("a.csv", "one.jpg,canon\n")])
def test_a_text_for_each_image_beside_an_export_is_not_read(plan, tmp_path, export, beside):
    pictures(tmp_path / "in/images", NAMED)
    files = {
        "coco": {"coco.json": json.dumps(coco(NAMED))},
        "yolo": {"classes.txt": "cat\ndog\n"} | {f"labels/{scene.stem}.txt": yolo_line(scene) for scene in NAMED},
        "table": {"all.csv": "\n".join(["filename,label", *(f"{scene.name},{scene.label}" for scene in NAMED)])},
    }
    for name, text in [*files[export].items(), beside]:
        put(tmp_path / "in" / name, text)
    listing = plan()
    assert listing.labels == CLASSES
    assert any("not read" in note and beside[0] in note for note in listing.notes)
