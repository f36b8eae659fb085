"""Published data sets as they are downloaded: labels, splits and boxes are theirs, or the error says what was seen."""

import pytest

from imagerecords.tasks.discover import survey
from tests.tasks.sources.annotations import layouts_as_downloaded as layouts
from tests.tasks.sources.annotations.scenes import HEIGHT, SCENES, WIDTH, data_of
from tests.tasks.sources.annotations.writing import NAMED, TRAIN, pictures, put

BOXES, SPLITS = "boxes", "splits"
LAYOUTS = {
    "CUB-200": (layouts.cub, {BOXES, SPLITS}),
    "Tiny ImageNet": (layouts.tiny_imagenet, {BOXES, SPLITS}),
    "Stanford Dogs": (layouts.stanford_dogs, {BOXES}),
    "GTSRB": (layouts.gtsrb, {BOXES}),
    "Food-101": (layouts.food_101, {SPLITS}),
    "MIT Indoor": (layouts.mit_indoor, {SPLITS}),
    "Places365": (layouts.places, {SPLITS}),
    "PaddleClas": (layouts.paddle, {SPLITS}),
    "PaddleClas, counted from 1": (lambda root: layouts.paddle(root, first=1), {SPLITS}),
    "PaddleClas of another machine": (lambda root: layouts.paddle(root, home="C:\\my data\\x\\"), {SPLITS}),
    "PaddleClas in UTF-16": (lambda root: layouts.paddle(root, encoding="utf-16"), {SPLITS}),
    "MMPretrain": (layouts.mmpretrain, {SPLITS}),
    "FGVC-Aircraft": (layouts.aircraft, {SPLITS}),
    "DeepFashion": (layouts.deep_fashion, {SPLITS}),
    "labels before images": (lambda root: layouts.text(root, lambda s: f"{s.label} images/{s.name}"), set()),
    "a table called txt": (
        lambda root: layouts.text(root, lambda s: f"{s.name},{s.label}", "filename,label\n", "labels.txt"),
        set(),
    ),
    "folders of sets": (lambda root: layouts.unpacked_sets(root, twice=False), {SPLITS}),
    "folders of sets, twice": (lambda root: layouts.unpacked_sets(root, twice=True), {SPLITS}),
    "CelebA's signs": (layouts.signed_attributes, set()),
    "fastai": (layouts.fastai, {SPLITS}),
    "a column of splits": (layouts.with_split_column, {SPLITS}),
    "names beside numbers": (
        lambda root: layouts.table(root, ",Filename,Label,ClassName", lambda s: f"0,{s.name},{s.label == 'dog':d},{s.label}"),
        set(),
    ),
    "boxes with numbers, names and splits": (layouts.detection_table, {BOXES, SPLITS}),
    "no header": (
        lambda root: layouts.table(root, "three.png,cat", lambda s: f"{s.name},{s.label}" * (s.stem != "three")),
        set(),
    ),
    "a map of labels": (lambda root: layouts.label_json(root, {scene.name: scene.label for scene in NAMED}), set()),
    "a map of images": (
        lambda root: layouts.label_json(root, {n: [s.stem for s in NAMED if s.label == n] for n in ("cat", "dog")}),
        set(),
    ),
    "JSON Lines of labels": (layouts.label_lines, {SPLITS}),
    "no header, the label first": (
        lambda root: layouts.table(root, "cat,three.png", lambda s: f"{s.label},{s.name}" * (s.stem != "three")),
        set(),
    ),
    "a table of names beside": (layouts.table_of_names, set()),
    "lists as Python prints them": (layouts.labels_as_json, set()),
}


@pytest.fixture
def look(tmp_path, make_settings):
    """`look(**settings)` surveys the folder in."""
    return lambda **settings: survey(make_settings(**{"annotations": str(tmp_path / "in")} | settings))


def rows_of(listing):
    """The split, label and box in pixels of each image, by the stem of its name."""
    found = {}
    for row in listing.images.to_pylist():
        box = [round(value * (WIDTH if key[0] == "x" else HEIGHT)) for key, value in _corners(row)]
        stem = row["path"].rpartition("/")[2].rpartition(".")[0]
        assert stem not in found
        found[stem] = row["source"], listing.labels[row["label"] - 1], tuple(box)
    return found


def _corners(row):
    boxes = row["boxes"] or [{}]
    assert len(boxes) == 1
    return [(key, value) for key, value in boxes[0].items() if key != "label"]


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_data_set_is_read_as_it_was_published(look, tmp_path, name):
    write, has = LAYOUTS[name]
    write(tmp_path / "in")
    listing = look()
    assert listing.errors == ()
    found = rows_of(listing)
    assert found.keys() == {scene.stem for scene in NAMED}
    other = "test" if name == "CUB-200" else "validation"
    for scene in NAMED:
        split, label, box = found[scene.stem]
        assert label.rpartition("/")[2] == scene.label
        if SPLITS in has:
            assert split == ("train" if scene.split == "train" else other)
        if BOXES in has:
            assert box == scene.box


def test_oxford_pets_have_their_breeds_splits_and_heads(look, tmp_path):
    layouts.oxford_pets(tmp_path / "in")
    listing = look()
    assert listing.errors == ()
    found = rows_of(listing)
    for number, scene in enumerate(NAMED):
        assert found[f"{scene.label}_{number}"] == ("train" if scene.split == "train" else "test", scene.label, scene.box)


def test_lists_may_be_passed_one_by_one_and_files_that_are_not_read_are_named(look, tmp_path):
    layouts.aircraft(tmp_path / "in")
    data = tmp_path / "in/data"
    assert any("images_box.txt" in note for note in look().notes)
    listing = look(annotations=[str(data / f"images_variant_{split}.txt") for split in ("train", "val")])
    assert {split for split, *_ in rows_of(listing).values()} == {"train", "validation"}


def test_lists_that_contradict_each_other_are_refused_with_their_names(look, tmp_path):
    layouts.aircraft(tmp_path / "in")
    put(tmp_path / "in/data/images_family_train.txt", "".join(f"{scene.stem} pet\n" for scene in TRAIN))
    (error,) = look().errors
    assert "one label" in error
    assert "images_family_train.txt" in error
    (tmp_path / "in/data/images_family_train.txt").unlink()
    put(tmp_path / "in/data/images_test.txt", "one\n")
    (error,) = look().errors
    assert "train in" in error
    assert "test in" in error


def test_numbers_that_may_count_from_0_or_1_are_refused(look, tmp_path):
    layouts.paddle(tmp_path / "in", first=1)
    put(tmp_path / "in/labels.txt", "cat\ndog\nfox\n")
    (error,) = look().errors
    assert "got 1 to 2 for 3 names" in error


def test_a_list_of_some_images_makes_no_data_set_of_them(look, tmp_path):
    for scene in NAMED:
        put(tmp_path / "in" / scene.label / scene.name, data_of(scene))
    put(tmp_path / "in/bad.txt", "cat/one.jpg blurred\n")
    put(tmp_path / "in/test.txt", "cat/one.jpg\n")
    listing = look()
    assert listing.images.num_rows == len(NAMED)
    assert any("test.txt, named for a split" in note for note in listing.notes)


def test_an_image_of_a_list_that_is_missing_is_refused(look, tmp_path):
    layouts.paddle(tmp_path / "in")
    text = (tmp_path / "in/train_list.txt").read_text()
    put(tmp_path / "in/train_list.txt", f"train/gone.jpg 0\n{text}")
    assert "gone.jpg" in look().errors[0]


@pytest.mark.parametrize(
    ("folders", "beside"), [(["jpg"], ["imagelabels.mat"]), (["cars_train", "cars_test"], []), (["img"], ["identity.dat"])]
)
def test_folders_of_all_images_are_no_labels(look, tmp_path, folders, beside):
    for number, scene in enumerate(NAMED):
        put(tmp_path / "in" / folders[number % len(folders)] / scene.name, data_of(scene))
    for name in beside:
        put(tmp_path / "in" / name, "x")
    (error,) = look().errors
    for name in [*folders, *beside]:
        assert name in error


SEVERAL = {
    "tags": ("image_name,tags", lambda s: f"{s.stem},{s.label} primary"),
    "bars": ("Image Index,Finding Labels", lambda s: f"{s.name},{'cat' if s.stem == 'one' else 'cat|dog'}"),
    "words": ("image,labels", lambda s: f"{s.name},{'cat' if s.stem == 'one' else 'cat dog'}"),
    "numbers": ("id,attribute_ids", lambda s: f"{s.stem},0 51"),
}


@pytest.mark.parametrize("name", SEVERAL)
def test_several_labels_in_a_cell_are_several_labels(look, tmp_path, name):
    layouts.table(tmp_path / "in", *SEVERAL[name])
    assert "Pass --labels many" in look().errors[0]
    assert not any(" " in label or "|" in label for label in look(labels="many").labels)


def test_a_label_of_two_words_is_one_label(look, tmp_path):
    breeds = {"cat": "golden retriever", "dog": "labrador retriever"}
    layouts.table(tmp_path / "in", "image,labels", lambda s: f"{s.name},{breeds[s.label]}")
    assert set(look().labels) == set(breeds.values())


@pytest.mark.parametrize(
    ("header", "value"), [("image_id,partition", "0"), ("image,age", "20.5"), ("image,width", "48"), ("image,x_1,y_1", "1,2")]
)
def test_a_column_that_is_no_class_is_none(look, tmp_path, header, value):
    layouts.table(tmp_path / "in", header, lambda s: f"{s.name},{value}")
    (error,) = look().errors
    assert "the images are in" in error


def test_json_of_no_known_kind_is_shown_by_its_keys(look, tmp_path):
    layouts.label_json(tmp_path / "in", [{"file_name": "one.jpg", "predictions": []}])
    assert "a list of objects with keys file_name, predictions" in look().errors[0]


def test_labels_in_names_of_files_are_pointed_out(look, tmp_path):
    pictures(tmp_path / "in", [scene._replace(name=f"{scene.label}.{n}.jpg") for n, scene in enumerate(NAMED)])
    assert "may say labels (cat, dog)" in look().errors[0]


def test_columns_that_differ_in_case_are_two_classes(look, tmp_path):
    layouts.table(tmp_path / "in", "image,A,a", lambda s: f"{s.name},{s.label == 'cat':d},{s.label == 'dog':d}")
    found = rows_of(look())
    assert {found[scene.stem][1] for scene in NAMED if scene.label == "dog"} == {"a"}


def test_masks_of_the_same_names_are_no_images(look, tmp_path):
    layouts.stanford_dogs(tmp_path / "in")
    pictures(tmp_path / "in/trimaps", [scene._replace(name=f"{scene.stem}.png") for scene in SCENES])
    assert look().errors == ()
