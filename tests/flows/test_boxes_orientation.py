"""Boxes cover the red rectangle that was drawn, in the stored or the displayed image, for every orientation."""

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from imagerecords.schemas.errors import BadLayout
from tests.flows.examples import examples
from tests.flows.pictures import covers, red_of, voc, with_red

BOX = (12, 8, 48, 24)  # in pixels of the displayed image, 96 × 64
EXPORTS = Path(__file__).parent / "exports"
TURNING = (5, 6, 7, 8)
ALL = range(1, 9)


def stored_size(orientation, size=(96, 64)):
    return size[::-1] if orientation >= 5 else size


def photos(folder, orientations=ALL, size=(96, 64), kind="JPEG"):
    """A photo of each orientation in a label folder; returns the red corners of each as stored."""
    (folder / "a").mkdir(parents=True)
    red = {}
    for orientation in orientations:
        data = with_red(BOX, size, orientation, kind)
        (folder / f"a/{orientation}.{kind.lower()}").write_bytes(data)
        red[orientation] = red_of(data)
    return red


def boxes_in(place, form, rows, info=None):
    """A box file or folder; a row is an orientation's corners in pixels and the stated size."""
    if form == "voc":
        place.mkdir()
        for orientation, (corners, (width, height)) in rows.items():
            (place / f"{orientation}.xml").write_text(voc(("a", *corners), width=width, height=height))
        return place
    if form == "csv":
        lines = ["filename,width,height,class,xmin,ymin,xmax,ymax"]
        lines += [f"{o}.jpeg,{w},{h},a,{','.join(map(str, corners))}" for o, (corners, (w, h)) in rows.items()]
        place.with_suffix(".csv").write_text("\n".join(lines))
        return place.with_suffix(".csv")
    images = [{"id": o, "file_name": f"{o}.jpeg", "width": w, "height": h} for o, (_, (w, h)) in rows.items()]
    boxes = {o: [x0, y0, x1 - x0, y1 - y0] for o, ((x0, y0, x1, y1), _) in rows.items()}
    annotations = [{"image_id": o, "category_id": 1, "bbox": box} for o, box in boxes.items()]
    content = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "a"}], "info": info or {}}
    place.with_suffix(".json").write_text(json.dumps(content))
    return place.with_suffix(".json")


def as_displayed(orientations=ALL):
    return dict.fromkeys(orientations, (BOX, (96, 64)))


def as_stored(red, orientations=ALL):
    rows = {}
    for orientation in orientations:
        width, height = size = stored_size(orientation)
        xmin, ymin, xmax, ymax = red[orientation]
        rows[orientation] = ([round(v) for v in (xmin * width, ymin * height, xmax * width, ymax * height)], size)
    return rows


@pytest.mark.parametrize("form", ["voc", "coco", "csv"])
@pytest.mark.parametrize("drawn", ["displayed", "stored"])
@pytest.mark.parametrize("exif", ["bake", "keep"])
def test_the_stated_size_decides_and_the_rest_follows_the_files_other_images(tmp_path, build, form, drawn, exif):
    red = photos(tmp_path / "in")
    rows = as_displayed() if drawn == "displayed" else as_stored(red)
    boxes = boxes_in(tmp_path / "boxes", form, rows)
    build(train_directory=tmp_path / "in", output_directory=tmp_path / "out", bounding_boxes=boxes, exif=exif)
    found = list(examples(tmp_path / "out"))
    assert len(found) == 8
    assert all(covers(features) for features in found)


@pytest.mark.parametrize("setting", ["stored", "display"])
def test_no_setting_rotates_a_box_whose_stated_size_decides(tmp_path, build, setting):
    photos(tmp_path / "in", TURNING)
    boxes = boxes_in(tmp_path / "boxes", "voc", as_displayed(TURNING))
    settings = {"bounding_boxes": boxes, "boxes_orientation": setting}
    build(train_directory=tmp_path / "in", output_directory=tmp_path / "out", **settings)
    assert all(covers(features) for features in examples(tmp_path / "out"))


def test_where_nothing_decides_the_setting_is_asked_for_and_then_followed(tmp_path, build):
    """A picture rotated by 180° has the same size both ways."""
    photos(tmp_path / "in", (1, 3))
    boxes = boxes_in(tmp_path / "boxes", "voc", as_displayed((1, 3)))
    settings = {"train_directory": tmp_path / "in", "output_directory": tmp_path / "out", "bounding_boxes": boxes}
    with pytest.raises(BadLayout, match=r"nothing in the file decides for 1 image: .*: 3\. Pass --boxes_orientation"):
        build(**settings)
    build(**settings, boxes_orientation="display")
    assert all(covers(features) for features in examples(tmp_path / "out"))


def test_images_rejected_for_their_orientation_ask_for_no_setting(tmp_path, build):
    photos(tmp_path / "in", (1, 3))
    boxes = boxes_in(tmp_path / "boxes", "voc", as_displayed((1, 3)))
    settings = {"bounding_boxes": boxes, "exif": "reject", "max_rejected_fraction": 1}
    summary = build(train_directory=tmp_path / "in", output_directory=tmp_path / "out", **settings)
    assert (summary.boxes.written, summary.boxes.of_rejected_images) == (1, 1)


@pytest.mark.parametrize("drawn", ["stored", "display"])
def test_pixels_of_a_file_without_sizes_are_divided_by_those_of_the_image(tmp_path, build, drawn):
    red = photos(tmp_path / "in")
    rows = as_displayed() if drawn == "display" else as_stored(red)
    boxes = boxes_in(tmp_path / "boxes", "voc", {orientation: (corners, (0, 0)) for orientation, (corners, _) in rows.items()})
    settings = {"bounding_boxes": boxes, "boxes_orientation": drawn}
    build(train_directory=tmp_path / "in", output_directory=tmp_path / "out", **settings)
    assert all(covers(features) for features in examples(tmp_path / "out"))


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "AVIF"])
def test_other_formats_orientations_are_seen_too(tmp_path, build, kind):
    if not Image.registered_extensions().get(f".{kind.lower()}"):
        pytest.skip(f"this Pillow has no {kind}")
    photos(tmp_path / "in", (1, 6, 8), kind=kind)
    boxes = boxes_in(tmp_path / "boxes", "voc", as_displayed((1, 6, 8)))
    build(train_directory=tmp_path / "in", output_directory=tmp_path / "out", bounding_boxes=boxes)
    assert all(covers(features) for features in examples(tmp_path / "out"))


def test_label_studios_coco_which_contradicts_itself_is_refused(tmp_path, build):
    """It states the stored size, and has the boxes of the image as displayed."""
    photos(tmp_path / "in", (1, 6))
    rows = {1: (BOX, (96, 64)), 6: (BOX, (64, 96))}
    boxes = boxes_in(tmp_path / "boxes", "coco", rows, {"contributor": "Label Studio"})
    with pytest.raises(BadLayout, match=r"Label Studio's COCO.*6\.jpeg.*--label_studio"):
        build(train_directory=tmp_path / "in", output_directory=tmp_path / "out", bounding_boxes=boxes)


def test_boxes_outside_a_size_whose_sides_are_exchanged_are_refused(tmp_path, build):
    photos(tmp_path / "in", (6,))
    boxes = boxes_in(tmp_path / "boxes", "coco", {6: ((12, 8, 80, 24), (64, 96))})
    with pytest.raises(BadLayout, match="inside it with width and height exchanged"):
        build(train_directory=tmp_path / "in", output_directory=tmp_path / "out", bounding_boxes=boxes)


def test_a_size_with_sides_exchanged_of_an_image_without_rotation_is_refused_or_taken_as_asked_for(tmp_path, build):
    """Some converters write an array's shape, height first."""
    photos(tmp_path / "in", (1,))
    boxes = boxes_in(tmp_path / "boxes", "voc", {1: (BOX, (64, 96))})
    settings = {"train_directory": tmp_path / "in", "output_directory": tmp_path / "out", "bounding_boxes": boxes}
    with pytest.raises(BadLayout, match="width and height exchanged"):
        build(**settings)
    build(**settings, boxes_orientation="stored")
    assert all(covers(features) for features in examples(tmp_path / "out"))


def test_auto_reports_how_many_it_decided_and_by_what(tmp_path, imagerecords):
    photos(tmp_path / "in")
    boxes = boxes_in(tmp_path / "boxes", "voc", as_displayed())
    arguments = ["--train_directory", tmp_path / "in", "--output_directory", tmp_path / "out", "--bounding_boxes", boxes]
    printed = imagerecords("plan", *arguments).out
    assert "4 as displayed by the size that the file states, 3 as displayed by the file's other images" in printed


def test_boxes_of_rotated_images_in_an_image_list_ask_for_the_setting(tmp_path, build):
    red = photos(tmp_path / "in", (1, 6))
    shutil.move(tmp_path / "in/a", tmp_path / "a")
    rows = [{"path": f"a/{orientation}.jpeg", "label": "a", "boxes": [red[orientation]]} for orientation in (1, 6)]
    (tmp_path / "list.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    settings = {"image_list": tmp_path / "list.jsonl", "output_directory": tmp_path / "out"}
    with pytest.raises(BadLayout, match="Pass --boxes_orientation"):
        build(**settings)
    build(**settings, boxes_orientation="stored")
    assert all(covers(features) for features in examples(tmp_path / "out"))


def test_label_studios_boxes_follow_an_image_that_is_kept_as_stored(tmp_path, build):
    tasks = []
    for orientation in ALL:
        (tmp_path / f"{orientation}.jpg").write_bytes(with_red(BOX, orientation=orientation))
        xmin, ymin, xmax, ymax = BOX[0] / 0.96, BOX[1] / 0.64, BOX[2] / 0.96, BOX[3] / 0.64
        value = {"x": xmin, "y": ymin, "width": xmax - xmin, "height": ymax - ymin, "rectanglelabels": ["a"]}
        results = [{"type": "choices", "value": {"choices": ["a"]}}, {"type": "rectanglelabels", "value": value}]
        tasks.append({"data": {"image": f"{orientation}.jpg"}, "annotations": [{"result": results}]})
    (tmp_path / "export.json").write_text(json.dumps(tasks))
    build(label_studio=tmp_path / "export.json", output_directory=tmp_path / "out", exif="keep")
    found = list(examples(tmp_path / "out"))
    assert len(found) == 8
    assert all(covers(features) for features in found)


def test_headers_of_remote_images_are_read_too(tmp_path, build):
    import fsspec

    photos(tmp_path / "in")
    fs = fsspec.filesystem("memory")
    for file in (tmp_path / "in/a").iterdir():
        fs.pipe_file(f"/oriented/a/{file.name}", file.read_bytes())
    boxes = boxes_in(tmp_path / "boxes", "voc", as_displayed())
    build(train_directory="memory://oriented", output_directory=tmp_path / "out", bounding_boxes=boxes)
    assert sum(covers(features) for features in examples(tmp_path / "out")) == 8


@pytest.mark.parametrize(("form", "setting"), [("voc", "auto"), ("yolo", "display"), ("createml", "display")])
def test_what_labelimg_1_8_6_wrote_covers_what_was_drawn(tmp_path, build, form, setting):
    """By its own writers, of photos of four orientations; its VOC states the displayed size, the others state none."""
    (tmp_path / "in/cat").mkdir(parents=True)
    (tmp_path / "in/dog").mkdir()
    for orientation in (1, 3, 6, 8):
        (tmp_path / f"in/cat/photo {orientation}.jpg").write_bytes(with_red(BOX, orientation=orientation))
    (tmp_path / "in/dog/other.jpg").write_bytes(with_red(BOX, (64, 96)))
    shutil.copytree(EXPORTS / "labelimg" / form, tmp_path / "in/cat", dirs_exist_ok=True)  # beside the photos
    settings = {"bounding_boxes": tmp_path / "in", "boxes_orientation": setting}
    summary = build(train_directory=tmp_path / "in", output_directory=tmp_path / "out", **settings)
    found = [features for features in examples(tmp_path / "out") if features["image/filename"] != [b"other.jpg"]]
    assert len(found) == summary.boxes.found == summary.boxes.written == 4
    assert all(covers(features) for features in found)
    assert all(features["image/object/bbox/label"] == [1] for features in found)


def test_an_image_whose_size_cannot_be_read_is_named(tmp_path, imagerecords):
    photos(tmp_path / "in", (1,))
    (tmp_path / "in/a/2.jpeg").write_bytes(b"no picture")
    boxes = boxes_in(tmp_path / "boxes", "voc", as_displayed((1, 2)))
    arguments = ["--train_directory", tmp_path / "in", "--output_directory", tmp_path / "out", "--bounding_boxes", boxes]
    assert "1 image whose size can't be read, taken for upright: a/2.jpeg" in imagerecords("plan", *arguments).out
