"""The fields of the settings, in the groups in which the command's help and docs/settings.md show them."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from imagerecords.schemas.annotation_settings import AnnotationSettings
from imagerecords.schemas.check_settings import CheckSettings
from imagerecords.schemas.image_settings import ImageSettings
from imagerecords.schemas.label_studio_settings import LabelStudioSettings
from imagerecords.schemas.name_settings import NameSettings
from imagerecords.schemas.split_settings import SplitSettings
from imagerecords.schemas.storage_options import typed_options

# Files that cameras, browsers and labelling tools put into folders of images.
COMPANIONS = (
    *("*.xml", "*.json", "*.jsonl", "*.txt", "*.csv", "*.tsv", "*.yaml", "*.yml", "*.names", "*.pbtxt", "*.cache"),
    *("*.aae", "*.xmp", "*.thm", "*.mov", "*.mp4", "*.md", "*.html", "*:Zone.Identifier"),
)


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class InputSettings(_Group):
    """Where the images and their labels are."""

    train_directory: str | None = Field(None, description="Training images: a directory or URL with one folder per label.")
    validation_directory: str | None = Field(None, description="Validation images, laid out the same way.")
    test_directory: str | None = Field(None, description="Test images, laid out the same way.")
    data_directory: str | None = Field(
        None,
        description="One directory for all splits, instead of the three above; validation_fraction and test_fraction divide "
        "it.",
    )
    image_list: str | None = Field(
        None,
        description="Instead of directories: a .csv, .tsv, .jsonl, .ndjson or .parquet file with the columns path and label, "
        "and optionally split, group and boxes. Paths are relative to the file, absolute, or URLs.",
    )
    label_studio: str | None = Field(
        None,
        description="Instead of directories: a Label Studio export (JSON, JSON-MIN, CSV or TSV); choices become labels, "
        "regions become boxes.",
    )
    labels_file: str | None = Field(
        None,
        description="One label per line, line 1 has id 1, or a label_map.pbtxt. Without it: the names, sorted by code point.",
    )
    synsets_file: str | None = Field(
        None,
        description="Lines of synset, tab, human text. Labels are then synsets: image/class/synset has the synset, "
        "image/class/text the text.",
    )
    labels: Literal["one", "many"] = Field(
        "one",
        description="How many labels an image may have. one: several are an error; many: image/class/label and text are lists, "
        "in the order of ids (image lists, Label Studio exports and annotations).",
    )
    unlabelled_images: Literal["skip", "keep"] = Field(
        "skip",
        description="Images of annotations without any label. skip: not written, counted; keep (with labels=many): written "
        "with empty lists, since detection trains on images without objects; rows of image lists may then lack a label.",
    )
    bounding_boxes: str | tuple[str, ...] | dict[str, str] | None = Field(
        None,
        description="Boxes by base name: a .csv, a COCO .json, a CVAT .xml, or a folder of Pascal VOC .xml or YOLO .txt files; "
        "one, several, or one per split (bounding_boxes.train, …).",
    )
    ignore: tuple[str, ...] = Field(
        COMPANIONS,
        description="Files in label folders that are no images, by patterns of their names: companions of pictures are skipped "
        "and counted by their ending.",
    )
    exclude_labels: tuple[str, ...] = Field((), description="Labels to exclude, of folders or of image lists, e.g. _unlabeled.")
    exclude: str | None = Field(
        None,
        description="File of images to leave out, one per line: their paths as in the manifest, with or without the split.",
    )
    allowed_sources: tuple[str, ...] = Field(
        (),
        description="Other hosts that a list of images may name, as beginnings of URLs (https://images.example.org/). Object "
        "stores (s3://, gs://, az://) are always allowed.",
    )
    recursive: bool = Field(False, description="Read the files in sub-folders of a label folder too.")


class OutputSettings(_Group):
    """Where the data set is written, and what happens to an existing one."""

    output_directory: str = Field(description="Where the data set is written: a directory or any fsspec URL (s3://…).")
    overwrite: bool = Field(False, description="Remove another plan's shards from the output directory first.")
    append: bool = Field(
        False,
        description="Add the images that the output's data set does not have yet, in new shards; existing records stay as "
        "they are. The shard settings then count new shards. An output without a data set is built as usual.",
    )
    append_missing_labels: Literal["error", "keep"] = Field(
        "error",
        description="With append, a label that no longer has images in the input. error: fail the build; keep: keep its id and "
        "records.",
    )
    reuse: bool = Field(
        True,
        description="Decode no image again whose bytes an earlier build with the same image settings and decoders has decoded: "
        "that of the data set which overwrite replaces, and those of reuse_from. Shards and manifest are the same either way.",
    )
    reuse_from: tuple[str, ...] = Field((), description="Other data sets of imagerecords to reuse: directories or URLs.")
    report: bool = Field(True, description="Write report.html, the data card: counts, charts, sample pictures, problems.")


class ExecutionSettings(_Group):
    """Where and how shards are converted."""

    executor: Literal["processes", "threads", "dask"] = Field(
        "processes",
        description="Where shards are converted: a pool of processes, threads (tiny builds, tests), or a Dask cluster (many "
        "machines; pip install 'imagerecords[dask]').",
    )
    dask_address: str | None = Field(
        None,
        description="Scheduler of the Dask cluster, e.g. tcp://scheduler:8786; scheduler and workers need the same "
        "imagerecords. Without it: a cluster on this machine.",
    )
    workers: int | None = Field(
        None,
        ge=1,
        le=1024,
        description="How many shards are converted at once; default: one per processor, or per thread of the Dask cluster.",
    )
    retries: int = Field(2, ge=0, le=20, description="How often a failed shard is tried again.")
    prefect_granularity: Literal["auto", "shard", "group", "step"] = Field(
        "auto",
        description="Task runs of Prefect for converting and for verifying. shard: one per shard; group: at most 100 of each; "
        "step: one of each; auto: shard for up to 500 shards, else group.",
    )


class StorageSettings(_Group):
    """How file systems are reached."""

    storage_options: Annotated[dict[str, Any], BeforeValidator(typed_options)] = Field(
        default_factory=dict,
        description="Options for remote file systems, e.g. {'endpoint_url': 'http://…'}. Credentials are refused here: they "
        "come from the environment or AWS profiles.",
    )
    s3_reader: Literal["obstore", "s3fs"] = Field(
        "obstore",
        description="Library that reads the images from S3; use s3fs (slower) if obstore does not work with your server.",
    )
    read_ahead: int = Field(16, ge=1, le=1024, description="Objects fetched ahead per shard when the input is remote.")
    read_ahead_bytes: int = Field(
        64 << 20, ge=1, description="Bytes fetched ahead per shard at most, or one object where that is larger."
    )
    scratch_directory: str | None = Field(
        None,
        description="Local directory where shards are staged before upload to a remote output; default: the temporary "
        "directory. A local output needs none.",
    )
    lock_stale_seconds: float = Field(
        120.0, ge=1, description="Seconds without a heartbeat after which another build may take the output's lock."
    )


GROUPS: dict[str, type[BaseModel]] = {
    "Input": InputSettings,
    "Annotations": AnnotationSettings,
    "Label Studio": LabelStudioSettings,
    "Splits and shards": SplitSettings,
    "Images": ImageSettings,
    "Checks and policies": CheckSettings,
    "Output": OutputSettings,
    "Name": NameSettings,
    "Execution": ExecutionSettings,
    "Storage": StorageSettings,
}
