"""Which format annotations are of: by the first bytes, keys and columns of files, and by the layout of folders.

Formats stand in the order in which they are preferred where one export holds another's files too (`HOLDS`); where two that have
nothing to do with each other are in a folder, annotations_format must say which one is meant.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from imagerecords.schemas.messages import some
from imagerecords.tasks.sources.annotations.bdd import read_bdd
from imagerecords.tasks.sources.annotations.cloud import read_cloud_manifest
from imagerecords.tasks.sources.annotations.coco import read_coco
from imagerecords.tasks.sources.annotations.createml import read_createml
from imagerecords.tasks.sources.annotations.cub import read_cub
from imagerecords.tasks.sources.annotations.cvat import read_cvat
from imagerecords.tasks.sources.annotations.darwin import read_darwin
from imagerecords.tasks.sources.annotations.datumaro import read_datumaro
from imagerecords.tasks.sources.annotations.dlib import read_dlib
from imagerecords.tasks.sources.annotations.dota import dota_files, read_dota
from imagerecords.tasks.sources.annotations.fiftyone import read_fiftyone
from imagerecords.tasks.sources.annotations.folders import (
    are_label_folders,
    are_splits,
    files_beside,
    has_label_folders,
    labels_in_names,
    lone_folders,
    read_folders,
    read_imagenet_txt,
)
from imagerecords.tasks.sources.annotations.headless import read_automl, read_make_sense, read_yolo_keras
from imagerecords.tasks.sources.annotations.huggingface import read_huggingface
from imagerecords.tasks.sources.annotations.image_lists import read_image_lists
from imagerecords.tasks.sources.annotations.kitti import kitti_files, read_kitti
from imagerecords.tasks.sources.annotations.label_json import VAGUE, pop_vague, read_label_json
from imagerecords.tasks.sources.annotations.label_tables import has_images, read_label_table, read_one_hot
from imagerecords.tasks.sources.annotations.labelbox import read_labelbox
from imagerecords.tasks.sources.annotations.labelme import read_labelme
from imagerecords.tasks.sources.annotations.model import AnnotatedImage, Source
from imagerecords.tasks.sources.annotations.mot import read_mot
from imagerecords.tasks.sources.annotations.open_images import is_description, read_open_images
from imagerecords.tasks.sources.annotations.oxford_pets import read_oxford_pets
from imagerecords.tasks.sources.annotations.paths import folder_of, join, split_of_path
from imagerecords.tasks.sources.annotations.scale import read_scale
from imagerecords.tasks.sources.annotations.seen import HOLDING, known_json, problem_of, what_is_there
from imagerecords.tasks.sources.annotations.sniff import SNIFFERS, sniff
from imagerecords.tasks.sources.annotations.superannotate import read_superannotate
from imagerecords.tasks.sources.annotations.supervisely import read_supervisely
from imagerecords.tasks.sources.annotations.tables import read_detection_table, read_ilsvrc
from imagerecords.tasks.sources.annotations.text_lists import is_list, lists_below
from imagerecords.tasks.sources.annotations.tiny_imagenet import read_tiny_imagenet
from imagerecords.tasks.sources.annotations.ultralytics import read_ultralytics
from imagerecords.tasks.sources.annotations.unread import BY_ENDING, of_all_images, unread_files, unread_layout
from imagerecords.tasks.sources.annotations.via import read_via
from imagerecords.tasks.sources.annotations.via3 import read_via3
from imagerecords.tasks.sources.annotations.voc import read_voc
from imagerecords.tasks.sources.annotations.vott import read_vott
from imagerecords.tasks.sources.annotations.yolo import best_names, names_beside, read_yolo
from imagerecords.tasks.sources.annotations.yolo_labels import looks_like_labels
from imagerecords.tasks.sources.file_names import ending_of

MOST_BARE = 3  # folders with files without an ending that are looked into: they are images, often, since keys of S3 need none
SAMPLE = 8  # files of one folder that are looked into; the others of their ending are of the same format


class Format(NamedTuple):
    """A format: its name for people, its reader, and whether its boxes are of the image as displayed."""

    title: str
    read: Callable[[Source], Iterator[AnnotatedImage]] | None
    displayed: bool = False


LABEL_FOLDERS, LISTS = "folders", "image_lists"
FORMATS: dict[str, Format] = {
    "yolo": Format("YOLO", read_yolo),
    "coco": Format("COCO", read_coco),
    "cvat": Format("CVAT for images", read_cvat, displayed=True),
    "datumaro": Format("Datumaro", read_datumaro),
    "labelme": Format("labelme", read_labelme, displayed=True),
    "fiftyone": Format("FiftyOne", read_fiftyone),
    "createml": Format("Create ML", read_createml),
    "supervisely": Format("Supervisely", read_supervisely),
    "superannotate": Format("SuperAnnotate", read_superannotate),
    "labelbox": Format("Labelbox", read_labelbox),
    "scale": Format("Scale", read_scale),
    "via": Format("VGG Image Annotator", read_via),
    "via3": Format("VGG Image Annotator 3", read_via3),
    "vott": Format("VoTT", read_vott),
    "darwin": Format("V7 Darwin", read_darwin),
    "bdd": Format("BDD100K", read_bdd),
    "dlib": Format("dlib's XML", read_dlib),
    "kitti": Format("KITTI", read_kitti),
    "dota": Format("DOTA", read_dota),
    "mot": Format("MOTChallenge", read_mot),
    "cloud": Format("JSON Lines of a cloud's labelling service", read_cloud_manifest),
    "ultralytics": Format("Ultralytics' NDJSON", read_ultralytics),
    "automl_csv": Format("AutoML's CSV", read_automl),
    "make_sense": Format("Make Sense's CSV", read_make_sense),
    "yolo_keras": Format("YOLO's text file for Keras", read_yolo_keras),
    "label_studio": Format("Label Studio", None),
    "huggingface": Format("Hugging Face imagefolder", read_huggingface),
    "ilsvrc": Format("ILSVRC's solution table", read_ilsvrc),
    "open_images": Format("Open Images", read_open_images),
    "detection_csv": Format("detection CSV", read_detection_table),
    "one_hot_csv": Format("one-hot CSV", read_one_hot),
    "label_csv": Format("CSV of labels", read_label_table),
    "label_json": Format("JSON of labels", read_label_json),
    "imagenet_txt": Format("imagenet_txt", read_imagenet_txt),
    "oxford_pets": Format("Oxford-IIIT Pets", read_oxford_pets),
    "cub": Format("CUB-200's tables", read_cub),
    "tiny_imagenet": Format("Tiny ImageNet's tables", read_tiny_imagenet),
    "voc": Format("Pascal VOC", read_voc),
    LISTS: Format("lists of images", read_image_lists),
    LABEL_FOLDERS: Format("label folders", read_folders),
}
DESCRIBES: dict[str, Callable[[str], bool]] = {  # files beside the annotations that say what their classes are
    "open_images": is_description,
    "fiftyone": lambda path: path.rpartition("/")[2] == "metadata.json",
    "supervisely": lambda path: path.rpartition("/")[2] in ("meta.json", "obj_class_to_machine_color.json"),
    "superannotate": lambda path: path.rpartition("/")[2] == "classes.json",
}
OF_TEXTS = {  # whose files are texts too
    *("yolo", "kitti", "dota", "cub", "tiny_imagenet", "oxford_pets", "imagenet_txt", "yolo_keras", "mot"),
}
HOLDS = {"oxford_pets": {"voc"}, "ilsvrc": {"voc"}, "yolo": {LABEL_FOLDERS}, "huggingface": {LABEL_FOLDERS}}


@dataclass
class Recognised:
    """The format of a source, and the files that hold its annotations.

    `found` are all formats that were seen, `unknown` the files that could hold annotations and are of none.
    """

    name: str
    chosen: tuple[str, ...]
    found: dict[str, list[str]]
    unknown: tuple[str, ...] = ()


def recognise(source: Source, target: str, wanted: str | None) -> Recognised:
    """The format of a file, or of what lies below a folder; raises ValueError that says what was seen.

    `target` is relative to the source's folder, `wanted` the format that annotations_format forces.
    """
    if target in source.files:
        return _of_file(source, target, wanted)
    found, unknown = _survey(source, target, wanted)
    in_label_folders = not target and has_label_folders(source)
    lists, others = lists_below(source, target, in_label_folders=in_label_folders) if OF_TEXTS.isdisjoint(found) else ([], [])
    if wanted == LISTS:
        lists, others = lists + others, []
    if lists and (wanted == LISTS or (not found and not unread_layout(source))):
        found[LISTS] = lists
    if "voc" in found and target:  # the lists beside a folder of XML say which image is of which split
        main = join(folder_of(target), "ImageSets/Main")
        found["voc"] += [path for path in source.files if folder_of(path) == main and path not in found["voc"]]
    if len(tables := found.get("label_csv", [])) > 1:  # one of numbers and names says nothing of images
        found["label_csv"] = [path for path in tables if has_images(source, path)] or tables
        unknown += [path for path in tables if path not in found["label_csv"]]
    names = [wanted] if wanted else [name for name in FORMATS if name in found]
    names = [name for name in names if not any(name in HOLDS.get(other, ()) for other in names)]
    if len(names) > 1:
        seen = some([f"{name} ({some(found[name], 1)})" for name in names])
        raise ValueError(
            f"annotations of a folder must be of one format, got {seen}. Pass --annotations_format, or one of the files"
        )
    if names:
        unknown = [path for path in unknown if not (names[0] in DESCRIBES and DESCRIBES[names[0]](path))]
        if names[0] == "oxford_pets":  # whose reader reads its XML
            found.pop("voc", None)
        unknown += [path for path in (*lists, *others) if path not in found.get(names[0], ())]
        return Recognised(names[0], tuple(found.get(names[0], ())), found, tuple(unknown))
    return _of_folders(source, target, found, unknown)


def _of_folders(source: Source, target: str, found: dict[str, list[str]], unknown: list[str]) -> Recognised:
    """Label folders, where no file is of a known format; raises ValueError where they are none, saying what was seen."""
    of_all, layout = of_all_images(source), unread_layout(source)
    are_labels = are_label_folders(source) and not target and not unknown and not layout
    if are_labels and not of_all and not lone_folders(source):
        return Recognised(LABEL_FOLDERS, (), found)
    way = known_json(source, unknown) or layout or unread_files(source)
    if are_labels and (lone := lone_folders(source)):
        remedy = way or "Write a CSV of path and label for --image_list"
        raise ValueError(
            f"label folders must be several, got {lone}. {remedy}, or pass --annotations_format folders to take the names of "
            "folders for labels all the same"
        )
    if are_labels:
        others = files_beside(source)
        by_hand = f"Beside it lies {some(others)}, of no known format. Write a CSV of path and label for --image_list, or pass"
        remedy = way or f"{by_hand if others else 'Pass'} --annotations_format folders to take it for a label all the same"
        raise ValueError(
            f"label folders must be named for labels, got {of_all!r}, as tools name the folder of all images. {remedy}"
        )
    ways = [way] if way else []
    if not way and any(ending_of(path) in (".csv", ".tsv") for path in unknown):
        ways.append(
            "A table must have columns such as filename and label, and boxes as xmin, ymin, xmax, ymax. Rename its columns: "
            "that of the classes to label"
        )
    if not way and are_label_folders(source) and not of_all and not are_splits(source):
        ways.append("Pass --annotations_format folders to take the images' folders for labels")
    if not way and (words := labels_in_names(source)):
        ways.append(f"Names of files may say labels ({some(words)}): write them into a CSV of path and label for --image_list")
    known = ", ".join(FORMATS)
    more = "".join(f". {way}" for way in ways)
    raise ValueError(f"annotations must be of a known format ({known}), got {what_is_there(source, target)}{more}")


def _of_file(source: Source, target: str, wanted: str | None) -> Recognised:
    name = wanted or sniff(source, target) or (LISTS if is_list(source, target, by_ending=True) else None)
    if name is None:
        head = source.folder.read_range(target, 0, 60).decode("utf-8", "replace")
        way = BY_ENDING.get(ending_of(target))
        if head.startswith(("PK", "\x1f")) and not way:
            raise ValueError("annotations must be files, got an archive. Unpack it")
        why = f"{way[0]}. {way[1]}" if way else problem_of(source, target) or f"a file that begins with {head!r}"
        raise ValueError(f"annotations must be of a known format ({', '.join(FORMATS)}), got {why}")
    chosen = [target]
    if name == "voc" and ending_of(target) == ".txt":  # a list of ImageSets/Main goes with the XML beside it
        top = folder_of(folder_of(folder_of(target)))
        chosen += [path for path in source.files if ending_of(path) == ".xml" and path.startswith(join(top, "Annotations"))]
    if name == "open_images":  # boxes, labels and images of a split stand in files side by side
        split = split_of_path(target)
        chosen += [
            path
            for path in source.files
            if path != target and folder_of(path) == folder_of(target) and split_of_path(path) == split
        ]
        chosen = [path for path in chosen if ending_of(path) == ".csv" and sniff(source, path) == "open_images"]
    return Recognised(name, tuple(chosen), {name: chosen})


def _survey(source: Source, target: str, wanted: str | None) -> tuple[dict[str, list[str]], list[str]]:
    """The files below a folder by the format of their content, and those that could hold annotations and are of none.

    What gives each image some text (JSON, a table that does not name its columns) counts only where nothing else does, or if
    it is `wanted`: beside an export it says which camera took an image, or its checksum.
    """
    start = f"{target}/" if target else ""
    paths = [path for path in source.own if path.startswith(start)]
    groups: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for path in paths:
        if ending_of(path) in SNIFFERS:
            groups[folder_of(path), ending_of(path)].append(path)
    found: defaultdict[str, list[str]] = defaultdict(list)
    unknown: list[str] = []
    bare = 0
    for (_, ending), group in groups.items():
        if not ending and bare == MOST_BARE:
            continue
        known = {path: sniff(source, path) for path in group[:SAMPLE]}
        if not ending and None in known.values():
            bare += 1
            continue
        kinds = set(known.values())
        one = len(kinds) == 1 and None not in kinds
        known |= {path: next(iter(kinds)) if one else sniff(source, path) for path in group[SAMPLE:]}
        kinds = set(known.values()) - {None}
        for path in group:
            broken = known[path] is None and len(kinds) == 1 and ending in (".json", ".xml") and problem_of(source, path)
            if kind := next(iter(kinds)) if broken else known[path]:  # the broken one is of the kind of those beside it
                found[kind].append(path)
            elif ending in HOLDING:
                unknown.append(path)
    vague = pop_vague(source, found) if wanted not in VAGUE else {}
    if not found and (texts := dota_files(paths)):
        found["dota"] = texts
    elif not found and (texts := kitti_files(source, paths)):
        found["kitti"] = texts
    if "yolo" in found or not vague or names_beside(source.files):
        _add_yolo(source, found, paths)
    if not found:
        return vague, unknown
    return dict(found), [*unknown, *(path for group in vague.values() for path in group)]


def _add_yolo(source: Source, found: defaultdict[str, list[str]], paths: list[str]) -> None:
    """Choose the file of YOLO that says most; label files may go with nothing but a list of names."""
    yolo = found.pop("yolo", [])
    names_alone = all(ending_of(path) == ".names" for path in yolo)
    if yolo and not (found and names_alone and not looks_like_labels(source, paths)):
        found["yolo"] = best_names(yolo)
    elif not found and not unread_layout(source) and looks_like_labels(source, paths):
        if not (names := names_beside(source.files)):
            raise ValueError(
                "YOLO's label files (.txt) must have the names of their classes, got none. Add data.yaml or classes.txt"
            )
        found["yolo"] = names
