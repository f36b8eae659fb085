"""What annotators can do in Label Studio besides one choice per image, and what the exports make of it."""

import json

import pytest

from imagerecords.schemas.errors import BadLayout
from imagerecords.schemas.label_studio_settings import LabelStudioSettings
from imagerecords.tasks.sources.label_studio import read_export
from imagerecords.tasks.sources.label_studio_paths import readings, there


def result(kind, control="choice", to="image", **value):
    more = {name: value.pop(name) for name in ("id", "item_index", "image_rotation") if name in value}
    sides = {"original_width": 200, "original_height": 100}
    return {"type": kind, "from_name": control, "to_name": to, "value": value} | sides | more


def choice(*choices, **more):
    return result("choices", **({"choices": list(choices)} | more))


def box(x=10, control="box", to="image", **more):
    value = {"x": x, "y": 20, "width": 30, "height": 40, "rotation": 0, "rectanglelabels": ["head"]}
    return result("rectanglelabels", control, to, **(value | more))


def task(*results, image="a.jpg", **more):
    annotations = [{"id": 1, "completed_by": 1, "result": list(results)}]
    return {"id": 1, "data": {"image": image}, "annotations": annotations} | more


def read(*tasks, file="e.json", **settings):
    return read_export(json.dumps(tasks), file, LabelStudioSettings(**settings))


def labels(export):
    return [(image.path, image.label) for image in export.images] + export.problems()


@pytest.mark.parametrize(
    ("results", "label"),
    [
        ([choice(["animal", "cat"])], "animal/cat"),  # nested choices are paths
        ([result("taxonomy", "kind", taxonomy=[["animal", "cat"]])], "animal/cat"),
        ([choice("cat"), result("textarea", "caption", text=["a photo"]), result("rating", "stars", rating=3)], "cat"),
        ([choice("cat"), {"type": "relation", "from_id": "a", "to_id": "b", "direction": "right"}], "cat"),
        ([choice("cat"), box(id="r1"), choice("blurred", control="of_box", id="r1")], "cat"),  # asked per region
        ([choice("cat"), choice("blurred", control="of_box", x=1, y=2, width=3, height=4)], "cat"),
    ],
)
def test_the_class_is_the_choice_for_the_whole_image(results, label):
    assert labels(read(task(*results))) == [("a.jpg", label)]


@pytest.mark.parametrize(
    ("control", "label"), [("choice", "cat"), ("quality", "sharp"), ("stars", "3"), ("caption", "a photo"), ("box", "head")]
)
def test_any_control_can_be_named_as_the_class(control, label):
    more = [choice("sharp", control="quality"), result("rating", "stars", rating=3)]
    results = [choice("cat"), box(), *more, result("textarea", "caption", text=["a photo"])]
    assert labels(read(task(*results), label_studio_class=control)) == [("a.jpg", label)]


def test_two_choices_are_listed_with_examples():
    with pytest.raises(
        BadLayout, match=r"got choice \('cat'\); quality \('sharp'\): e.json. Name one with --label_studio_class"
    ):
        read(task(choice("cat"), choice("sharp", control="quality")))


def test_regions_alone_are_no_class_unless_they_are_named():
    first, second = task(box()), task(box(), box(rectanglelabels=["tail"]), image="b.jpg")
    unnamed = read(first, second)
    assert any("a choice for the whole image, got box (rectanglelabels)" in problem for problem in unnamed.problems())
    named = labels(read(first, second, label_studio_class="box"))
    assert named == [
        ("a.jpg", "head"),
        "an image must have one label, got ['head', 'tail']. Pass --labels many to write all of them: e.json, task 2",
    ]


def test_rectangle_with_labels_is_one_box():
    """The tags <Rectangle> and <Labels> write a region twice, with and without its name."""
    region = {"x": 10, "y": 20, "width": 30, "height": 40, "rotation": 0}
    results = [result("rectangle", "frame", id="r", **region), result("labels", "tag", id="r", labels=["head"], **region)]
    (image,) = read(task(choice("cat"), *results)).images
    assert [box.name for box in image.boxes] == ["head"]
    row = {
        "image": "a.jpg",
        "id": 1,
        "choice": "cat",
        "frame": [region],
        "tag": [region | {"labels": ["head"]}],
        "annotator": 1,
    }
    (minimal,) = read(row | {"annotation_id": 1}).images
    assert minimal.boxes == image.boxes


def test_a_turned_view_leaves_regions_where_they_were_drawn():
    (image,) = read(task(choice("cat"), box(image_rotation=90))).images
    assert [tuple(map(float, box[:4])) for box in image.boxes] == [(0.1, 0.2, 0.4, pytest.approx(0.6))]


def test_a_turned_ellipse_gives_the_upright_box_round_it():
    """In pixels: 40 × 10 half axes, turned by 90°, in an image of 200 × 100."""
    ellipse = result("ellipselabels", "round", x=50, y=50, radiusX=20, radiusY=10, rotation=90, ellipselabels=["eye"])
    (image,) = read(task(choice("cat"), ellipse)).images
    assert image.boxes[0][:4] == pytest.approx((0.45, 0.1, 0.55, 0.9))


def test_what_is_no_box_is_counted_and_named():
    mask = result("brushlabels", "paint", format="rle", rle=[0, 1], brushlabels=["head"])
    video = result("videorectangle", "film", sequence=[])
    export = read(task(choice("cat"), mask, video, box(rectanglelabels=["head", "left"])))
    assert "e.json: not read: 1 brush mask, 1 video rectangle" in export.notes
    assert "e.json: 1 region with several names: the first is taken" in export.notes


def test_tasks_of_other_media_are_skipped_and_counted():
    video = task(choice("cat")) | {"data": {"video": "/data/upload/1/a.mp4"}}
    export = read(task(choice("dog")), video)
    assert labels(export) == [("a.jpg", "dog")]
    assert export.skipped == {"of no image": 1}


def test_pages_are_images_of_their_own_where_each_has_its_choice():
    pages = ["/data/upload/1/p1.jpg", "/data/upload/1/p2.jpg"]
    each = task(choice("cat", item_index=0), choice("dog", item_index=1), box(item_index=1), image=pages)
    export = read(each)
    assert [(image.path, image.label, len(image.boxes)) for image in export.images] == [
        (pages[0], "cat", 0),
        (pages[1], "dog", 1),
    ]
    whole = read(task(choice("cat"), image=pages))
    assert [problem.partition(".")[0] for problem in whole.problems()] == [
        f"an image must have one label, got one for all pages of a task of page {page}" for page in (1, 2)
    ]


def test_regions_on_another_image_of_the_task_are_not_this_ones():
    data = {"data": {"left": "l.jpg", "right": "r.jpg"}}
    results = [choice("cat", to="left"), box(to="left"), box(50, to="right")]
    export = read(task(*results) | data, label_studio_image="left")
    assert [len(image.boxes) for image in export.images] == [1]
    assert "e.json: regions on other images not read: right" in export.notes
    with pytest.raises(BadLayout, match="one column with images, got 'left', 'right'"):
        read(task(*results) | data)
    unclear = [choice("cat", to="img1"), box(to="img1"), box(50, to="img2")]
    with pytest.raises(BadLayout, match="regions on one image, got 'img1', 'img2'"):
        read(task(*unclear) | data, label_studio_image="left")


@pytest.mark.parametrize(
    "row", [task(choice("cat")), {"id": 1, "data": {"image": "a.jpg"}, "completions": [{"result": [choice("cat")]}]}]
)
def test_a_single_task_and_old_exports_are_read(row):
    assert labels(read_export(json.dumps(row if "annotations" in row else [row]), "e.json")) == [("a.jpg", "cat")]


def test_an_annotators_own_change_of_mind_is_no_majority():
    """One vote per person, the latest; with `agree` it is a disagreement all the same."""
    answers = [(1, "cat"), (1, "cat"), (1, "dog"), (2, "dog"), (3, "cat")]
    annotations = [
        {"id": number, "completed_by": {"id": by, "email": f"{by}@x"}, "result": [choice(label)]}
        for number, (by, label) in enumerate(answers)
    ]
    assert labels(read(task(annotations=annotations), annotators="majority")) == [("a.jpg", "dog")]
    (problem,) = labels(read(task(annotations=annotations)))
    assert problem.startswith("annotators must agree on an image's label, got 'cat' (3), 'dog' (2). ")
    (tie,) = labels(read(task(annotations=annotations[2:3] + annotations[4:]), annotators="majority"))
    assert tie.startswith("most annotators must agree on an image's label, got 'cat' (1), 'dog' (1). ")


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ('image,choice\na.jpg,"{""choices"": [""cat""]}"\n', [("a.jpg", "cat")]),
        ("image;choice\na.jpg;cat\n", [("a.jpg", "cat")]),  # saved again by a spreadsheet
        ("photo\tclass\na.jpg\tcat\n", [("a.jpg", "cat")]),
        ("image,choice,_data_choice,annotation_id\na.jpg,cat,guess,1\n", [("a.jpg", "cat")]),
        ("image,choice,annotation_id,id\na.jpg,cat,1,1\na.jpg,cat,2,1\nb.jpg,dog,3,1\n", [("a.jpg", "cat"), ("b.jpg", "dog")]),
        ("image,choice\na.jpg\n", ["a row must have 2 columns, got 1: e.csv, line 2"]),
    ],
)
def test_tables_are_read_as_they_are_written(table, expected):
    assert labels(read_export(table, "e.csv")) == expected


def test_a_data_column_never_beats_the_annotators_answer():
    """Not even where the control left no answer, and not where a table does not say which is which."""
    row = {"image": "a.jpg", "label": "guess", "id": 1, "class": "cat", "annotator": 1, "annotation_id": 1}
    silent = {"image": "b.jpg", "label": "guess", "id": 2, "annotator": 1, "annotation_id": 2}
    export = read(row, silent)
    assert labels(export) == [("a.jpg", "cat")]
    assert export.skipped == {"not labelled": 1}
    with pytest.raises(BadLayout, match=r"got class \('cat'\); label \('guess'\)"):
        read_export("annotation_id,class,id,image,label\n1,cat,1,a.jpg,guess\n", "e.csv")


def test_numbers_are_labels_in_peoples_own_tables():
    assert labels(read({"image": "a.jpg", "label": 3})) == [("a.jpg", "3")]


@pytest.mark.parametrize(
    ("path", "files", "expected"),
    [
        ("/data/upload/1/ab-d%C3%A9.jpg", ["ab-dé.jpg"], "ab-dé.jpg"),
        ("/data/upload/1/ab-d%20e.jpg", ["ab-d%20e.jpg"], "ab-d%20e.jpg"),  # the name itself has a percent sign
        ("https://host/studio/data/upload/1/ab-1.jpg", [], "ab-1.jpg"),
        ("/data/local-files/?d=x/a+b.jpg", ["x/a+b.jpg"], "x/a+b.jpg"),
        ("/data/local-files/?d=x/a+b.jpg", ["x/a b.jpg"], "x/a b.jpg"),  # a form's space
        ("/data/local-files/?d=x/a%2Bb.jpg", ["x/a+b.jpg"], "x/a+b.jpg"),
        ("/data/local-files/?d=x/a#1&2.jpg", ["x/a#1&2.jpg"], "x/a#1&2.jpg"),
        ("/data/local-files/?d=x%5Cy%5C1.jpg", ["x/y/1.jpg"], "x/y/1.jpg"),
        ("/data/local-files?d=x/1.jpg", [], "x/1.jpg"),
        ("/tasks/7/resolve/?fileuri=czM6Ly9iL2EuanBn", [], "s3://b/a.jpg"),
        ("images/50%25.jpg", ["images/50%25.jpg"], "images/50%25.jpg"),
        ("s3://bucket/data/upload/1/a%20b.jpg", [], "s3://bucket/data/upload/1/a%20b.jpg"),
        ("/mnt/data/upload/1.jpg", [], "/mnt/data/upload/1.jpg"),
    ],
)
def test_a_path_is_read_as_the_file_that_is_there(path, files, expected):
    assert there(path, files.__contains__) == expected
    assert readings(path)


@pytest.mark.parametrize("value", [{}, {"choices": None}, {"choices": 3}, None, "cat"])
def test_a_malformed_answer_is_reported_with_its_task(value):
    export = read(task(choice("dog"), image="b.jpg"), task(choice("cat") | {"value": value}))
    assert [(image.path, image.label) for image in export.images] == [("b.jpg", "dog")]
    (problem,) = export.problems()
    assert problem.startswith("a task must be as Label Studio exports it, got ")
    assert problem.endswith(": e.json, task 2")


def test_the_usual_name_or_the_results_source_decide_between_two_columns_of_images():
    both = {"data": {"image": "a.jpg", "thumbnail": "t.jpg"}}
    export = read(task(choice("cat")) | both)
    assert labels(export) == [("a.jpg", "cat")]
    assert export.notes == ["e.json: images taken from column 'image', not from 'thumbnail' (--label_studio_image)"]
    answer = choice("cat") | {"source": "$scan"}
    export = read(task(answer) | {"data": {"photo": "a.jpg", "scan": "s.jpg"}})
    assert (labels(export), export.notes) == ([("s.jpg", "cat")], [])
    one_each = [task(choice("cat")), task(choice("dog")) | {"id": 2, "data": {"photo": "p.jpg"}}]
    assert labels(read(*one_each)) == [("a.jpg", "cat"), ("p.jpg", "dog")]
