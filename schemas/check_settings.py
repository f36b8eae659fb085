"""The settings by which images, labels and boxes are checked, and what is rejected."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from imagerecords.schemas.boxes import ObjectLabels, Orientation, Policy

# Where Pillow, which reads records in Python, calls an image a decompression bomb; tf.io.decode_jpeg reads larger ones too.
MOST_PIXELS = 178_956_970
MOST_IMAGE_MEMORY, LEAST_IMAGE_MEMORY = 1_200_000_000, 150_000_000


class CheckSettings(BaseModel):
    """Checks, and what is rejected or fails the build."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

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
    max_image_memory: int = Field(
        MOST_IMAGE_MEMORY,
        ge=LEAST_IMAGE_MEMORY,
        description="Reject images for which a worker would take more bytes of memory, its own 120 MB included. Estimated from "
        "the header, before decoding: docs/production.md has the bytes per pixel of each kind.",
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
