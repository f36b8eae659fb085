"""Box files as tools write them: every box covers the red rectangle in its picture, and what is not used is named."""

import json
import unicodedata

import pytest

from imagerecords.schemas.errors import BadLayout
from tests.flows.examples import boxes_of, examples
from tests.flows.pictures import covers, voc, with_red

# By image, its red box in pixels of 96 × 64; one starts in the corner, where pixels are 0.
RED = {"cat/c0.jpg": (12, 8, 60, 40), "cat/c1.jpg": (0, 0, 60, 40), "dog/d0.jpg": (30, 20, 90, 60)}
NAMES = [path.rpartition("/")[2] for path in RED]


@pytest.fixture
def root(tmp_path):
    for path, box in RED.items():
        (tmp_path / "in" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / path).write_bytes(with_red(box))
    return tmp_path


def rows():
    return [(path, path.rpartition("/")[2], path.partition("/")[0], *box) for path, box in RED.items()]


def coco(change=None, name=lambda path: path, size=(96, 64), **more):
    images = [{"id": n, "file_name": name(path), "width": size[0], "height": size[1]} for n, path in enumerate(RED)]
    annotations = [
        {"id": n, "image_id": n, "category_id": 1, "bbox": [x0, y0, x1 - x0, y1 - y0], "iscrowd": 0} | more
        for n, (x0, y0, x1, y1) in enumerate(RED.values())
    ]
    content = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "cat"}]}
    if change:
        for annotation in annotations:
            change(annotation)
    return json.dumps(content)


def as_polygon(annotation):
    x, y, width, height = annotation.pop("bbox")
    annotation["segmentation"] = [[x, y, x + width, y, x + width, y + height, x, y + height]]


def as_texts(annotation):
    annotation["bbox"] = [str(value) for value in annotation["bbox"]]


def ids_as_texts(annotation):
    annotation |= {"image_id": str(annotation["image_id"]), "category_id": str(annotation["category_id"])}


def relative(annotation):
    x, y, width, height = annotation["bbox"]
    annotation["bbox"] = [x / 96, y / 64, width / 96, height / 64]


def cvat(rotation=""):
    images = "".join(
        f'<image id="{n}" name="{path}" width="96" height="64"><box label="cat" source="manual" xtl="{x0}" ytl="{y0}" '
        f'xbr="{x1}" ybr="{y1}" z_order="0"{rotation}/></image>'
        for n, (path, (x0, y0, x1, y1)) in enumerate(RED.items())
    )
    return f'<?xml version="1.0" encoding="utf-8"?><annotations><version>1.1</version>{images}</annotations>'


def lines(pattern, head=""):
    return head + "".join(
        pattern.format(path=p, name=n, label=c, x0=a, y0=b, x1=d, y1=e) + "\n" for p, n, c, a, b, d, e in rows()
    )


FILES = {
    "tutorial.csv": lines("{name},96,64,{label},{x0},{y0},{x1},{y1}", "filename,width,height,class,xmin,ymin,xmax,ymax\n"),
    "columns in another order.csv": lines("{label};{x1};{x0};{y1};{y0};{path}", "Class;XMax;XMin;YMax;YMin;Image Path\n"),
    "tabs.tsv": lines("{name}\t{x0}\t{y0}\t{x1}\t{y1}", "file\txmin\tymin\txmax\tymax\n"),
    "retinanet.csv": lines("in/{path},{x0},{y0},{x1},{y1},{label}") + "in/cat/none.jpg,,,,,\n",
    "pixels.csv": lines("{name}, {x0}, {y0}, {x1}, {y1}"),
    "header and pixels.csv": lines("{name},{x0},{y0},{x1},{y1}", "file,xmin,ymin,xmax,ymax\n"),
    "box sizes.csv": "image,x1,y1,x2,y2,width,height\n"
    + "".join(f"{name},{a},{b},{c},{d},{c - a},{d - b}\n" for _, name, _, a, b, c, d in rows()),
    "open images.csv": "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf\n"
    + "".join(f"{name[:-4]},x,/m/01,1,{a / 96},{c / 96},{b / 64},{d / 64},0,0,0\n" for _, name, _, a, b, c, d in rows()),
    "automl.csv": "".join(f"TRAIN,gs://b/{p},cat,{a / 96},{b / 64},,,{c / 96},{d / 64},,\n" for p, _, _, a, b, c, d in rows()),
    "coco.json": coco(),
    "windows.json": coco(name=lambda path: "images\\" + path.replace("/", "\\")),
    "windows up.json": coco(name=lambda path: "..\\..\\media\\upload\\4\\" + path.rpartition("/")[2]),
    "ids as texts.json": coco(ids_as_texts),
    "numbers as texts.json": coco(as_texts),
    "polygons.json": coco(as_polygon),
    "no sizes.json": coco(size=(0, 0)),
    "relative.json": coco(relative),
    "createml.json": json.dumps(
        [
            {
                "image": name,
                "verified": False,
                "annotations": [
                    {"label": "cat", "coordinates": {"x": (a + c) / 2, "y": (b + d) / 2, "width": c - a, "height": d - b}}
                ],
            }
            for _, name, _, a, b, c, d in rows()
        ]
    ),
    "cvat.xml": cvat(),
    "cvat half turned.xml": cvat(' rotation="180.0"'),
}


@pytest.mark.parametrize("name", FILES)
def test_every_box_covers_the_object_that_is_in_the_picture(root, build, name):
    (root / name).write_text(FILES[name])
    summary = build(train_directory=root / "in", output_directory=root / "out", bounding_boxes=root / name)
    found = list(examples(root / "out"))
    assert len(found) == summary.boxes.written == 3
    assert all(covers(features) for features in found)


BOTH = ["coco.json", "windows.json", "ids as texts.json", "numbers as texts.json", "polygons.json", "no sizes.json"]
BOTH += ["relative.json", "createml.json", "cvat.xml", "cvat half turned.xml"]


def corners_of(output):
    return {each["image/filename"][0]: [box[1:] for box in boxes_of(each)] for each in examples(output)}


@pytest.mark.parametrize("name", BOTH)
def test_a_file_gives_the_same_boxes_as_annotations_and_as_bounding_boxes(root, build, name):
    (root / name).write_text(FILES[name])
    build(train_directory=root / "in", output_directory=root / "boxes", bounding_boxes=root / name)
    build(annotations=str(root / name), images_directory=str(root / "in"), output_directory=root / "annotated")
    assert corners_of(root / "annotated") == corners_of(root / "boxes")


def voc_folder(folder, beside=False, **size):
    for path, box in RED.items():
        place = folder / (path if beside else path.rpartition("/")[2])
        place.parent.mkdir(parents=True, exist_ok=True)
        place.with_suffix(".xml").write_text(voc((path[:3], *box), **size))


def yolo_folder(folder):
    folder.mkdir()
    for path, (x0, y0, x1, y1) in RED.items():
        numbers = (x0 + x1) / 192, (y0 + y1) / 128, (x1 - x0) / 96, (y1 - y0) / 64
        (folder / path.rpartition("/")[2]).with_suffix(".txt").write_text(f"0 {' '.join(map(str, numbers))}\n")
    (folder / "classes.txt").write_text("dog\n")


@pytest.mark.parametrize(
    ("make", "where"),
    [
        (lambda root: voc_folder(root / "voc"), "voc"),
        (lambda root: voc_folder(root / "voc", width=0, height=0), "voc"),
        (lambda root: voc_folder(root / "in", beside=True), "in"),  # labelImg's default layout
        (lambda root: yolo_folder(root / "labels"), "labels"),
    ],
)
def test_folders_of_box_files_too(root, build, make, where):
    make(root)
    build(train_directory=root / "in", output_directory=root / "out", bounding_boxes=root / where)
    found = list(examples(root / "out"))
    assert len(found) == 3
    assert all(covers(features) for features in found)


def test_a_pose_of_yolo_is_its_box(root, build):
    """data.yaml says that keypoints follow; without it they would be the corners of an outline."""
    yolo_folder(root / "labels")
    (root / "labels/classes.txt").unlink()
    (root / "labels/data.yaml").write_text("names: [dog]\nkpt_shape: [3, 2]\n")
    for path in (root / "labels").glob("*.txt"):
        path.write_text(path.read_text().strip() + " 0.1 0.1 0.9 0.9 0.5 0.5\n")
    build(train_directory=root / "in", output_directory=root / "out", bounding_boxes=root / "labels")
    assert all(covers(features) for features in examples(root / "out"))


OUTLINES = {
    "Roboflow": "<polygon><x1>{0}</x1><y1>{1}</y1><x2>{2}</x2><y2>{1}</y2><x3>{2}</x3><y3>{3}</y3></polygon>",
    "LabelMe": "<polygon><pt><x>{0}</x><y>{1}</y></pt><pt><x>{2}</x><y>{1}</y></pt><pt><x>{2}</x><y>{3}</y></pt></polygon>",
}


@pytest.mark.parametrize("tool", OUTLINES)
@pytest.mark.parametrize("setting", ["annotations", "bounding_boxes"])
def test_polygons_in_voc_are_read_as_the_box_around_them(root, build, tool, setting):
    size = "<size><width>96</width><height>64</height></size>"
    (root / "Annotations").mkdir()
    for path, box in RED.items():
        inner = f"<object><name>cat</name>{OUTLINES[tool].format(*box)}</object>"
        (root / "Annotations" / path.rpartition("/")[2]).with_suffix(".xml").write_text(
            f"<annotation>{size}{inner}</annotation>"
        )
    inputs = {"bounding_boxes": {"train_directory": root / "in"}, "annotations": {"images_directory": str(root / "in")}}
    build(**inputs[setting], **{setting: str(root / "Annotations")}, output_directory=root / "out")
    found = list(examples(root / "out"))
    assert len(found) == 3
    assert all(covers(features) for features in found)


def test_objects_that_are_no_boxes_are_named(root, imagerecords):
    (root / "a.xml").write_text(cvat().replace("</image>", '<points label="cat" points="1,2"/></image>', 1))
    arguments = ["--train_directory", root / "in", "--output_directory", root / "out", "--bounding_boxes", root / "a.xml"]
    assert f"note: {root / 'a.xml'}: not read: points (1)" in imagerecords("plan", *arguments).out


def test_yolos_class_names_are_the_objects_own(root, build):
    yolo_folder(root / "labels")
    build(train_directory=root / "in", output_directory=root / "out", bounding_boxes=root / "labels")
    assert {box[0] for features in examples(root / "out") for box in boxes_of(features)} == {2}


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", "nobody.jpg,0.1,0.1,0.2,0.2\n", ["1 of images named 'nobody.jpg', where the input has 'cat/c0.jpg'"]),
        ("a.csv", "c0.jpg,a,b,c,d\n", ["no column for image, xmin, ymin, xmax, ymax among c0.jpg"]),
        ("a.csv", "filename,class,xmin,ymin,xmax\nc0.jpg,cat,1,2,3\n", ["no column for ymax among filename, class"]),
        ("a.csv", "image,x,y,w,h\nc0.jpg,12,8,48,32\n", ["no column for xmin, ymin, xmax, ymax among image, x, y, w, h"]),
        ("a.json", coco(iscrowd=1), ["left out as crowd regions"]),
        ("a.json", coco(name=lambda _: "elsewhere.jpg"), ["read as COCO", "named 'elsewhere.jpg'"]),
        ("a.json", '{"images": [], "annotations": []}', ["must have boxes, got none"]),
        ("a.json", '{"shapes": [], "imagePath": "c0.jpg"}', ["no COCO file", "shapes, imagePath"]),
        ("a.xml", "<annotations/>", ["must have boxes, got none"]),
        ("a.xml", "<feed/>", ["got <feed>"]),
    ],
)
def test_a_file_of_which_no_box_is_used_is_an_error_that_names_what_was_read(root, build, name, content, words):
    (root / name).write_text(content)
    with pytest.raises(BadLayout) as raised:
        build(train_directory=root / "in", output_directory=root / "out", bounding_boxes=root / name)
    assert all(word in str(raised.value) for word in words), raised.value
    assert not (root / "out").exists()


def test_what_is_not_used_is_named_in_plan_summary_and_data_card(root, imagerecords):
    (root / "b.csv").write_text(FILES["pixels.csv"] + "nobody.jpg,1,2,30,40\nc0.jpg,x,2,3,4\nd0.jpg,5,5,5,50\n")
    arguments = ["--train_directory", root / "in", "--output_directory", root / "out", "--bounding_boxes", root / "b.csv"]
    reasons = [
        "1 box can't be read: a box must have an image and four numbers, got 'c0.jpg, x, 2, 3, 4': b.csv, line 5",
        "1 box dropped, since they must have an area: 'd0.jpg' (b.csv, line 6)",
        "1 box of no image: 'nobody.jpg' (b.csv, line 4)",
    ]
    planned = imagerecords("plan", *arguments).out
    assert "6 boxes found, 3 planned, 2 dropped, 1 of no image" in planned
    assert "boxes are in pixels, by their values" in planned
    built = imagerecords("build", *arguments, "--no-prefect", "--executor", "threads").out
    page = (root / "out/report.html").read_text().replace("&#39;", "'")
    for text in (planned, built, page):
        assert [reason for reason in reasons if reason not in text] == []
    failed = imagerecords("plan", *arguments, "--invalid_boxes", "fail")
    assert failed.code == 2
    assert "must be of an image of the input, got 'nobody.jpg'" in failed.err
    assert "line 5" in failed.err


def test_a_box_in_pixels_in_a_relative_file_is_one_and_what_fits_neither_is_named(root, build):
    relative = "".join(f"{name},{a / 96},{b / 64},{c / 96},{d / 64}\n" for _, name, _, a, b, c, d in rows()[1:])
    (root / "b.csv").write_text(relative + "c0.jpg,12,8,60,40\nc0.jpg,0.1,0.2,7.3,0.4\n")
    summary = build(train_directory=root / "in", output_directory=root / "out", bounding_boxes=root / "b.csv")
    assert all(covers(features) for features in examples(root / "out"))
    (reason,) = summary.boxes.reasons
    assert "must be relative as most boxes of its file, got 0.1, 0.2, 7.3, 0.4: b.csv, line 4" in reason.line()


def test_the_boxes_of_an_image_list_may_be_in_pixels_too(root, build):
    listed = [{"path": path, "label": path[:3], "boxes": [list(box)]} for path, box in RED.items()]
    (root / "in/list.jsonl").write_text("".join(json.dumps(row) + "\n" for row in listed))
    build(image_list=root / "in/list.jsonl", output_directory=root / "out")
    assert all(covers(features) for features in examples(root / "out"))


def test_crowd_regions_are_excluded_and_counted(root, build):
    content = json.loads(coco())
    content["annotations"].append({"image_id": 0, "category_id": 1, "bbox": [0, 0, 96, 64], "iscrowd": 1, "segmentation": {}})
    (root / "c.json").write_text(json.dumps(content))
    summary = build(train_directory=root / "in", output_directory=root / "out", bounding_boxes=root / "c.json")
    assert all(covers(features) for features in examples(root / "out"))
    assert (summary.boxes.found, summary.boxes.written, summary.boxes.excluded) == (4, 3, 1)
    assert "1 box left out as crowd regions" in summary.boxes.reasons[0].line()


@pytest.mark.parametrize(("object_labels", "written"), [("image", 6), ("drop", 3)])
def test_objects_whose_name_is_no_label_are_counted_and_named(root, build, object_labels, written):
    (root / "voc").mkdir()
    for path, box in RED.items():
        (root / "voc" / path.rpartition("/")[2]).with_suffix(".xml").write_text(voc((path[:3], *box), ("car", *box)))
    settings = {"bounding_boxes": root / "voc", "object_labels": object_labels}
    summary = build(train_directory=root / "in", output_directory=root / "out", **settings)
    assert summary.boxes.written == written
    (reason,) = summary.boxes.reasons
    assert (reason.count, reason.first) == (3, ("'car' (3)",))


def test_a_box_file_of_a_split_that_the_input_does_not_have_is_an_error(root, imagerecords):
    (root / "b.csv").write_text(FILES["pixels.csv"])
    arguments = ["--train_directory", root / "in", "--output_directory", root / "out", "--bounding_boxes.test", root / "b.csv"]
    assert "got test, where there is train" in imagerecords("plan", *arguments).err


def test_names_that_differ_in_unicode_form_only_are_the_same_image(tmp_path, imagerecords):
    """macOS decomposes the names of files; tools write them composed."""
    (tmp_path / "in/cat").mkdir(parents=True)
    (tmp_path / "in/cat" / f"{unicodedata.normalize('NFD', 'Müller')}.jpg").write_bytes(with_red((12, 8, 60, 40)))
    (tmp_path / "voc").mkdir()
    (tmp_path / "voc" / f"{unicodedata.normalize('NFC', 'Müller')}.xml").write_text(voc(("cat", 12, 8, 60, 40)))
    arguments = [
        "--train_directory",
        tmp_path / "in",
        "--output_directory",
        tmp_path / "out",
        "--bounding_boxes",
        tmp_path / "voc",
    ]
    planned = imagerecords("plan", *arguments)
    assert "1 box found, 1 planned" in planned.out
    assert "1 image named in another Unicode form" in planned.out
