"""Exports of Labelbox, SuperAnnotate, Scale, VIA 3 and MOTChallenge, and what in them is doubtful, skipped or not read."""

import json

import pytest

from imagerecords.tasks.discover import survey
from imagerecords.tasks.sources.annotations.model import Source
from imagerecords.tasks.sources.annotations.service_images import ServiceImages
from imagerecords.tasks.storage.folders import open_folder
from tests.tasks.sources.annotations import layouts_of_platforms as layouts
from tests.tasks.sources.annotations.layouts_of_services import relative
from tests.tasks.sources.annotations.scenes import SCENES
from tests.tasks.sources.annotations.test_exports import EXPORTS, check
from tests.tasks.sources.annotations.test_services import BOXES, LABELS, SPLITS
from tests.tasks.sources.annotations.writing import NAMED, pictures, put

LABELS_AND_SPLITS = "datumaro_imagenet_txt"


@pytest.fixture
def look(tmp_path, make_settings):
    """`look(**settings)` surveys the folder `in`."""
    return lambda **settings: survey(make_settings(annotations=str(tmp_path / "in"), **settings))


def text(listing):
    reasons = listing.boxes.reasons if listing.boxes else ()
    return "\n".join([*listing.errors, *listing.notes, *(line for reason in reasons for line in reason.first)])


@pytest.mark.parametrize(
    ("write", "has"),
    [
        (layouts.labelbox, SPLITS),
        (layouts.labelbox_classes, LABELS),
        (layouts.labelbox_former, BOXES),
        (layouts.superannotate_older, BOXES),
        (lambda root: layouts.superannotate_older(root, whole=True), BOXES),
        (layouts.superannotate_tags, LABELS_AND_SPLITS),
        (layouts.scale_tasks, BOXES),
        (layouts.via3_project, BOXES),
    ],
)
def test_labels_and_boxes_are_the_annotators(records, tmp_path, write, has):
    write(tmp_path / "in")
    check(records(annotations=tmp_path / "in"), has)


def test_frames_of_mot_are_built_with_what_counts(make_settings, look, tmp_path):
    layouts.mot(tmp_path / "in")
    listing = look()
    assert listing.errors == ()
    assert listing.labels == ("cat", "dog")
    assert (listing.images.num_rows, listing.boxes.planned, listing.skipped) == (5, 5, {"without a label": 1})
    assert "object that does not count (flag 0) (5)" in text(listing)
    assert "2 × video, whose frames look alike: --group_pattern" in text(listing)
    assert set(listing.images["source"].to_pylist()) == {"train", "validation"}
    layouts.mot(tmp_path / "other", classes=False)
    assert survey(make_settings(annotations=str(tmp_path / "other"))).labels == ("car", "pedestrian")


def test_frames_of_an_export_of_datumaro_are_its_items(records):
    found = records(annotations=EXPORTS / "datumaro_mot_seq_gt")
    check({SCENES[int(name) - 1].stem: record for name, record in found.items()}, BOXES)


def test_boxes_of_mot_cover_their_objects(records, tmp_path):
    layouts.mot(tmp_path / "in")
    found = {}
    for split in ("train", "val"):
        for name, record in records(annotations=tmp_path / f"in/{split}").items():
            scene = SCENES[int(name) - 1 + (0 if split == "train" else 3)]
            found[scene.stem] = record
    check(found, BOXES)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("1,1,2,2,9,9,1\n", "a line must be frame, track, left, top, width, height, a flag and a class, got '1,1,2,2,9,9,1'"),
        ("x,1,2,2,9,9,1,1\n", "got 'x,1,2,2,9,9,1,1'"),
        ("1,1,2,2,9,9,1,-1,-1,-1\n", "a class (8th number) must be one of the 2 of its labels, from 1, got -1"),
        ("1,1,2,2,9,9,1,7\n", "from 1, got 7"),
    ],
)
def test_a_damaged_line_of_mot_costs_its_object_alone(look, tmp_path, line, problem):
    layouts.mot(tmp_path / "in")
    path = tmp_path / "in/train/MOT-train/gt/gt.txt"
    path.write_text(line + path.read_text())
    listing = look()
    assert (listing.boxes.planned, listing.boxes.dropped) == (5, 1)
    assert problem in text(listing)
    assert "gt.txt, line 1" in text(listing)


def test_frames_of_mot_must_have_numbers(look, tmp_path):
    layouts.mot(tmp_path / "in")
    pictures(tmp_path / "in/val/MOT-val/img1", SCENES[:1])
    assert "frames must be files named by their numbers, each once, got" in text(look())
    assert "one.jpg" in text(look())


def labelbox(tmp_path, *rows):
    pictures(tmp_path / "in")
    put(tmp_path / "in/export.ndjson", layouts.lines(rows))


def row(scene, labels, **more):
    return layouts.labelbox_row(scene, labels, metadata_fields=[], embeddings=[], **more)


def label(scene, **more):
    return layouts.labelbox_label([layouts.labelbox_object(scene)], **more)


SOUND = [row(scene, [label(scene)]) for scene in NAMED[1:]]


def test_of_several_labels_that_agree_the_latest_is_read(look, tmp_path):
    later = label(NAMED[0], at="2025-01-01T00:00:00.000+00:00")
    later["annotations"]["objects"] *= 2
    labelbox(tmp_path, row(NAMED[0], [later, label(NAMED[0])]), *SOUND)
    listing = look()
    assert (listing.errors, listing.boxes.planned) == ((), 6)
    assert "1 × image with several labels of the same classes, of which the latest is read" in text(listing)


def test_labels_that_differ_are_refused_or_skipped(look, tmp_path):
    labelbox(tmp_path, row(NAMED[0], [label(NAMED[0]), label(NAMED[1])]), *SOUND)
    (error,) = look().errors
    assert "labels of several people must have the same classes, got cat and dog" in error
    assert "export.ndjson, line 1" in error
    assert look(unusable_annotations="skip").images.num_rows == 4


def test_labels_of_two_projects_are_refused(look, tmp_path):
    first = row(NAMED[0], [label(NAMED[0])])
    first["projects"]["p2"] = {"name": "zoo", "labels": [label(NAMED[0])]}
    labelbox(tmp_path, first, *SOUND)
    (error,) = look().errors
    assert "an image must have labels of one project, got 'pets', 'zoo'" in error


def test_what_is_skipped_not_read_or_damaged_is_counted_and_named(look, tmp_path):
    mask = {"name": "cat", "annotation_kind": "ImageSegmentationMask", "mask": {"url": "https://x"}, "classifications": []}
    broken = {"name": "cat", "annotation_kind": "ImageBoundingBox", "bounding_box": {"top": 1}, "classifications": []}
    comment = {"name": "Remark", "value": "r", "text_answer": {"content": "nice"}}
    odd = row(NAMED[1], [layouts.labelbox_label([layouts.labelbox_object(NAMED[1]), mask, broken], [comment])])
    labelbox(tmp_path, row(NAMED[0], [label(NAMED[0], skipped=True)]), odd, *SOUND[1:], {"data_row": {}})
    listing = look(unusable_annotations="skip")
    assert listing.skipped == {"without a label": 1, "unreadable entry": 1}
    for part in ("skipped label (1)", "mask (1)", "answer that is a text (1)", "line 2, object 3", "line 6"):
        assert part in text(listing)


def test_a_catalogue_export_without_projects_says_what_it_lacks(look, tmp_path):
    labelbox(tmp_path, *(row(scene, []) | {"projects": {}} for scene in NAMED))
    (error,) = look().errors
    assert "read as Labelbox" in error
    assert "data row of no project (5)" in error


def superannotate(tmp_path, scene, instances, **metadata):
    about = {"name": scene.name, "width": 48, "height": 32, "status": "Completed"} | metadata
    content = {"metadata": about, "instances": instances, "tags": ["night"], "comments": []}
    put(tmp_path / f"in/{scene.name}.json", json.dumps(content))


def test_instances_of_superannotate_that_are_no_boxes_are_counted(look, tmp_path):
    pictures(tmp_path / "in")
    for scene in NAMED:
        tag = {"type": "tag", "className": scene.label, "attributes": [{"name": "x"}]}
        point = {"type": "point", "className": scene.label, "x": 1, "y": 2}
        turned = {"type": "ellipse", "className": scene.label, "cx": 9, "cy": 9, "rx": 3, "ry": 2, "angle": 0.5}
        superannotate(tmp_path, scene, [tag, point, *([turned] if scene is NAMED[1] else [])])
    superannotate(tmp_path, SCENES[5], [{"type": "tag", "className": "cat"}], status="Skipped")
    superannotate(tmp_path, NAMED[0], [{"type": "tag", "className": "cat"}], status="InProgress")
    listing = look()
    assert (listing.errors, listing.images.num_rows) == ((), 5)
    for part in ("point (4)", "image with the status Skipped (1)", "1 × image with the status InProgress", "attribute (4)"):
        assert part in text(listing)
    assert "free tag beside classes (5)" in text(listing)
    assert "two.JPG.json, instance 3" in text(listing)


def test_tasks_of_scale_that_are_not_completed_have_no_labels(look, tmp_path):
    pictures(tmp_path / "in")
    tasks = [layouts.scale_task(scene, [layouts.scale_box(scene)]) for scene in NAMED]
    tasks[0] |= {"status": "pending", "response": {}}
    tasks[1]["response"]["annotations"].append({"type": "line", "label": "dog", "vertices": []})
    tasks[2]["response"]["annotations"].append({"type": "box", "label": "cat", "left": 1})
    put(tmp_path / "in/tasks.ndjson", layouts.lines(tasks))
    listing = look()
    assert (listing.errors, listing.boxes.planned, listing.skipped) == ((), 4, {"without a label": 1})
    for part in ("task that is pending (1)", "line (1)", "line 3, annotation 2"):
        assert part in text(listing)


def test_places_in_time_and_points_of_via3_are_counted(look, tmp_path):
    layouts.via3_project(tmp_path / "in")
    (path,) = (tmp_path / "in").glob("*.json")
    content = json.loads(path.read_text())
    content["metadata"] |= {
        "a": {"vid": "1", "flg": 0, "z": [1.5], "xy": [2, 1, 1, 3, 3], "av": {}},
        "b": {"vid": "1", "flg": 0, "z": [], "xy": [1, 4, 4], "av": {"1": "0"}},
        "c": {"vid": "1", "flg": 0, "z": [], "xy": [2, 4, 4], "av": {"1": "0"}},
        "d": {"vid": "99", "flg": 0, "z": [], "xy": [2, 1, 1, 3, 3], "av": {}},
    }
    path.write_text(json.dumps(content))
    listing = look()
    assert (listing.errors, listing.boxes.planned, listing.boxes.dropped) == ((), 5, 1)
    for part in (
        "region or segment in time (1)",
        "point (1)",
        "metadata of no file (1)",
        "file 1, metadata c",
        "attribute note",
    ):
        assert part in text(listing)


def with_points(root, name):
    """Five images with a box, of which the second has a point alone, and one that was annotated and has nothing."""
    if name == "superannotate":
        for scene in SCENES:
            point = {"type": "point", "className": "cat", "x": 1, "y": 2}
            corners = dict(zip(("x1", "y1", "x2", "y2"), scene.box or (0, 0, 0, 0), strict=True))
            box = {"type": "bbox", "className": scene.label, "points": corners}
            superannotate(root.parent, scene, [point] if scene is NAMED[1] else [box] if scene.box else [])
        pictures(root)
    elif name == "labelbox":
        point = {"name": "cat", "annotation_kind": "ImagePoint", "point": {"x": 1, "y": 1}, "classifications": []}
        labels = [layouts.labelbox_label([layouts.labelbox_object(scene)] if scene.box else []) for scene in SCENES]
        labels[1] = layouts.labelbox_label([point])
        labelbox(root.parent, *(row(scene, [each]) for scene, each in zip(SCENES, labels, strict=True)))
    else:
        layouts.via3_project(root)
        (path,) = root.glob("*.json")
        content = json.loads(path.read_text())
        content["metadata"]["2_abc"] |= {"z": [1.5]}
        path.write_text(json.dumps(content))


@pytest.mark.parametrize("name", ["superannotate", "labelbox", "via3"])
def test_without_a_label_is_kept_what_was_annotated_and_read_whole(look, tmp_path, name):
    with_points(tmp_path / "in", name)
    listing = look(labels="many", unlabelled_images="keep")
    assert listing.errors == ()
    assert "nothing.jpg" in listing.images["path"].to_pylist()
    assert "one.jpg" in listing.images["path"].to_pylist()
    assert "two.JPG" not in listing.images["path"].to_pylist()
    assert "two.JPG" in text(listing)


def test_an_open_image_whose_box_is_lost_leaves_the_others_clear(look, tmp_path):
    pictures(tmp_path / "in", SCENES[:3])
    rows = ["one,cat,0.1,0.5,0.1,0.5", "two,cat,x,0.5,0.1,0.5", "three,cat,0.1,0.5,0.1,0.5"]
    put(tmp_path / "in/boxes.csv", "\n".join(["ImageID,LabelName,XMin,XMax,YMin,YMax", *rows]))
    listing = look(labels="many", unlabelled_images="keep")
    assert listing.images["path"].to_pylist() == ["one.jpg", "three.png"]


def test_a_line_separator_within_a_text_ends_no_line(look, tmp_path):
    rows = [row(scene, [label(scene)]) | {"note": "a\u2028b\x85c"} for scene in NAMED]
    pictures(tmp_path / "in")
    put(tmp_path / "in/export.ndjson", "\r\n".join(json.dumps(each, ensure_ascii=False) for each in rows))
    listing = look()
    assert (listing.errors, listing.boxes.planned) == ((), 5)


def test_boxes_in_fractions_of_a_format_in_pixels_are_relative(records, look, tmp_path):
    pictures(tmp_path / "in")
    tasks = []
    for scene in NAMED:
        x0, y0, x1, y1 = relative(scene)
        box = {"type": "box", "label": scene.label, "left": x0, "top": y0, "width": x1 - x0, "height": y1 - y0}
        tasks.append(layouts.scale_task(scene, [box]))
    put(tmp_path / "in/tasks.json", json.dumps(tasks))
    assert "5 × box of a format in pixels relative to the image's size" in text(look())
    check(records(annotations=tmp_path / "in"), BOXES)


def test_an_image_is_found_by_any_of_its_names_and_a_signed_url_is_never_read(tmp_path):
    files = ("day 1/one.jpg", "two.png")
    images = ServiceImages(Source(open_folder(str(tmp_path), {}), files))

    def named(names, url=""):
        found = images.image("export.json", "row 1", names, url)
        return found.path, found.by_stem

    assert named(["id-7", "x/one.jpg"])[0] == "x/one.jpg"
    assert named(["id-7", "two"]) == ("two", True)
    assert named(["id-7"], "https://a.org/b/one.jpg?Signature=x")[0] == "one.jpg"
    assert named(["gs://bucket/day 1/one.jpg"])[0] == "bucket/day 1/one.jpg"
    assert named(["id-7"], "https://a.org/three.jpg")[0] == "https://a.org/three.jpg"
    assert named(["id-7"], "https://a.org/three.jpg?Signature=x")[0] == "id-7"


def test_a_box_file_of_such_a_format_names_annotations(make_settings, tmp_path):
    labelbox(tmp_path, *SOUND)
    pictures(tmp_path / "train/cat")
    given = {"train_directory": str(tmp_path / "train"), "bounding_boxes": str(tmp_path / "in/export.ndjson")}
    (error,) = survey(make_settings(**given)).errors
    assert "This is Labelbox: pass it as --annotations" in error
