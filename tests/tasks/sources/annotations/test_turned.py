"""Boxes of photos that EXIF turns, and data sets on object stores: every box covers its object in the picture as written."""

import io
import json

import fsspec
import pytest
from PIL import Image

from imagerecords.tasks.discover import survey
from tests.orientations import STORED_FROM_DISPLAYED
from tests.tasks.sources.annotations import layouts_of_platforms as platforms
from tests.tasks.sources.annotations.layouts_of_services import lines
from tests.tasks.sources.annotations.scenes import HEIGHT, SCENES, WIDTH, draw
from tests.tasks.sources.annotations.test_exports import check_box, text_of
from tests.tasks.sources.annotations.writing import CVAT, coco, cvat_image, pictures, put, voc, yolo_line

PHOTOS = {f"o{number}": SCENES[number % 5]._replace(name=f"o{number}.jpg") for number in range(1, 9)}


def photos(folder):
    """A picture for each orientation, which all look like their scene when shown."""
    for number in range(1, 9):
        shown = draw(PHOTOS[f"o{number}"])
        stored = shown.transpose(STORED_FROM_DISPLAYED[number]) if number in STORED_FROM_DISPLAYED else shown
        exif = Image.Exif()
        exif[0x0112] = number
        file = io.BytesIO()
        stored.save(file, "JPEG", quality=92, subsampling=0, exif=exif.tobytes())
        put(folder / f"o{number}.jpg", file.getvalue())


def labelme(scene):
    x0, y0, x1, y1 = scene.box
    shape = {"label": scene.label, "points": [[x0, y0], [x1, y1]], "shape_type": "rectangle", "flags": {}, "group_id": None}
    whole = {"imagePath": scene.name, "imageData": None, "imageHeight": HEIGHT, "imageWidth": WIDTH}
    return json.dumps({"version": "6.3.1", "flags": {}, "shapes": [shape], **whole})


def as_cvat(root):
    put(root / "annotations.xml", CVAT.format("".join(cvat_image(n, scene) for n, scene in enumerate(PHOTOS.values()))))


def as_labelme(root):
    for scene in PHOTOS.values():
        put(root / f"{scene.stem}.json", labelme(scene))


def as_coco(root):
    put(root / "annotations.json", json.dumps(coco(list(PHOTOS.values()))))


def as_voc(root):
    for scene in PHOTOS.values():
        put(root / f"{scene.stem}.xml", voc(scene))


def as_yolo(root):
    for scene in PHOTOS.values():
        put(root / f"{scene.stem}.txt", yolo_line(scene))
    put(root / "classes.txt", "cat\ndog\n")


def as_labelbox(root):
    rows = [platforms.labelbox_row(s, [platforms.labelbox_label([platforms.labelbox_object(s)])]) for s in PHOTOS.values()]
    put(root / "export.ndjson", lines([row | {"metadata_fields": [], "embeddings": []} for row in rows]))


def as_superannotate(root):
    for scene in PHOTOS.values():
        corners = dict(zip(("x1", "y1", "x2", "y2"), scene.box, strict=True))
        instance = {"type": "bbox", "className": scene.label, "points": corners}
        content = {"metadata": {"name": scene.name, "width": WIDTH, "height": HEIGHT}, "instances": [instance], "tags": []}
        put(root / f"{scene.name}.json", json.dumps(content))


def as_scale(root):
    put(root / "tasks.json", json.dumps([platforms.scale_task(s, [platforms.scale_box(s)]) for s in PHOTOS.values()]))


def as_via3(root):
    put(root / "project.json", json.dumps(platforms.via3(list(PHOTOS.values()))))


SHOWN = {"boxes_orientation": "display"}  # where no sizes are stated


@pytest.mark.parametrize(
    ("write", "settings"),
    [
        (as_cvat, {}),
        (as_labelme, {}),
        (as_coco, {}),
        (as_voc, {}),
        (as_yolo, SHOWN),
        (as_labelbox, {}),
        (as_superannotate, {}),
        (as_scale, SHOWN),
        (as_via3, SHOWN),
    ],
)
def test_boxes_drawn_on_photos_as_shown_cover_their_objects(records, tmp_path, write, settings):
    photos(tmp_path / "in")
    write(tmp_path / "in")
    found = records(annotations=tmp_path / "in", **settings)
    assert found.keys() == PHOTOS.keys()
    for name, (_, features) in found.items():
        assert text_of(features) == PHOTOS[name].label
        check_box(features, least=0.8)


def test_a_setting_is_named_as_the_reason_only_where_it_was_given(make_settings, tmp_path):
    photos(tmp_path / "in")
    as_cvat(tmp_path / "in")
    notes = "\n".join(survey(make_settings(annotations=str(tmp_path / "in"))).notes)
    assert "3 as displayed since its tool draws on them" in notes
    notes = "\n".join(survey(make_settings(annotations=str(tmp_path / "in"), boxes_orientation="display")).notes)
    assert "3 as displayed by --boxes_orientation display" in notes


def test_files_that_are_no_box_files_are_named_once_for_all_splits(make_settings, tmp_path):
    for split in ("train", "val"):
        pictures(tmp_path / split / "cat")
        put(tmp_path / split / "_annotations.coco.json", json.dumps(coco(SCENES)))
    put(tmp_path / "other.json", "{}")
    folders = {"train_directory": str(tmp_path / "train"), "validation_directory": str(tmp_path / "val")}
    notes = survey(make_settings(**folders, bounding_boxes=str(tmp_path))).notes
    assert sum("not read as box files: other.json" in note for note in notes) == 1


def test_where_nothing_says_what_the_boxes_are_of_a_setting_must(make_settings, tmp_path):
    photos(tmp_path / "in")
    as_yolo(tmp_path / "in")
    (error,) = survey(make_settings(annotations=str(tmp_path / "in"))).errors
    assert "--boxes_orientation stored or display" in error


def test_a_data_set_on_an_object_store_is_read_there(make_settings, tmp_path):
    pictures(tmp_path / "train2017")
    put(tmp_path / "annotations/instances_train2017.json", json.dumps(coco(SCENES)))
    fs = fsspec.filesystem("memory")
    for path in tmp_path.rglob("*"):
        if path.is_file():
            fs.pipe(f"/pets/{path.relative_to(tmp_path)}", path.read_bytes())
    for target in ("memory://pets", "memory://pets/annotations/instances_train2017.json", "memory://pets/annotations"):
        listing = survey(make_settings(annotations=target, output_directory="memory://out"))
        assert listing.errors == ()
        assert listing.images["path"].to_pylist()[0] == "train2017/five.jpg"
        assert listing.boxes.planned == 5
    fs.rm("/pets", recursive=True)
