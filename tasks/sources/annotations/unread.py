"""What is in a folder that no reader knows: the formats that tools write all the same, by their files, and the nearest way."""

from collections import Counter
from collections.abc import Callable, Iterable, Set
from typing import Any

from imagerecords.schemas.messages import plural
from imagerecords.tasks.sources import folder_names
from imagerecords.tasks.sources.annotations.model import Source
from imagerecords.tasks.sources.annotations.paths import folder_of
from imagerecords.tasks.sources.file_names import ending_of

# Folders that tools make for all images or their masks, in lower case; none of them is anybody's label.
OF_ALL_IMAGES = {
    *folder_names.OF_ALL_IMAGES,
    *("img1", "image_2", "image_3", "image_02", "image_03", "thumbnails"),
    *("masks", "segmentationclass", "segmentationobject", "segmentation", "groundtruth", "ground_truth", "gt", "gtfine"),
    *("annotations", "annotation", "labels", "labeltxt", "labelids", "instances", "semantic", "instance", "panoptic"),
    *("obj_train_data", "obj_val_data", "obj_valid_data", "obj_test_data", "leftimg8bit", "bounding_box_train"),
    *("bounding_box_val", "bounding_box_test", "vis_train", "vis_val"),
}
OF_MASKS = {"segmentationclass", "segmentationobject", "gtfine", "masks", "trimaps", "trimap", "groundtruth"}
MASKS = OF_MASKS | {"mask"}  # which may be a label, as of faces
BY_DATUMARO = "Convert it with datumaro[cli]: datum convert -if {} -i FOLDER -f coco -o OUT -- --save-media"
NO_CLASS = "Its objects have no class: write a .jsonl of path, label and boxes for --image_list"
BY_DATASETS = "Write its images as files, and a metadata.csv of file_name and label beside them"
EXPORT_AGAIN = "Export it as COCO or Pascal VOC where the tool can, or write a .jsonl of path, label and boxes for --image_list"
LAYOUTS: tuple[tuple[Callable[[Set[str], Set[str]], bool], str, str], ...] = (
    (
        lambda names, folders: "gt.txt" in names and "img1" in folders,
        "tracks of a video (MOT)",
        BY_DATUMARO.format("mot_seq"),
    ),
    (lambda names, folders: "wider_face_split" in folders, "WIDER FACE", NO_CLASS),
    (
        lambda names, folders: any(name.startswith("gt_") and name.endswith(".txt") for name in names),
        "ICDAR's texts in images",
        NO_CLASS,
    ),
    (
        lambda names, folders: not folders.isdisjoint(OF_MASKS),
        "masks in image files",
        "Masks give neither labels nor boxes: export those from the tool",
    ),
    (lambda names, folders: "batches.meta" in names, "CIFAR's pickles", BY_DATUMARO.format("cifar")),
    (lambda names, folders: any("-idx3-ubyte" in name for name in names), "MNIST's arrays", BY_DATUMARO.format("mnist")),
    (lambda names, folders: {"state.json", "dataset_info.json"} <= names, "Hugging Face's save_to_disk", BY_DATASETS),
    (
        lambda names, folders: any(name.endswith(".datum") for name in names),
        "Datumaro's binary format",
        BY_DATUMARO.format("datumaro_binary"),
    ),
)
BY_ENDING: dict[str, tuple[str, str]] = {
    ".parquet": ("Parquet files", f"{BY_DATASETS}; a Parquet file of path and label goes to --image_list"),
    ".arrow": (
        "Arrow files",
        f"{BY_DATASETS}; one of datumaro[cli]'s: datum convert -if arrow -i FOLDER -f coco -o OUT -- --save-media",
    ),
    ".tar": ("tar files, as WebDataset has them", "Unpack them, or write their images as files with an image list beside them"),
    ".tfrecord": (
        "TFRecord files",
        "They need no build: imagerecords audit checks them, imagerecords extract writes their images",
    ),
    ".npz": ("arrays of NumPy", BY_DATASETS),
    ".npy": ("arrays of NumPy", BY_DATASETS),
    ".xlsx": ("a spreadsheet", "Save it as CSV"),
    ".ods": ("a spreadsheet", "Save it as CSV"),
    ".mat": ("MATLAB's files", "Write a CSV of path and label for --image_list"),
    ".h5": ("HDF5 files", BY_DATASETS),
    ".hdf5": ("HDF5 files", BY_DATASETS),
    ".pkl": ("pickled Python objects", BY_DATASETS),
    ".gz": (
        "compressed files",
        "Unpack them, or write their images as files with an image list beside them",
    ),
    ".zip": ("zip files", "Unpack them"),
}


def of_all_images(source: Source) -> str | None:
    """The first folder with images that has a name which tools give to the folder of all images."""
    folders = {folder_of(path).rpartition("/")[2] for path in source.pictures}
    return next((name for name in sorted(folders) if name.lower() in OF_ALL_IMAGES), None)


def unread_layout(source: Source) -> str | None:
    """The format that a folder is laid out as, where no reader knows it, and what to do, as a sentence."""
    paths = source.own
    names = {path.rpartition("/")[2].lower() for path in paths}
    folders = {part.lower() for path in paths for part in folder_of(path).split("/")}
    return next((_sentence(what, way) for is_it, what, way in LAYOUTS if is_it(names, folders)), None)


def unread_files(source: Source) -> str | None:
    """The format of files that hold a data set by themselves, and what to do, as a sentence."""
    endings = Counter(".tfrecord" if ".tfrecord" in path.lower() else ending_of(path) for path in source.own)
    found = next((ending for ending in BY_ENDING if endings[ending]), None)
    if found is None:
        return None
    what, way = BY_ENDING[found]
    return _sentence(f"{what} ({plural(endings[found], 'file')})", way)


def _sentence(what: str, way: str) -> str:
    return f"This looks like {what}, which no reader here knows. {way}"


def unread_json(content: Any) -> str | None:
    """The format of JSON that no reader knows, and what to do, as a sentence."""
    tests: Iterable[tuple[Callable[[Any], bool], str, str]] = (
        (lambda item: "data_row" in item, "Labelbox's export of a model run", "Export the project's labels"),
        (
            lambda item: isinstance(item.get("objects"), dict),
            "FiftyOne's ImageLabels",
            "Export it as a FiftyOneImageDetectionDataset",
        ),
        (lambda item: "image_id" in item and "score" in item, "COCO's results, the output of a model", "Pass the annotations"),
        (lambda item: "originalImageUri" in item, "Azure Custom Vision's list of images", EXPORT_AGAIN),
        (
            lambda item: "image" in item and "annotations" in item,
            "Segment Anything's masks",
            NO_CLASS,
        ),
    )
    item = content[0] if isinstance(content, list) and content else content
    if not isinstance(item, dict):
        return None
    return next((_sentence(what, way) for test, what, way in tests if test(item)), None)
