"""The settings of a build, declared once: Prefect's form, the command's options, the file's and the environment's keys."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from imagerecords.schemas.boxes import Policy
from imagerecords.schemas.contradictions import contradictions
from imagerecords.schemas.splits import SPLITS, Split

Shards = Annotated[int, Field(ge=1, le=99_999)] | Literal["auto"]
Fraction = Annotated[float, Field(ge=0, lt=1)]

# What a shard's bytes and receipt depend on; a change of any of these makes its fingerprint another.
CONTENT_SETTINGS = (
    "check_pixels",
    "max_pixels",
    "max_bytes",
    "min_side",
    "max_aspect",
    "exif",
    "icc",
    "alpha_background",
    "animated",
    "resize_shorter_side",
    "jpeg_quality",
    "jpeg_subsampling",
)
# What else decides which image is where; told in the data card, so nothing that names a place on a machine.
LAYOUT_SETTINGS = (
    *("validation_fraction", "test_fraction", "group_pattern", "unlisted_labels", "recursive", "duplicates", "invalid_boxes"),
    *("train_shards", "validation_shards", "test_shards", "allow_empty_shards", "seed", "layout_threads"),
)

# Where Pillow calls an image a decompression bomb, and the last with which tf.io.decode_jpeg's 2^29 bytes suffice.
MOST_PIXELS = 178_956_970


class BuildSettings(BaseModel):
    """Everything a build is told."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    output_directory: str = Field(description="Where the data set is written: a directory or any fsspec URL (s3://…).")
    train_directory: str | None = Field(None, description="Directory or URL with one folder a label: training images.")
    validation_directory: str | None = Field(None, description="The same for the validation images.")
    test_directory: str | None = Field(None, description="The same for the test images.")
    data_directory: str | None = Field(
        None, description="One directory for all splits, instead of the three above; the fractions below divide it."
    )
    manifest: str | None = Field(
        None,
        description="Instead of directories: a .csv, .jsonl or .parquet file with the columns path and label, and if wanted "
        "split, group and boxes. Paths are relative to the file, absolute, or URLs.",
    )
    label_studio: str | None = Field(
        None, description="Instead of directories: a Label Studio JSON export; its choice is the label, its rectangles boxes."
    )
    validation_fraction: Fraction = Field(
        0.0, description="Share of an input without splits of its own that becomes validation, 0 to 1."
    )
    test_fraction: Fraction = Field(0.0, description="The same for test, 0 to 1.")
    group_pattern: str | None = Field(
        None,
        description="Regular expression with one group, searched in an image's path: images with the same text there "
        "stay in one split. By default each image is a group of its own.",
    )
    labels_file: str | None = Field(
        None, description="One label a line, line 1 has id 1. Without it: the folder names, sorted by code point."
    )
    synsets_file: str | None = Field(
        None,
        description="Lines of synset, tab, human text. Labels are then synsets: image/class/synset has the synset, "
        "image/class/text the text.",
    )
    bounding_boxes: str | None = Field(
        None,
        description="Boxes by base name: a .csv of file,xmin,ymin,xmax,ymax (relative, no header), a folder of Pascal VOC XML, "
        "or a COCO .json.",
    )
    invalid_boxes: Policy = Field(
        "clamp",
        description="Boxes outside the image, inverted, without area, or that can't be read. clamp: cut off or swapped, and "
        "dropped where nothing is left; drop: dropped; fail: an error.",
    )
    unlisted_labels: Literal["error", "ignore"] = Field(
        "error", description="What to do with a label folder, or a manifest's row, whose label the labels file does not name."
    )
    recursive: bool = Field(False, description="Take the files in sub-folders of a label folder too.")
    train_shards: Shards = Field("auto", description="Number of training shards; auto makes them about 128 MiB each.")
    validation_shards: Shards = Field("auto", description="Number of validation shards, or auto.")
    test_shards: Shards = Field("auto", description="Number of test shards, or auto.")
    allow_empty_shards: bool = Field(False, description="Write empty shards where there are more shards than images.")
    seed: int = Field(12345, description="Seed of the shuffle within each split.")
    layout_threads: int = Field(
        1,
        ge=1,
        description="Lay shards out as build_image_data.py does with this --num_threads; shards must divide by it. It "
        "changes which image is in which shard, not the speed.",
    )
    check_pixels: Literal["all", "none"] = Field(
        "all",
        description="all: every image's coefficients are decoded (at 1/8 scale); none: header, markers and end-of-image only.",
    )
    max_pixels: int = Field(
        MOST_PIXELS,
        ge=1,
        le=MOST_PIXELS,
        description="Images of more pixels are rejected unread, as decompression bombs. TensorFlow decodes no larger ones.",
    )
    max_bytes: int | None = Field(None, ge=1, description="Image files of more bytes are rejected unread.")
    min_side: int | None = Field(None, ge=1, description="Images whose shorter side has fewer pixels are rejected.")
    max_aspect: float | None = Field(
        None, ge=1, description="Images whose longer side is more than so many times the shorter are rejected."
    )
    exif: Literal["bake", "keep", "reject"] = Field(
        "bake",
        description="EXIF orientation. bake: pixels are turned upright (a JPEG is encoded anew); keep: they stay as stored; "
        "reject: images that are not upright are left out.",
    )
    icc: Literal["convert", "keep"] = Field(
        "convert",
        description="Colour profiles. convert: colours are converted to sRGB (a JPEG with another profile is encoded anew); "
        "keep: pixel values stay as they are.",
    )
    alpha_background: str = Field(
        "white",
        description="Colour on which transparency is laid (a name, #rrggbb, rgb(…)), or drop: alpha is ignored, as "
        "build_image_data.py does.",
    )
    animated: Literal["first", "reject"] = Field("first", description="Animated images: take the first frame, or reject.")
    resize_shorter_side: int | None = Field(
        None,
        ge=1,
        description="Images whose shorter side has more pixels are scaled down to it; smaller ones are left as they are.",
    )
    jpeg_quality: int = Field(100, ge=1, le=100, description="Quality of the images that are encoded anew.")
    jpeg_subsampling: Literal["4:4:4", "4:2:2", "4:2:0"] = Field(
        "4:2:0", description="Chroma subsampling of the images that are encoded anew."
    )
    tensorflow_check: Literal["none", "sample", "all"] = Field(
        "none", description="Read shards back with TensorFlow too: the first finished one of each split, or all."
    )
    max_rejected_fraction: float = Field(
        0.05, ge=0, le=1, description="The build fails when a larger share of a split's images is rejected, 0 to 1."
    )
    duplicates: Literal["report", "fail", "drop"] = Field(
        "report",
        description="Images of the same bytes: told; or the build fails; or all but one are left out (validation's and test's "
        "are kept before train's), which reads the images of equal size once more beforehand.",
    )
    leakage: Literal["report", "fail"] = Field(
        "report", description="Images of the same bytes in two splits: told, or the build fails."
    )
    report: bool = Field(True, description="Write report.html, the data card: counts, charts, sample pictures, problems.")
    overwrite: bool = Field(False, description="Remove another plan's shards from the output directory first.")
    append: bool = Field(
        False,
        description="Add the images that the output's data set does not have yet, in new shards; its records stay as they are. "
        "The shard settings then count new shards. An output without a data set is built as usual.",
    )
    append_missing_labels: Literal["error", "keep"] = Field(
        "error", description="With append, a label without images now: an error, or its id and records are kept."
    )
    executor: Literal["processes", "threads", "dask"] = Field(
        "processes",
        description="Where shards are converted: a pool of processes, threads (tiny builds, tests), or a Dask cluster "
        "(many machines; pip install 'imagerecords[dask]').",
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
        description="How many shards are converted at once; default: one a processor, or a thread of the Dask cluster.",
    )
    retries: int = Field(2, ge=0, le=20, description="How often a shard is tried again after a fault.")
    read_ahead: int = Field(16, ge=1, le=1024, description="Objects fetched ahead in a shard when the input is remote.")
    read_ahead_bytes: int = Field(
        64 << 20, ge=1, description="Bytes fetched ahead in a shard at most, or one object where that is larger."
    )
    s3_reader: Literal["obstore", "s3fs"] = Field(
        "obstore", description="What reads the images from S3; s3fs is slower, and the way round should obstore ever fail you."
    )
    scratch_directory: str | None = Field(
        None,
        description="Directory of the machine in which shards grow before they are uploaded to a remote output; default: its "
        "temporary directory. A local output needs none.",
    )
    lock_stale_seconds: float = Field(
        120.0, ge=1, description="A lock whose holder gave no sign of life for so long may be taken over, seconds."
    )
    storage_options: dict[str, Any] = Field(
        default_factory=dict,
        description="Options for remote file systems, e.g. {'endpoint_url': 'http://…'}. Credentials are refused here: "
        "they come from the environment, AWS profiles or Prefect blocks.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        problems = contradictions(self)
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def directories(self) -> dict[str, str]:
        """The input directories by split; `data` is its key where fractions divide it. Empty with a manifest."""
        if self.data_directory:
            return {"data": self.data_directory}
        return {split: url for split in SPLITS if (url := getattr(self, f"{split}_directory"))}

    @property
    def listed_by(self) -> Literal["manifest", "label_studio"] | None:
        """The setting that names a file listing the images; None where they lie in directories."""
        return "manifest" if self.manifest else "label_studio" if self.label_studio else None

    @property
    def is_on_s3(self) -> bool:
        """Whether input or output lie on S3."""
        places = [self.output_directory, *self.directories().values(), self.manifest, self.label_studio]
        return any(place.startswith(("s3://", "s3a://")) for place in places if place)

    def shards_of(self, split: Split) -> int | Literal["auto"]:
        """The number of shards asked for a split."""
        shards: int | Literal["auto"] = getattr(self, f"{split}_shards")
        return shards

    def content(self) -> dict[str, Any]:
        """The settings that change a shard's bytes or receipt, for its fingerprint."""
        return {name: getattr(self, name) for name in CONTENT_SETTINGS}

    def layout(self) -> dict[str, Any]:
        """The settings that decide which image is in which split, shard and place."""
        return {name: getattr(self, name) for name in LAYOUT_SETTINGS}
