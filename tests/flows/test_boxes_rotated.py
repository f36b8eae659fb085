"""Boxes follow their image: rotated with the pixels, or kept where they were drawn on the displayed image."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from tests.flows.examples import boxes_of, examples
from tests.orientations import STORED_FROM_DISPLAYED


def marked(orientation, box, height=64, width=96):
    """A JPEG whose EXIF tells this orientation, white in a box of the image as shown, black elsewhere."""
    xmin, ymin, xmax, ymax = box
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[int(ymin * height) : int(ymax * height), int(xmin * width) : int(xmax * width)] = 255
    stored = Image.fromarray(pixels)
    if orientation != 1:  # what a camera stores: rotated the other way
        stored = stored.transpose(STORED_FROM_DISPLAYED[orientation])
    exif, file = stored.getexif(), io.BytesIO()
    exif[0x112] = orientation
    stored.save(file, "JPEG", quality=95, exif=exif)
    return file.getvalue()


SHOWN = (0.25, 0.125, 0.5, 0.75)


def white_of(features):
    """The corners of what is white in a record's image, relative."""
    pixels = np.asarray(Image.open(io.BytesIO(features["image/encoded"][0])).convert("L"))
    ys, xs = np.nonzero(pixels > 127)
    height, width = pixels.shape
    return [xs.min() / width, ys.min() / height, (xs.max() + 1) / width, (ys.max() + 1) / height]


def test_boxes_follow_the_pixels_of_every_orientation(tmp_path, build):
    """Whether the orientation is baked or kept: a box of the stored image covers the same pixels of the written one."""
    folder, lines = tmp_path / "in/a", []
    folder.mkdir(parents=True)
    for orientation in range(1, 9):
        data = marked(orientation, SHOWN)
        (folder / f"{orientation}.jpg").write_bytes(data)
        stored = white_of({"image/encoded": [data]})
        lines.append(f"{orientation}.jpg,{','.join(map(str, stored))}\n")
    (tmp_path / "boxes.csv").write_text("".join(lines))
    settings = {"bounding_boxes": tmp_path / "boxes.csv", "boxes_orientation": "stored"}
    build(train_directory=tmp_path / "in", output_directory=tmp_path / "out", **settings)
    found = list(examples(tmp_path / "out"))
    assert len(found) == 8
    for features in found:
        ((_, *box),) = boxes_of(features)
        assert np.allclose(box, white_of(features), atol=0.02)


def test_boxes_drawn_on_the_displayed_image_stay_where_they_were_drawn(tmp_path, build):
    """Label Studio shows images upright, and upright they are written."""
    tasks = []
    for orientation in range(1, 9):
        (tmp_path / f"{orientation}.jpg").write_bytes(marked(orientation, SHOWN))
        xmin, ymin, xmax, ymax = (corner * 100 for corner in SHOWN)
        value = {"x": xmin, "y": ymin, "width": xmax - xmin, "height": ymax - ymin, "rectanglelabels": ["a"]}
        results = [{"type": "choices", "value": {"choices": ["a"]}}, {"type": "rectanglelabels", "value": value}]
        tasks.append({"data": {"image": f"{orientation}.jpg"}, "annotations": [{"result": results}]})
    (tmp_path / "export.json").write_text(json.dumps(tasks))
    build(label_studio=tmp_path / "export.json", output_directory=tmp_path / "out")
    found = list(examples(tmp_path / "out"))
    assert len(found) == 8
    for features in found:
        ((_, *box),) = boxes_of(features)
        assert box == list(SHOWN)
        assert np.allclose(box, white_of(features), atol=0.02)


def trimmed_build(tmp_path, build, data, box, *, upright):
    """The records of one image that is built with partial_blocks=trim; the box as drawn on the image stored or upright."""
    folder = tmp_path / "in/a"
    folder.mkdir(parents=True)
    (folder / "a.jpg").write_bytes(data)
    options = {"output_directory": tmp_path / "out", "partial_blocks": "trim"}
    if upright:
        xmin, ymin, xmax, ymax = (corner * 100 for corner in box)
        value = {"x": xmin, "y": ymin, "width": xmax - xmin, "height": ymax - ymin, "rectanglelabels": ["a"]}
        results = [{"type": "choices", "value": {"choices": ["a"]}}, {"type": "rectanglelabels", "value": value}]
        export = folder / "export.json"
        export.write_text(json.dumps([{"data": {"image": "a.jpg"}, "annotations": [{"result": results}]}]))
        build(label_studio=export, **options)
    else:
        (tmp_path / "boxes.csv").write_text(f"a.jpg,{','.join(map(str, box))}\n")
        boxes = {"bounding_boxes": tmp_path / "boxes.csv", "boxes_orientation": "stored"}
        build(train_directory=tmp_path / "in", **boxes, **options)
    (features,) = examples(tmp_path / "out")
    return features


@pytest.mark.parametrize("upright", [True, False])
@pytest.mark.parametrize("orientation", STORED_FROM_DISPLAYED)
def test_boxes_follow_a_picture_whose_partial_blocks_are_trimmed(tmp_path, build, orientation, upright):
    data = marked(orientation, SHOWN, 75, 107)
    box = white_of({"image/encoded": [data]})
    if upright:
        box = [26 / 107, 9 / 75, 53 / 107, 56 / 75]  # SHOWN in whole pixels
    features = trimmed_build(tmp_path, build, data, box, upright=upright)
    ((_, *written),) = boxes_of(features)
    assert np.allclose(written, white_of(features), atol=0.02)
    sides = sorted((features["image/height"][0], features["image/width"][0]))
    assert sides[0] in (64, 75)
    assert sides[1] in (96, 107)


def test_an_object_in_what_would_be_trimmed_keeps_its_picture_whole(tmp_path, build):
    box = [0.2, 70 / 75, 0.4, 1]  # of the stored picture, below its last whole block
    features = trimmed_build(tmp_path, build, marked(3, SHOWN, 75, 107), box, upright=False)
    assert (features["image/height"], features["image/width"]) == ([75], [107])
    ((_, *written),) = boxes_of(features)
    assert np.allclose(written, [0.6, 0, 0.8, 5 / 75])
