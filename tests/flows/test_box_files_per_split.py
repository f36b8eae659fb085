"""Several box files: a list of them, or one per split."""

import json

import pytest

from imagerecords.schemas.errors import BadLayout
from tests.flows.examples import examples
from tests.flows.pictures import covers, with_red

SPLITS = {"train": "train", "validation": "valid"}


def two_splits(root):
    """Roboflow's layout: equal names in both splits, a COCO file in each."""
    boxes = {"train": (12, 8, 60, 40), "valid": (30, 20, 90, 60)}
    for split, (x0, y0, x1, y1) in boxes.items():
        (root / split / "cat").mkdir(parents=True)
        (root / split / "cat/frame_0.jpg").write_bytes(with_red((x0, y0, x1, y1)))
        images = [{"id": 0, "file_name": "frame_0.jpg", "width": 96, "height": 64}]
        annotations = [{"image_id": 0, "category_id": 0, "bbox": [x0, y0, x1 - x0, y1 - y0]}]
        content = {"images": images, "annotations": annotations, "categories": [{"id": 0, "name": "cat"}]}
        (root / split / "_annotations.coco.json").write_text(json.dumps(content))
    return {"train_directory": root / "train", "validation_directory": root / "valid", "output_directory": root / "out"}


@pytest.mark.parametrize("how", ["list", "per split", "folder"])
def test_several_box_files_as_a_list_or_one_per_split(tmp_path, build, how):
    settings = two_splits(tmp_path)
    files = {split: tmp_path / folder / "_annotations.coco.json" for split, folder in SPLITS.items()}
    if how == "per split":
        files = {split: str(file.rename(tmp_path / f"{split}.json")) for split, file in files.items()}
    elif how == "folder":
        (tmp_path / "train/takeout.json").write_text('{"title": "frame_0.jpg"}')
        files = str(tmp_path)
    else:
        files = list(map(str, files.values()))
    summary = build(**settings, bounding_boxes=files)
    assert {split.split: split.boxes for split in summary.splits} == {"train": 1, "validation": 1}
    for split in ("train", "validation"):
        assert all(covers(features) for features in examples(tmp_path / "out", split))


def test_equal_names_in_two_splits_need_a_box_file_per_split(tmp_path, build):
    settings = two_splits(tmp_path)
    file = (tmp_path / "train/_annotations.coco.json").rename(tmp_path / "both.json")
    with pytest.raises(
        BadLayout, match=r"'cat/frame_0.jpg' in train and 'cat/frame_0.jpg' in validation.*bounding_boxes.train"
    ):
        build(**settings, bounding_boxes=file)


def test_a_split_without_boxes_is_reported(tmp_path, imagerecords):
    settings = two_splits(tmp_path) | {"bounding_boxes": tmp_path / "train/_annotations.coco.json"}
    planned = imagerecords("plan", *(part for name, value in settings.items() for part in (f"--{name}", value)))
    assert "validation: no image has a box" in planned.out
    assert planned.code == 0


def test_the_command_takes_one_box_file_per_split(tmp_path, imagerecords):
    settings = two_splits(tmp_path)
    settings |= {f"bounding_boxes.{name}": tmp_path / folder / "_annotations.coco.json" for name, folder in SPLITS.items()}
    planned = imagerecords("plan", *(part for name, value in settings.items() for part in (f"--{name}", value)))
    assert "2 boxes found, 2 planned" in planned.out, planned.err
