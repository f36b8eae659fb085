"""Real exports of one project, in all of Label Studio's forms: the same labels, the same boxes, the same bytes."""

import io
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imagerecords.schemas.errors import BadLayout
from imagerecords.tasks.discover import discover_images, survey
from tests.flows.examples import boxes_of, examples

EXPORTS = Path(__file__).parent / "label_studio_exports"
FORMS = (".json", ".min.json", ".csv", ".tsv")
DRAWN = {  # what people drew a region round, relative to the picture as they saw it
    "0a1b2c3d-straight.jpg": (0.1, 0.2, 0.6, 0.45),
    "0a1b2c3d-turned6.jpg": (0.1, 0.2, 0.6, 0.45),
}
# A table does not say that its column `label` is the data's, unless it has a row of a task that nobody annotated.
NAMED = {"label_studio_class": "animal"}


def picture(name):
    """A picture of 400 × 600 as displayed, red where something was drawn; EXIF turns those that say so."""
    pixels = np.full((600, 400, 3), 120, np.uint8)
    if name in DRAWN:
        xmin, ymin, xmax, ymax = DRAWN[name]
        pixels[round(ymin * 600) : round(ymax * 600), round(xmin * 400) : round(xmax * 400)] = (255, 0, 0)
    image, exif, file = Image.fromarray(pixels), Image.Exif(), io.BytesIO()
    if "turned6" in name:
        image, exif[0x112] = image.transpose(Image.Transpose.ROTATE_90), 6
    image.save(file, "JPEG", quality=95, subsampling=0, exif=exif)
    return file.getvalue()


@pytest.fixture
def project(tmp_path):
    """A folder with the exports and the pictures of the project, as people download both."""
    shutil.copytree(EXPORTS, tmp_path, dirs_exist_ok=True)
    names = [f"0a1b2c3d-{name}.jpg" for name in ("straight", "turned6", "Ünïcode", "predicted", "skipped", "empty")]
    for name in [*names, "more/a b+c.jpg", "more/cats&dogs#1.jpg"]:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(picture(path.name))
    return tmp_path


@pytest.mark.parametrize("name", ["project", "annotators"])
def test_all_forms_of_an_export_give_the_same_bytes(project, build, name):
    shards = {}
    for form in FORMS:
        output = project / f"out{form}"
        build(label_studio=project / f"{name}{form}", output_directory=output, **NAMED)
        shards[form] = (output / "train-00000-of-00001").read_bytes()
    assert len(set(shards.values())) == 1


@pytest.mark.parametrize("form", FORMS)
def test_labels_are_the_annotators_and_boxes_cover_what_they_drew(project, build, form):
    """The class by its control's values, not from the data's column `label`; photos that EXIF turns included."""
    build(label_studio=project / f"project{form}", output_directory=project / "out")
    found = {features["image/filename"][0].decode(): features for features in examples(project / "out")}
    assert {name: features["image/class/text"] for name, features in found.items()} == {
        "0a1b2c3d-straight.jpg": [b"cat"],
        "0a1b2c3d-turned6.jpg": [b"dog"],
        "0a1b2c3d-Ünïcode.jpg": [b"cat"],
        "a b+c.jpg": [b"dog"],
        "cats&dogs#1.jpg": [b"cat"],
    }
    for name, drawn in DRAWN.items():
        ((_, *box),) = boxes_of(found[name])
        assert np.allclose(box, drawn)
        pixels = np.asarray(Image.open(io.BytesIO(found[name]["image/encoded"][0])).convert("RGB")).astype(int)
        xmin, ymin, xmax, ymax = (round(corner * side) for corner, side in zip(box, (400, 600) * 2, strict=True))
        inside = pixels[ymin + 2 : ymax - 2, xmin + 2 : xmax - 2].reshape(-1, 3).mean(axis=0)
        assert inside[0] > 200
        assert inside[1] < 60
        assert pixels[:, : xmin - 2, 1].min() > 60


def test_shapes_become_the_boxes_round_them_and_what_is_not_read_is_counted(project, make_settings):
    found = discover_images(make_settings(label_studio=str(project / "project.json")))
    boxes = dict(zip(found.images["path"].to_pylist(), found.images["boxes"].to_pylist(), strict=True))
    corners = [[round(box[corner], 4) for corner in ("xmin", "ymin", "xmax", "ymax")] for box in boxes["0a1b2c3d-Ünïcode.jpg"]]
    assert corners == [[0.1, 0.1, 0.6, 0.7], [0.3, 0.4, 0.7, 0.6]]  # the polygon's, then the ellipse's
    (rotated,) = boxes["more/a b+c.jpg"]
    assert [round(rotated[corner], 4) for corner in ("xmin", "ymin", "xmax", "ymax")] == [0.325, 0.3, 0.5732, 0.4533]
    assert found.skipped == {"not labelled": 1, "skipped by annotators": 1, "with predictions only": 1}
    notes = "\n".join(found.notes)
    assert "1 ellipse, 1 polygon: the upright box round each is taken" in notes
    assert "not read: 1 keypoint" in notes


@pytest.mark.parametrize("form", FORMS)
def test_boxes_are_those_of_one_annotation_where_several_agree(project, make_settings, form):
    found = discover_images(make_settings(label_studio=str(project / f"annotators{form}"), **NAMED))
    (boxes,) = found.images.filter(np.array(found.images["path"].to_pylist()) == "0a1b2c3d-straight.jpg")["boxes"].to_pylist()
    assert [round(box["xmax"], 4) for box in boxes] == [0.6]  # of the later annotation, not both
    assert re.search(r"regions of 1 image \((task|line) [0-9]+\) differ between annotators", "\n".join(found.notes))


@pytest.mark.parametrize("form", FORMS)
def test_a_disagreement_is_an_error_or_decided_by_a_setting(project, make_settings, form):
    export = str(project / f"disputed{form}")
    (error,) = survey(make_settings(label_studio=export, **NAMED)).errors
    assert "annotators must agree on an image's label, got 'cat' (2), 'dog' (1)" in error
    labels = {}
    for policy in ("majority", "latest"):
        found = discover_images(make_settings(label_studio=export, annotators=policy, **NAMED))
        rows = zip(found.images["path"].to_pylist(), found.images["label"].to_pylist(), strict=True)
        labels[policy] = found.labels[dict(rows)["more/a b+c.jpg"] - 1]
        (note,) = [note for note in found.notes if "annotators disagree" in note]
        assert f"on 1 image, decided by {policy}: " in note
        assert "'cat' (2), 'dog' (1)" in note
    assert labels == {"majority": "cat", "latest": "dog"}


def test_the_marked_annotation_counts_and_only_json_says_which_it_is(project, make_settings):
    settings = {"annotators": "ground_truth"}
    found = discover_images(make_settings(label_studio=str(project / "disputed.json"), **settings))
    assert found.labels == ("cat", "dog")
    assert any("no ground truth among several annotations of 1 image, which agree" in note for note in found.notes)
    for form in FORMS[1:]:
        (error,) = survey(make_settings(label_studio=str(project / f"disputed{form}"), **settings)).errors
        assert "must go with a JSON export" in error


def test_label_studios_coco_is_refused_as_an_export(project, make_settings):
    (error,) = survey(make_settings(label_studio=str(project / "annotators.coco.json"))).errors
    assert "must be a list of tasks, got COCO" in error
    with pytest.raises(BadLayout):
        discover_images(make_settings(label_studio=str(project / "annotators.coco.json")))


def test_columns_that_are_unclear_are_listed_and_can_be_named(project, make_settings):
    tasks = json.loads((project / "project.json").read_text())
    for task in tasks:
        task["data"]["thumbnail"] = "thumbs/1.png"
    (project / "two.json").write_text(json.dumps(tasks))
    (error,) = survey(make_settings(label_studio=str(project / "two.json"))).errors
    assert "one column with images, got 'image_source', 'thumbnail'" in error
    named = make_settings(label_studio=str(project / "two.json"), label_studio_image="image_source")
    assert len(discover_images(named).images) == 5
    for setting, words in (("label_studio_image", "There are 'image_source'"), ("label_studio_class", "animal (choices)")):
        (error,) = survey(make_settings(label_studio=str(project / "project.json"), **{setting: "nobody"})).errors
        assert f"{setting} must be a" in error
        assert words in error


def test_coco_with_the_regions_of_several_annotators_is_refused(project, make_settings):
    """Label Studio lists the image once per annotation, so that each object would have several boxes."""
    (project / "in/cat").mkdir(parents=True)
    (project / "0a1b2c3d-straight.jpg").rename(project / "in/cat/0a1b2c3d-straight.jpg")
    settings = {"train_directory": project / "in", "bounding_boxes": str(project / "annotators.coco.json")}
    (error,) = survey(make_settings(**settings)).errors
    assert "lists images/0a1b2c3d-straight.jpg once per annotation" in error
    assert "Export the project as JSON and pass --label_studio" in error


@pytest.mark.parametrize("form", FORMS)
def test_an_export_can_be_given_as_annotations_too(project, make_settings, form):
    found = discover_images(make_settings(annotations=(str(project / f"project{form}"),)))
    assert found.labels == ("cat", "dog")
    assert found.boxes_in_display_orientation
    assert found.boxes.planned == 5


def test_images_elsewhere_are_found_by_a_setting(project, make_settings):
    (project / "pictures").mkdir()
    for path in [*project.glob("0a1b*.jpg"), project / "more"]:
        path.rename(project / "pictures" / path.name)
    export = str(project / "project.json")
    assert len(survey(make_settings(label_studio=export)).errors) == 5
    found = discover_images(make_settings(label_studio=export, images_directory=str(project / "pictures")))
    assert sorted(Path(path).name for path in found.images["path"].to_pylist())[-1] == "cats&dogs#1.jpg"


def test_what_can_not_be_used_is_left_out_by_a_setting(project, make_settings):
    (project / "0a1b2c3d-turned6.jpg").unlink()
    found = discover_images(make_settings(label_studio=str(project / "disputed.json"), unusable_annotations="skip"))
    assert found.images["path"].to_pylist() == ["0a1b2c3d-straight.jpg"]
    assert found.skipped == {"missing": 1, "unusable": 1}
    notes = "\n".join(found.notes)
    assert "skipped: annotators must agree on an image's label" in notes
    assert "1 image skipped (missing): 0a1b2c3d-turned6.jpg" in notes


def test_the_class_of_the_objects_can_be_the_label(project, make_settings):
    settings = {"annotations": (str(project / "annotators.json"),), "labels_from": "objects"}
    found = discover_images(make_settings(**settings))
    assert found.labels == ("head", "tail")
