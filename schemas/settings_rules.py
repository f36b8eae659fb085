"""Rules between settings that are each valid alone; all contradictions are reported together."""

import re
from collections.abc import Iterable

from PIL import ImageColor

from imagerecords.schemas.secrets import option_problems, url_problems
from imagerecords.schemas.setting_fields import SettingFields
from imagerecords.schemas.splits import EVERY_SPLIT, SPLITS

WHOLE_SOURCES = ("data_directory", "image_list", "label_studio", "annotations")  # inputs that the fractions may divide
# Settings of annotations alone, with their defaults.
OF_ANNOTATIONS = {"annotations_format": None, "labels_from": "auto", "images_directory": None, "unusable_annotations": "error"}
OF_EXPORTS_TOO = ("images_directory", "unusable_annotations")
LABEL_STUDIO_SETTINGS = {"label_studio_image": None, "label_studio_class": None, "annotators": "agree"}
EXPORT_ENDINGS = (".json", ".csv", ".tsv")
LIST_ENDINGS = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
UNLABELLED_TASKS = (
    "unlabelled_images keep must go with annotations or an image list, got a Label Studio export, where a task without an "
    "answer may be one that nobody looked at. Give such images a choice of their own"
)


def _ending(location: str) -> str:
    """How a file's name ends, without anything of its URL that may be secret."""
    ending = re.search(r"\.[A-Za-z0-9]{1,9}$", location.partition("?")[0])
    return ending[0] if ending else "another ending"


def contradictions(settings: SettingFields) -> list[str]:
    """All contradictions between these settings."""
    rules = (
        *(_source_problems, _annotation_problems, _executor_problems, _number_problems, _output_problems, _append_problems),
        *(_colour_problems, _secret_problems, _detection_problems, _label_problems),
    )
    return [problem for rule in rules for problem in rule(settings)]


def _source_problems(settings: SettingFields) -> Iterable[str]:
    splits = [name for name in SPLITS if getattr(settings, f"{name}_directory")]
    given = ["split directories"] * bool(splits) + [name for name in WHOLE_SOURCES if getattr(settings, name)]
    if len(given) != 1:
        count = "both " + " and ".join(given) if given else "neither"
        yield (
            "the input must be either train_directory (validation_directory, test_directory) or one of "
            f"{', '.join(WHOLE_SOURCES)}, got {count}. Pass one of them"
            + (", and the folder of the images that annotations name as images_directory" if settings.annotations else "")
        )
    if splits and (settings.validation_fraction or settings.test_fraction):
        yield (
            "validation_fraction and test_fraction must go with data_directory, got split directories. Drop them, or pass "
            "--data_directory in place of --train_directory"
        )
    possible = EVERY_SPLIT if settings.image_list else splits
    if settings.folds and splits:
        yield "folds must go with data_directory or a list, got split directories. Drop it"
    if settings.folds and settings.validation_fraction:
        yield (
            "folds must go without validation_fraction, since each fold is the validation of a training on the others, got "
            f"{settings.validation_fraction:g}. Drop one of them"
        )
    if strange := sorted({split for split, _ in settings.box_files() if split} - set(possible)):
        yield (
            f"bounding_boxes per split must go with the images of each, got {', '.join(strange)}, where there is "
            f"{', '.join(possible) or 'no split'}. Pass its directory, or the box files without splits"
        )
    if settings.listed_by and settings.recursive:
        yield f"recursive must go with directories, got {settings.listed_by}, which names each image. Drop it"
    if settings.image_list and not settings.image_list.lower().endswith(LIST_ENDINGS):
        kinds = f"{', '.join(LIST_ENDINGS[:-1])} or {LIST_ENDINGS[-1]}"
        yield f"image_list must be a {kinds} file, got {_ending(settings.image_list)}. Save it as one"
    if settings.label_studio and not settings.label_studio.lower().endswith(EXPORT_ENDINGS):
        yield "label_studio must be a .json, .csv or .tsv file, got another ending. Export as JSON, or pass --image_list"
    if settings.group_near_duplicates and splits:
        yield "group_near_duplicates must go with fractions, got split directories. Drop it"
    if settings.group_pattern is not None:
        if splits:
            yield "group_pattern must go with data_directory, got split directories. Drop it"
        yield from _pattern_problems(settings.group_pattern)


def _annotation_problems(settings: SettingFields) -> Iterable[str]:
    """Settings of annotations, and of Label Studio's, beside another input."""
    for name, default in OF_ANNOTATIONS.items():
        of_export = settings.label_studio and name in OF_EXPORTS_TOO
        of_list = settings.image_list and name == "images_directory"
        if getattr(settings, name) != default and not (settings.annotations or of_export or of_list):
            yield f"{name} must go with annotations, got it without them. Pass --annotations"
    for name, default in LABEL_STUDIO_SETTINGS.items():
        if (value := getattr(settings, name)) != default and not settings.annotations and not settings.label_studio:
            yield f"{name} must go with label_studio, got {value} without it. Pass --label_studio"


def _label_problems(settings: SettingFields) -> Iterable[str]:
    """Several labels per image where the input has one, or the records can't name them."""
    if settings.labels == "many":
        if settings.directories():
            yield "labels must be one with label folders, where an image has one, got many. Pass an image list or annotations"
        if settings.synsets_file:
            yield "labels must be one with synsets_file, got many. Drop one of them"
    if settings.unlabelled_images == "keep":
        if settings.labels == "one":
            yield (
                "unlabelled_images keep must go with labels many, got one: there image/class/label is one number in every "
                "record. Pass --labels many"
            )
        if settings.label_studio:
            yield UNLABELLED_TASKS


def _detection_problems(settings: SettingFields) -> Iterable[str]:
    """Settings of what detection's records say, with classic records, which have no keys for it."""
    if settings.features != "detection":
        if settings.object_labels == "own":
            yield (
                "object_labels own must go with features detection, got classic: there image/object/bbox/label is the id of "
                "a label. Pass --features detection"
            )
        if settings.crowd == "keep":
            yield "crowd keep must go with features detection, got classic, which has no key for it. Pass --features detection"
    if settings.object_labels_file and settings.object_labels != "own":
        yield f"object_labels_file must go with object_labels own, got {settings.object_labels}. Pass --object_labels own"


def _pattern_problems(pattern: str) -> Iterable[str]:
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        yield f"group_pattern must be a regular expression, got {pattern!r} ({error})"
    else:
        if groups != 1:
            yield f"group_pattern must have exactly one (group), got {groups}: {pattern!r}"


def _executor_problems(settings: SettingFields) -> Iterable[str]:
    sources = (
        settings.output_directory,
        *settings.directories().values(),
        *settings.lists(),
    )
    urls = [url for url in sources if url and url.startswith("memory:")]
    if urls and settings.executor != "threads":
        yield f"executor must be threads for memory:// URLs, which live in one process: {urls[0]}"
    if settings.scratch_directory and "://" not in settings.output_directory.removeprefix("file://"):
        yield (
            "scratch_directory must go with a remote output_directory, got a local one, whose shards grow below it: "
            f"{settings.output_directory}. Drop it"
        )
    if settings.dask_address and settings.executor != "dask":
        yield f"dask_address must go with executor dask, got {settings.executor}. Pass --executor dask"


def _number_problems(settings: SettingFields) -> Iterable[str]:
    if settings.validation_fraction + settings.test_fraction >= 1:
        total = settings.validation_fraction + settings.test_fraction
        yield f"validation_fraction + test_fraction must be below 1, got {total:g}. Their sum must leave training images"
    for split in SPLITS:
        shards = settings.shards_of(split)
        if shards != "auto" and shards % settings.layout_threads:
            yield (
                f"{split}_shards must be a multiple of layout_threads ({settings.layout_threads}), got {shards}. "
                "Change one of them"
            )


def _output_problems(settings: SettingFields) -> Iterable[str]:
    if not settings.output_directory.strip():
        yield f"output_directory must name a directory or URL, got {settings.output_directory!r}. Pass one"
    if settings.reuse_from and not settings.reuse:
        yield "reuse_from must go with reuse, got reuse=false. Drop one of them"


def _append_problems(settings: SettingFields) -> Iterable[str]:
    if settings.append and settings.overwrite:
        yield "append must go without overwrite, got both: one keeps the output's shards, the other removes them. Drop one"
    if settings.append_missing_labels != "error" and not settings.append:
        yield f"append_missing_labels must go with append, got {settings.append_missing_labels} without it. Pass --append"


def _colour_problems(settings: SettingFields) -> Iterable[str]:
    if settings.alpha_background == "drop":
        return
    try:
        colour = ImageColor.getrgb(settings.alpha_background)
    except ValueError:
        yield (
            f"alpha_background must be a colour (white, #c0ffee, rgb(1,2,3)) or drop, "
            f"got {settings.alpha_background!r}. Pass one"
        )
    else:
        if len(colour) != 3:
            yield f"alpha_background must be opaque, got {settings.alpha_background!r}. Use a colour without alpha"


def _secret_problems(settings: SettingFields) -> Iterable[str]:
    yield from option_problems(settings.storage_options)
    yield from url_problems({name: value for name, value in settings if isinstance(value, str)})
    for name, url in [
        *(("bounding_boxes", url) for _, url in settings.box_files()),
        *(("annotations", url) for url in settings.annotations),
        *(("reuse_from", url) for url in settings.reuse_from),
    ]:
        yield from url_problems({name: url})
