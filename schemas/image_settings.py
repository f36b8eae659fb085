"""The settings by which images are written."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Quality = Annotated[int, Field(ge=1, le=100)] | Literal["source"]


class ImageSettings(BaseModel):
    """How pixels are prepared."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

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
