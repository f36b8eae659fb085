"""Which format one file is of: by its first bytes, its keys or its columns."""

import csv
import re
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from imagerecords.schemas.json_text import parse_json
from imagerecords.tasks.sources.annotations.bdd import is_bdd
from imagerecords.tasks.sources.annotations.cloud import is_cloud_manifest
from imagerecords.tasks.sources.annotations.coco import is_coco
from imagerecords.tasks.sources.annotations.createml import is_createml
from imagerecords.tasks.sources.annotations.cub import is_cub
from imagerecords.tasks.sources.annotations.darwin import is_darwin
from imagerecords.tasks.sources.annotations.datumaro import is_datumaro
from imagerecords.tasks.sources.annotations.fiftyone import is_fiftyone
from imagerecords.tasks.sources.annotations.folders import SYNSETS
from imagerecords.tasks.sources.annotations.headless import KERAS, is_automl_row, is_make_sense_row
from imagerecords.tasks.sources.annotations.huggingface import FILE_COLUMNS, NAMES
from imagerecords.tasks.sources.annotations.label_json import is_label_line, is_label_map
from imagerecords.tasks.sources.annotations.label_tables import columns_in, is_one_hot
from imagerecords.tasks.sources.annotations.labelbox import is_labelbox
from imagerecords.tasks.sources.annotations.labelme import is_labelme
from imagerecords.tasks.sources.annotations.model import HEAD, Source
from imagerecords.tasks.sources.annotations.mot import is_mot
from imagerecords.tasks.sources.annotations.open_images import is_open_images
from imagerecords.tasks.sources.annotations.oxford_pets import is_oxford_pets
from imagerecords.tasks.sources.annotations.paths import folder_of, join
from imagerecords.tasks.sources.annotations.scale import is_scale
from imagerecords.tasks.sources.annotations.superannotate import is_older_name, is_superannotate
from imagerecords.tasks.sources.annotations.supervisely import is_supervisely
from imagerecords.tasks.sources.annotations.tables import (
    columns_of,
    is_detection_table,
    is_ilsvrc_solution,
    is_retinanet_row,
)
from imagerecords.tasks.sources.annotations.tiny_imagenet import is_tiny_imagenet
from imagerecords.tasks.sources.annotations.ultralytics import is_ultralytics
from imagerecords.tasks.sources.annotations.via import COLUMNS as VIA_COLUMNS
from imagerecords.tasks.sources.annotations.via import is_via
from imagerecords.tasks.sources.annotations.via3 import is_via3
from imagerecords.tasks.sources.annotations.vott import is_vott
from imagerecords.tasks.sources.annotations.yolo import is_data_yaml
from imagerecords.tasks.sources.file_names import ending_of

ROOT = re.compile(r"<([A-Za-z_][\w.-]*)[\s/>]")
LABEL_STUDIO = "label_studio"


def sniff(source: Source, path: str) -> str | None:
    """The format of one file; None where it is none."""
    name = path.rpartition("/")[2].lower()
    try:
        return SNIFFERS[ending_of(path)](source, path, name) if ending_of(path) in SNIFFERS else None
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError, csv.Error, pa.ArrowException):
        return None  # broken, or of a kind that nobody here knows


def _sniff_xml(source: Source, path: str, name: str) -> str | None:
    match = ROOT.search(source.head(path))
    return {"annotations": "cvat", "annotation": "voc", "dataset": "dlib"}.get(match[1]) if match else None


def _sniff_json(source: Source, path: str, name: str) -> str | None:
    content = source.json(path)
    tests: dict[str, Callable[[Any], bool]] = {
        "labelme": is_labelme,
        "datumaro": is_datumaro,
        "coco": is_coco,
        "fiftyone": is_fiftyone,
        LABEL_STUDIO: is_label_studio,  # whose JSON-MIN has keys of Create ML's
        "createml": is_createml,
        "supervisely": is_supervisely,
        "via": is_via,
        "vott": is_vott,
        "darwin": is_darwin,
        "bdd": is_bdd,
        "labelbox": is_labelbox,
        "superannotate": is_superannotate,
        "scale": is_scale,
        "via3": is_via3,
    }
    known = next((kind for kind, test in tests.items() if test(content)), None)
    older = "superannotate" if is_older_name(name) else None
    return known or older or ("label_json" if is_label_map(source, content) else None)


def is_label_studio(content: Any) -> bool:
    """Whether JSON is a list of Label Studio's tasks, whole or as JSON-MIN."""
    if not isinstance(content, list) or not content or not all(isinstance(task, dict) for task in content[:5]):
        return False
    whole = all("data" in task and ("annotations" in task or "completions" in task) for task in content[:5])
    return whole or all("id" in task and ("annotation_id" in task or "annotator" in task) for task in content[:5])


def _sniff_csv(source: Source, path: str, name: str) -> str | None:
    if "submission" in name:  # Kaggle's example of an answer, whose labels are invented
        return None
    head = source.head(path)
    columns = columns_of(head)
    first, second = (next(csv.reader(lines), []) for lines in (head.splitlines()[:1], head.splitlines()[1:2]))
    tests = {
        "huggingface": name in NAMES,
        "via": set(columns) >= VIA_COLUMNS,
        "automl_csv": is_automl_row(first),
        "make_sense": is_make_sense_row(first),
        "ilsvrc": is_ilsvrc_solution(columns),
        "detection_csv": is_detection_table(columns) or is_retinanet_row(first),
        "open_images": is_open_images(columns),
        LABEL_STUDIO: {"annotation_id", "id"} <= set(columns),
        "one_hot_csv": is_one_hot(source, columns, second, name),
    }
    return next((kind for kind, is_it in tests.items() if is_it), "label_csv" if columns_in(source, head) else None)


def _sniff_lines(source: Source, path: str, name: str) -> str | None:
    if name in NAMES:
        return "huggingface"
    head = source.head(path)
    whole = "\n" in head or len(head.encode()) < HEAD
    content = parse_json((head if whole else source.text(path)).partition("\n")[0])
    tests: dict[str, Callable[[Any], bool]] = {
        "cloud": is_cloud_manifest,
        "ultralytics": is_ultralytics,
        "labelbox": is_labelbox,
        "scale": is_scale,
        "huggingface": lambda line: isinstance(line, dict) and any(key in line for key in FILE_COLUMNS),
        "label_json": lambda line: is_label_line(source, line),
    }
    return next((kind for kind, test in tests.items() if test(content)), None)


def _sniff_text(source: Source, path: str, name: str) -> str | None:
    tests: dict[str, Callable[[], bool]] = {
        "oxford_pets": lambda: is_oxford_pets(source, path),
        "cub": lambda: is_cub(source, path),
        "tiny_imagenet": lambda: is_tiny_imagenet(source, path),
        "voc": lambda: "/imagesets/main/" in f"/{path.lower()}",
        "imagenet_txt": lambda: name != SYNSETS and join(folder_of(path), SYNSETS) in source.files_set,
        "yolo_keras": lambda: name == KERAS,
        "mot": lambda: is_mot(source, path),
    }
    return next((kind for kind, test in tests.items() if test()), None)


SNIFFERS: dict[str, Callable[[Source, str, str], str | None]] = {
    ".xml": _sniff_xml,
    "": _sniff_xml,  # as Stanford Dogs has it
    ".json": _sniff_json,
    ".csv": _sniff_csv,
    ".tsv": _sniff_csv,
    ".jsonl": _sniff_lines,
    ".ndjson": _sniff_lines,
    ".manifest": _sniff_lines,
    ".parquet": lambda source, path, name: "huggingface" if name in NAMES else None,
    ".txt": _sniff_text,
    ".yaml": lambda source, path, name: "yolo" if is_data_yaml(source.text(path)) else None,
    ".yml": lambda source, path, name: "yolo" if is_data_yaml(source.text(path)) else None,
    ".data": lambda source, path, name: "yolo" if "names" in source.text(path) else None,
    ".names": lambda source, path, name: "yolo",
}
