"""Whatever is in a file that people make or may damage, its reader takes it or raises imagerecords' own error, with the place.

The sample is seeded; `python -m tests.tasks.test_readers_fuzz 100000` (`make fuzz`) takes a larger one.
"""

import contextlib
import json
import random
import re
import shutil
import signal
import sys
import tempfile
import time
import traceback
import zlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from imagerecords.flows.command.config_file import settings_of_file
from imagerecords.flows.direct import build_directly
from imagerecords.flows.progress import LineProgress
from imagerecords.schemas.errors import BadLayout, ImageRecordsError
from imagerecords.schemas.messages import MOST_LINES
from imagerecords.schemas.settings import BuildSettings
from imagerecords.schemas.settings_problems import make_settings
from imagerecords.tasks.audit.folder import audit_folder
from imagerecords.tasks.commands.catalogue import open_dataset, read_catalogue
from imagerecords.tasks.commands.locate import locate_image
from imagerecords.tasks.dataset.croissant import read_croissant
from imagerecords.tasks.dataset.places import find_places
from imagerecords.tasks.dataset.plan_file import read_plan
from imagerecords.tasks.dataset.receipts import read_receipt
from imagerecords.tasks.dataset.removals import removed_paths
from imagerecords.tasks.discover import discover_images
from imagerecords.tasks.storage.folders import open_folder
from tests.mutations import damage

MUTATIONS = 2000
PYTHONS_WORDS = re.compile(
    r"NoneType|\b(Key|Type|Value|Attribute|Index|Overflow|Lookup)Error|object (is not|has no)|indices must|unhashable|to unpack"
    r"|invalid literal|could not convert|operand|real number|values of other kinds|codec can't|type=\w+_type"
)
SECONDS = 60  # for one file; all take milliseconds
ROWS = [
    {"path": "img/cat/0.jpg", "label": "cat", "split": "train", "group": "g1", "boxes": [[0.1, 0.1, 0.5, 0.5, "cat"]]},
    {"path": "img/cat/1.jpg", "label": "cat", "split": "train", "group": "g1", "boxes": []},
    {"path": "img/dog/0.jpg", "label": "dog", "split": "test", "group": "g2", "boxes": [[0, 0, 1, 1]]},
]
TASKS = [
    {
        "id": 7,
        "data": {"image": f"img/{label}/0.jpg"},
        "annotations": [
            {
                "id": 3,
                "completed_by": 1,
                "result": [
                    {"type": "choices", "from_name": "c", "to_name": "image", "value": {"choices": [label]}},
                    {
                        "type": "rectanglelabels",
                        "from_name": "r",
                        "to_name": "image",
                        "original_width": 24,
                        "original_height": 16,
                        "value": {"x": 5, "y": 5, "width": 50, "height": 40, "rotation": 0, "rectanglelabels": [label]},
                    },
                ],
            }
        ],
    }
    for label in ("cat", "dog")
]
COCO = {
    "info": {"contributor": ""},
    "images": [{"id": n, "file_name": f"{label}/0.jpg", "width": 24, "height": 16} for n, label in enumerate(("cat", "dog"))],
    "annotations": [
        {"id": 1, "image_id": 0, "category_id": 1, "bbox": [1, 1, 5, 5], "iscrowd": 0},
        {"id": 2, "image_id": 1, "category_id": 2, "segmentation": [[1, 1, 9, 1, 9, 9]], "iscrowd": 0},
        {"id": 3, "image_id": 1, "category_id": 2, "segmentation": {"size": [16, 24], "counts": [20, 9, 7, 9, 339]}},
        {"id": 4, "image_id": 0, "category_id": 1, "segmentation": {"size": [16, 24], "counts": "b1970^9"}},
    ],
    "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
}
CREATEML = [
    {
        "image": "cat/0.jpg",
        "annotations": [{"label": "cat", "coordinates": {"x": 9, "y": 9, "width": 5, "height": 5}}],
    }
]
VOC = """<annotation><folder>cat</folder><filename>1.jpg</filename><size><width>24</width><height>16</height><depth>3</depth>
</size><object><name>cat</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></object></annotation>"""
CVAT = """<annotations><image id="0" name="cat/0.jpg" width="24" height="16">
<box label="cat" xtl="1" ytl="1" xbr="9" ybr="9" rotation="10"/>
<polygon label="cat" points="1,1;5,1;5,5"/></image></annotations>"""
CSV = "path,label,split,group,boxes\n" + "".join(
    f'{row["path"]},{row["label"]},{row["split"]},{row["group"]},"{json.dumps(row["boxes"]).replace(chr(34), chr(34) * 2)}"\n'
    for row in ROWS
)
BOXES_CSV = "filename,width,height,class,xmin,ymin,xmax,ymax\ncat/0.jpg,24,16,cat,1,1,9,9\ndog/0.jpg,24,16,dog,0,0,5,5\n"
CONFIG = {"train_directory": "img", "output_directory": "out", "train_shards": 2, "storage_options": {"a": {"b": 1}}}
MAP = "".join(f'item {{\n  id: {n}\n  name: "{label}"\n  display_name: "x"\n}}\n' for n, label in ((1, "cat"), (2, "dog")))


LABELBOX = json.dumps(
    {
        "data_row": {"id": "a", "external_id": "0.jpg", "row_data": "https://x/0.jpg?sig=1"},
        "media_attributes": {"width": 24, "height": 16},
        "metadata_fields": [{"schema_name": "split", "value": "train"}],
        "projects": {
            "p": {
                "name": "pets",
                "labels": [
                    {
                        "label_details": {"created_at": "2024-01-01"},
                        "performance_details": {"skipped": False},
                        "annotations": {
                            "objects": [
                                {"name": "cat", "bounding_box": {"top": 1, "left": 1, "height": 5, "width": 5}},
                                {"name": "cat", "polygon": [{"x": 1, "y": 1}, {"x": 5, "y": 5}, {"x": 5, "y": 1}]},
                            ],
                            "classifications": [{"name": "class", "radio_answer": {"name": "cat"}}],
                        },
                    }
                ],
            }
        },
    }
)
FORMER = [
    {
        "ID": "l",
        "DataRow ID": "a",
        "Labeled Data": "https://x/0.jpg",
        "External ID": "0.jpg",
        "Skipped": False,
        "Label": {
            "objects": [{"title": "cat", "bbox": {"top": 1, "left": 1, "height": 5, "width": 5}}],
            "classifications": [{"title": "class", "answers": [{"title": "cat"}]}],
        },
    }
]
SUPERANNOTATE = {
    "metadata": {"name": "0.jpg", "width": 24, "height": 16, "status": "Completed"},
    "instances": [
        {"type": "bbox", "className": "cat", "classId": 1, "points": {"x1": 1, "x2": 9, "y1": 1, "y2": 9}, "attributes": []},
        {"type": "polygon", "className": "cat", "points": [1, 1, 9, 1, 9, 9], "attributes": []},
        {"type": "tag", "className": "cat"},
    ],
    "tags": ["train"],
    "comments": [],
}
SCALE = [
    {
        "task_id": "t",
        "type": "imageannotation",
        "status": "completed",
        "params": {"attachment": "https://x/0.jpg"},
        "response": {"annotations": [{"type": "box", "label": "cat", "left": 1, "top": 1, "width": 5, "height": 5}]},
    }
]
NUCLEUS = [
    {
        "item": {"reference_id": "0.jpg", "image_url": "s3://x/0.jpg"},
        "box": [{"label": "cat", "geometry": {"x": 1, "y": 1, "width": 5, "height": 5}}],
        "category": [{"label": "cat"}],
        "polygon": [],
    }
]
VIA3 = {
    "project": {"pid": "a"},
    "config": {"file": {"loc_prefix": {"1": ""}}},
    "attribute": {"1": {"aname": "class", "anchor_id": "FILE1_Z0_XY1", "type": 3, "options": {"0": "cat"}}},
    "file": {"1": {"fid": "1", "fname": "0.jpg", "type": 2, "loc": 1, "src": ""}},
    "view": {"1": {"fid_list": ["1"]}},
    "metadata": {"a": {"vid": "1", "flg": 0, "z": [], "xy": [2, 1, 1, 5, 5], "av": {"1": "0"}}},
}


def listed(**settings):
    """A reader of an input's file: `read(root, path)` discovers what the file lists or adds to the images in `img`."""

    def read(root, path):
        given = {name: value.format(root=root, path=path) for name, value in settings.items()}
        given = {name: (value,) if name == "annotations" else value for name, value in given.items()}
        return discover_images(make_settings(BuildSettings, {"output_directory": str(root / "out"), **given}))

    return read


def of_folder(read):
    """A reader of a file in a data set."""
    return lambda root, path: read(open_folder(str(root / "made"), {}))


def configured(root, path):
    """Read a config file, and make the settings that it holds."""
    return make_settings(BuildSettings, dict(settings_of_file(path).config))


def opened(root, path):
    """Read what the commands and the Python API read of a data set."""
    url = str(root / "made")
    read_catalogue(open_dataset(url, {}))
    locate_image(url, "0.jpg", {})


def audited(root, path):
    """Audit the data set without what takes long."""
    return audit_folder(str(root / "made"), {})


def of_annotations(name):
    """Settings of annotations in a folder, whose images are those of cats."""
    return {"annotations": f"{{root}}/{name}", "images_directory": "{root}/img/cat"}


BOXES = {"train_directory": "{root}/img", "bounding_boxes": "{path}"}
SHARD = "train-00000-of-00001"
# By name: the file, its content (None: as the build made it), its reader, and its part of the mutations.
CASES = {
    "image list, CSV": ("list.csv", CSV, listed(image_list="{path}"), 3),
    "image list, JSON lines": ("list.jsonl", "\n".join(map(json.dumps, ROWS)), listed(image_list="{path}"), 3),
    "image list, Parquet": ("list.parquet", ROWS, listed(image_list="{path}"), 3),
    "Label Studio": ("tasks.json", json.dumps(TASKS), listed(label_studio="{path}"), 4),
    "Label Studio, CSV": (
        "tasks.csv",
        "image,id,choice\nimg/cat/0.jpg,1,cat\nimg/dog/0.jpg,2,dog\n",
        listed(label_studio="{path}"),
        2,
    ),
    "COCO": ("coco.json", json.dumps(COCO), listed(**BOXES), 3),
    "CreateML": ("createml.json", json.dumps(CREATEML), listed(**BOXES), 2),
    "boxes, CSV": ("boxes.csv", BOXES_CSV, listed(**BOXES), 3),
    "CVAT": ("cvat.xml", CVAT, listed(**BOXES), 2),
    "Pascal VOC": ("voc/1.xml", VOC, listed(**BOXES | {"bounding_boxes": "{root}/voc"}), 2),
    "YOLO": (
        "yolo/cat/0.txt",
        "0 0.5 0.5 0.2 0.2\n1 0.1 0.1 0.9 0.1 0.9 0.9\n",
        listed(**BOXES | {"bounding_boxes": "{root}/yolo"}),
        2,
    ),
    "YOLO, names": (
        "yolo/data.yaml",
        "names:\n  0: cat\n  1: dog\nnc: 2\n",
        listed(**BOXES | {"bounding_boxes": "{root}/yolo"}),
        1,
    ),
    "annotations, COCO": ("img/coco.json", json.dumps(COCO), listed(annotations="{root}/img"), 3),
    "annotations, LabelMe": (
        "labelme/0.json",
        json.dumps(
            {
                "imagePath": "../img/cat/0.jpg",
                "imageWidth": 24,
                "imageHeight": 16,
                "version": "5",
                "flags": {},
                "shapes": [{"label": "cat", "shape_type": "rectangle", "points": [[1, 1], [9, 9]], "flags": {}}],
            }
        ),
        listed(annotations="{root}/labelme", images_directory="{root}/img"),
        2,
    ),
    "annotations, Labelbox": ("labelbox/export.ndjson", LABELBOX, listed(**of_annotations("labelbox")), 3),
    "annotations, Labelbox's former": ("former/export.json", json.dumps(FORMER), listed(**of_annotations("former")), 2),
    "annotations, SuperAnnotate": ("sa/0.jpg.json", json.dumps(SUPERANNOTATE), listed(**of_annotations("sa")), 2),
    "annotations, SuperAnnotate's lists": (
        "sa_old/annotations.json",
        json.dumps({"0.jpg": [*SUPERANNOTATE["instances"], {"type": "meta", "width": 24, "height": 16}]}),
        listed(**of_annotations("sa_old")),
        2,
    ),
    "annotations, Scale": ("scale/tasks.json", json.dumps(SCALE), listed(**of_annotations("scale")), 2),
    "annotations, Nucleus": ("nucleus/items.json", json.dumps(NUCLEUS), listed(**of_annotations("nucleus")), 2),
    "annotations, VIA 3": ("via3/project.json", json.dumps(VIA3), listed(**of_annotations("via3")), 2),
    "annotations, MOT": ("mot/gt/gt.txt", "1,1,1,1,9,9,1,1,1\n2,1,2,2,9,9,0,1,0.5\n", listed(annotations="{root}/mot"), 2),
    "annotations, MOT's sequence": (
        "mot/seqinfo.ini",
        "[Sequence]\nname=a\nimDir=img1\nseqLength=2\nimWidth=24\nimHeight=16\nimExt=.jpg\n",
        listed(annotations="{root}/mot"),
        1,
    ),
    "annotations, VOC": ("voc/1.xml", VOC, listed(annotations="{root}/voc", images_directory="{root}/img/cat"), 2),
    "labels file": ("labels.txt", "cat\ndog\n", listed(train_directory="{root}/img", labels_file="{path}"), 1),
    "label map": ("map.pbtxt", MAP, listed(train_directory="{root}/img", labels_file="{path}"), 1),
    "synsets": ("synsets.txt", "cat\ta cat\ndog\ta dog\n", listed(train_directory="{root}/img", synsets_file="{path}"), 1),
    "config, YAML": ("config.yaml", json.dumps(CONFIG, indent=1), configured, 2),
    "config, TOML": (
        "config.toml",
        'train_directory = "img"\noutput_directory = "out"\ntrain_shards = 2\n[storage_options]\na = {b = 1}\n',
        configured,
        2,
    ),
    "plan": ("made/_build/plan.parquet", None, of_folder(read_plan), 2),
    "receipt": (f"made/_build/receipts/{SHARD}.parquet", None, of_folder(lambda folder: read_receipt(folder, SHARD)), 2),
    "removals": (
        "made/_build/removals.json",
        '{"unfinished": false, "paths": {"f": ["a.jpg"]}}',
        of_folder(lambda folder: removed_paths(folder, "f")),
        1,
    ),
    "manifest": ("made/manifest.parquet", None, opened, 3),
    "manifest, Python": ("made/manifest.parquet", None, of_folder(find_places), 2),
    "manifest, audit": ("made/manifest.parquet", None, audited, 1),
    "dataset_info": ("made/dataset_info.json", None, audited, 1),
    "dataset_info, Python": ("made/dataset_info.json", None, of_folder(find_places), 1),
    "croissant": ("made/croissant.json", None, of_folder(read_croissant), 1),
    "croissant, audit": ("made/croissant.json", None, audited, 1),
    "labels.txt, audit": ("made/labels.txt", None, audited, 1),
    "index, audit": (f"made/index/{SHARD}.idx", None, audited, 1),
}


def make_files(root):
    """All files of CASES, and the images and data set that they are about."""
    for number, name in enumerate(("cat/0", "cat/1", "dog/0")):
        (root / f"img/{name}.jpg").parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (24, 16), (number * 60, 99, 0)).save(root / f"img/{name}.jpg")
    settings = BuildSettings(train_directory=str(root / "img"), output_directory=str(root / "made"), executor="threads")
    build_directly(settings, LineProgress(lambda _: None, lambda _: None))
    for number in (1, 2):  # of MOT
        (root / "mot/img1").mkdir(parents=True, exist_ok=True)
        shutil.copy(root / "img/cat/0.jpg", root / f"mot/img1/{number:06}.jpg")
    for file, content, *_ in CASES.values():
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, list):
            rows = [row | {"boxes": json.dumps(row["boxes"])} for row in content]
            pq.write_table(pa.Table.from_pylist(rows), path)
        elif content is not None:
            path.write_text(content)


def misread(root, name, count):
    """What went wrong in `count` mutations of a file: each exception that is not imagerecords' own, or has no place."""
    file, _, read, _ = CASES[name]
    path = root / file
    original = path.read_bytes()
    draw = random.Random(zlib.crc32(name.encode()))
    wrong = []
    try:
        for number in range(count):
            data = damage(original, path.suffix[1:], draw)
            path.write_bytes(data)
            if problem := problem_of(read, root, path):
                wrong.append((number, problem, data))
    finally:
        path.write_bytes(original)
    return wrong


@contextlib.contextmanager
def deadline():
    """Raise TimeoutError in a reader that does not end."""

    def end(*_):
        raise TimeoutError(f"no answer after {SECONDS} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def problem_of(read, root, path):
    """What is wrong with a reader's answer: it may be a result, or an error of imagerecords in a few lines with the place."""
    try:
        with deadline():
            read(root, path)
    except ImageRecordsError as error:
        text = str(error)
        if len(text.splitlines()) > 3 * MOST_LINES:
            return f"{len(text.splitlines())} lines"
        if words := PYTHONS_WORDS.search(text):
            return f"Python's own words ({words[0]}): {text[:300]}"
        if isinstance(error, BadLayout) and not (str(root) in text or path.name in text):
            return f"no place: {text[:300]}"
    except Exception as error:  # this test is about them
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "imagerecords" in frame.filename]
        return f"{type(error).__name__}: {str(error)[:200]} at {frames[-1].filename}:{frames[-1].lineno}"
    return ""


def counts(mutations):
    """The number of mutations of each case."""
    parts = sum(part for *_, part in CASES.values())
    return {name: -(-mutations * part // parts) for name, (*_, part) in CASES.items()}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The folder with all files."""
    root = tmp_path_factory.mktemp("files")
    make_files(root)
    return root


@pytest.mark.parametrize("name", CASES)
def test_the_undamaged_file_is_read(files, name):
    file, _, read, _ = CASES[name]
    read(files, files / file)


@pytest.mark.parametrize("name", CASES)
def test_a_damaged_file_is_read_or_refused_with_its_place(files, name):
    assert [problem for _, problem, _ in misread(files, name, counts(MUTATIONS)[name])] == []


def main(mutations, only=""):
    """Print each kind of problem, with the number of its occurrences and the first damaged file."""
    root = Path(tempfile.mkdtemp(prefix="fuzz-"))
    make_files(root)
    total = 0
    for name, count in counts(mutations).items():
        if only in name:
            began = time.process_time()
            wrong = misread(root, name, count)
            total += len(wrong)
            seconds = time.process_time() - began
            print(f"{name}: {count:,} mutations, {len(wrong):,} misread, {seconds:.0f} s of CPU", flush=True)
            firsts = {}
            for number, problem, data in wrong:
                firsts.setdefault(problem.replace(str(root), "")[-160:], (number, problem, data))
            for number, problem, data in list(firsts.values())[:20]:
                print(f"  {number}: {problem}\n     {data[:200]!r}", flush=True)
    shutil.rmtree(root)
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), *sys.argv[2:]))
