"""The fields of the settings, in the groups in which the command's help and docs/settings.md show them."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from imagerecords.schemas.annotation_settings import AnnotationSettings
from imagerecords.schemas.boxes import ObjectLabels, Orientation, Policy
from imagerecords.schemas.label_studio_settings import LabelStudioSettings
from imagerecords.schemas.name_settings import NameSettings
from imagerecords.schemas.split_settings import SplitSettings
from imagerecords.schemas.storage_options import typed_options

Quality = Annotated[int, Field(ge=1, le=100)] | Literal["source"]

# Files that cameras, browsers and labelling tools put into folders of images.
COMPANIONS = (
    *("*.xml", "*.json", "*.jsonl", "*.txt", "*.csv", "*.tsv", "*.yaml", "*.yml", "*.names", "*.pbtxt", "*.cache"),
    *("*.aae", "*.xmp", "*.thm", "*.mov", "*.mp4", "*.md", "*.html", "*:Zone.Identifier"),
)

# Where Pillow, which reads records in Python, calls an image a decompression bomb; tf.io.decode_jpeg reads larger ones too.
MOST_PIXELS = 178_956_970


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
        description="Instead of directories: a .csv, .jsonl or .parquet file with the columns path and label, and optionally "
        "split, group and boxes. Paths are relative to the file, absolute, or URLs.",
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


class ImageSettings(_Group):
    """How pixels are prepared."""

    exif: Literal["bake", "keep", "reject"] = Field(
        "bake",
        description="EXIF orientation. bake: rotate the pixels (JPEGs without loss); keep: leave them as stored; reject: leave "
        "out images that are not upright.",
    )
    partial_blocks: Literal["re-encode", "trim"] = Field(
        "re-encode",
        description="JPEGs that exif=bake can't rotate without loss, since a side is no multiple of 8 or 16 pixels. "
        "re-encode: decode, rotate and encode them, which keeps every row; trim: cut off the up to 15 rows or columns beyond.",
    )
    icc: Literal["convert", "keep"] = Field(
        "convert",
        description="Colour profiles. convert: convert colours to sRGB (re-encodes JPEGs that have another profile); keep: "
        "leave pixel values as they are.",
    )
    alpha_background: str = Field(
        "white",
        description="Background colour for transparent images (a name, #rrggbb, rgb(…)), or drop: ignore alpha, as "
        "build_image_data.py does.",
    )
    animated: Literal["first", "reject"] = Field("first", description="Animated images: take the first frame, or reject.")
    features: Literal["classic", "detection"] = Field(
        "classic",
        description="What records have. classic: the features of build_image_data.py, and boxes where the input has them; "
        "detection: also those that the Object Detection API and Model Garden parse, with label_map.pbtxt.",
    )
    resize_shorter_side: int | None = Field(
        None, ge=1, description="Scale images down to this many pixels on the shorter side; smaller ones stay as they are."
    )
    jpeg_quality: Quality = Field(
        "source",
        description="Quality of re-encoded images, 1 to 100. source: JPEGs keep their own quantisation tables, other formats "
        "get 100.",
    )
    jpeg_subsampling: Literal["source", "4:4:4", "4:2:2", "4:2:0"] = Field(
        "source", description="Chroma subsampling of re-encoded images. source: JPEGs keep their own, other formats get 4:2:0."
    )
    metadata: Literal["keep", "strip"] = Field(
        "keep",
        description="Metadata of JPEGs that are not re-encoded: EXIF with positions and serial numbers, XMP, comments, "
        "thumbnails, pictures behind the end. keep: leave it; strip: leave it out. Re-encoded images have none.",
    )


class CheckSettings(_Group):
    """Checks, and what is rejected or fails the build."""

    check_pixels: Literal["all", "none"] = Field(
        "all",
        description="Search for damage. all: decode every image's coefficients (at 1/8 scale); none: check the header, markers "
        "and end-of-image only.",
    )
    max_pixels: int = Field(
        MOST_PIXELS,
        ge=1,
        le=MOST_PIXELS,
        description="Reject images with more pixels, without decoding them: they may be decompression bombs.",
    )
    max_bytes: int | None = Field(
        None, ge=1, description="Reject image files with more bytes, without reading them; 2 GB are the most."
    )
    min_side: int | None = Field(None, ge=1, description="Reject images whose shorter side has fewer pixels.")
    max_aspect: float | None = Field(
        None, ge=1, description="Reject images whose longer side is more than this many times as long as the shorter."
    )
    fatal_images: Literal["fail", "reject"] = Field(
        "fail",
        description="Images at which a worker process dies at each of 1 + retries tries (out of memory, a crash in a decoder). "
        "fail: fail the build and name the image; reject: reject up to ten of them, with the executor processes.",
    )
    max_rejected_fraction: float = Field(
        0.05, ge=0, le=1, description="The build fails when more than this fraction of a split's images is rejected, 0 to 1."
    )
    duplicates: Literal["report", "fail", "drop"] = Field(
        "report",
        description="Byte-identical images. report: count them; fail: fail the build; drop: keep one of each (validation's "
        "and test's before train's), which reads the images of equal size once more beforehand.",
    )
    leakage: Literal["report", "fail"] = Field(
        "report", description="Byte-identical images in two splits. report: count them; fail: fail the build."
    )
    invalid_boxes: Policy = Field(
        "clamp",
        description="Boxes outside the image, inverted, without area, that can't be read, or of no image. clamp: cut off or "
        "swap, and drop where nothing is left; drop: drop them; fail: fail the build.",
    )
    boxes_orientation: Orientation = Field(
        "auto",
        description="Whether boxes of images with an EXIF rotation are of the image as stored or as displayed, where the size "
        "in the box file does not decide. auto: as for the file's other images, an error where none decides.",
    )
    object_labels: ObjectLabels = Field(
        "image",
        description="Classes of boxes. image: the label that an object's own name is, else its image's label; drop: exclude "
        "objects whose name is no label; own: a list of their own, object_labels.txt (with features=detection).",
    )
    object_labels_file: str | None = Field(
        None,
        description="With object_labels=own: one class per line, line 1 has id 1, or a label_map.pbtxt. Without it: the "
        "objects' names, sorted by code point.",
    )
    crowd: Literal["drop", "keep"] = Field(
        "drop",
        description="Crowd regions (COCO's iscrowd, Open Images' IsGroupOf). drop: exclude and count them; keep: write them "
        "with image/object/is_crowd 1 (with features=detection).",
    )
    unlisted_labels: Literal["error", "ignore"] = Field(
        "error", description="What to do with a label folder, or a row of an image list, whose label is not in the labels file."
    )
    tensorflow_check: Literal["none", "sample", "all"] = Field(
        "none", description="Read shards back with TensorFlow too: the first finished one of each split, or all."
    )


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
