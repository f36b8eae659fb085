"""Objects of COCO without a bbox: the box is that around the segmentation, as pycocotools finds it."""

import json
from pathlib import Path

import pytest

from imagerecords.tasks.discover import survey
from imagerecords.tasks.sources.annotations.run_lengths import mask_of
from tests.tasks.sources.annotations.scenes import SCENES
from tests.tasks.sources.annotations.test_exports import EXPORTS
from tests.tasks.sources.annotations.writing import coco, pictures, put

MASKS = [json.loads(line) for line in (Path(__file__).parent / "pycocotools_masks.json").read_text().splitlines()]
SIZE = [32, 48]


@pytest.mark.parametrize("form", ["text", "runs"])
def test_boxes_are_those_of_pycocotools(form):
    for item in MASKS:
        x, y, width, height = item["box"]
        assert mask_of(item[form]).corners == (x, y, x + width, y + height)


@pytest.mark.parametrize("setting", ["annotations", "bounding_boxes"])
def test_plan_says_how_many_boxes_were_taken_from_segmentations(make_settings, setting):
    given = {"annotations": str(EXPORTS / "pycocotools")}
    if setting == "bounding_boxes":
        files = tuple(str(EXPORTS / f"pycocotools/{split}/_annotations.coco.json") for split in ("train", "val"))
        given = {"annotations": str(EXPORTS / "datumaro_voc_classification"), "bounding_boxes": files}
    listing = survey(make_settings(**given))
    assert listing.errors == ()
    assert listing.boxes.planned == 5
    text = "object without a bbox, read as the upright box around its segmentation"
    counts = [note.rpartition(": ")[2].partition(" ×")[0] for note in listing.notes if text in note]
    assert counts == (["5"] if setting == "annotations" else ["3", "2"])


@pytest.mark.parametrize(
    ("segmentation", "problem"),
    [
        ({"size": [32], "counts": [0, 4]}, "a size of height and width, got [32]"),
        ({"size": SIZE, "counts": [0, 4]}, "its size together, 1,536 pixels, got 4"),
        ({"size": SIZE, "counts": [0, -4, 1540]}, "counts of pixels, got [0, -4, 1540]"),
        ({"size": SIZE, "counts": [1536]}, "a pixel of its object, got none"),
        ({"size": SIZE, "counts": "a b"}, "run lengths, got ' ' in 'a b'"),
        ({"size": SIZE, "counts": "1oo"}, "got one that is cut short"),
        ({"size": [16, 24], "counts": [0, 4, 380]}, "of its image's size, 48 × 32, got 24 × 16"),
        ([[1, 1, 9, 1, 9, 9, 4]], "lists of x, y, x, y, …, got [[1, 1, 9"),
        ([[1, 1, 9, 1, 9, "x"]], "lists of x, y, x, y, …, got [[1, 1, 9"),
    ],
)
def test_a_damaged_segmentation_costs_its_object_alone(make_settings, tmp_path, segmentation, problem):
    content = coco(SCENES)
    content["annotations"][0] |= {"bbox": None, "segmentation": segmentation}
    put(tmp_path / "a.json", json.dumps(content))
    pictures(tmp_path)
    listing = survey(make_settings(annotations=str(tmp_path)))
    assert (listing.boxes.planned, listing.boxes.dropped) == (4, 1)
    (line,) = (line for reason in listing.boxes.reasons for line in reason.first)
    assert problem in line
    assert "a.json, annotation 1" in line


def test_a_crowd_region_stays_one(make_settings, tmp_path):
    content = coco(SCENES)
    mask = {"size": SIZE, "counts": [40, 20, 1476]}
    content["annotations"][0] |= {"bbox": None, "segmentation": mask, "iscrowd": 1}
    put(tmp_path / "a.json", json.dumps(content))
    pictures(tmp_path)
    listing = survey(make_settings(annotations=str(tmp_path)))
    assert (listing.boxes.planned, listing.boxes.excluded) == (4, 1)
