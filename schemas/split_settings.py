"""The settings by which images are divided into splits and shards."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Shards = Annotated[int, Field(ge=1, le=99_999)] | Literal["auto"]
Fraction = Annotated[float, Field(ge=0, lt=1)]


class SplitSettings(BaseModel):
    """How images are divided into splits and shards."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    validation_fraction: Fraction = Field(
        0.0, description="Fraction of the images that goes to validation, when the input has no splits of its own, 0 to 1."
    )
    test_fraction: Fraction = Field(0.0, description="Fraction of the images that goes to test, in the same way, 0 to 1.")
    folds: Literal[0] | Annotated[int, Field(ge=2, le=10)] = Field(
        0,
        description="Instead of train: this many splits of one size, fold_0, fold_1, …, for cross-validation, 2 to 10. What "
        "test_fraction asks for is held out of them.",
    )
    split_method: Literal["stratified", "hash"] = Field(
        "stratified",
        description="How the fractions divide images. stratified: each label has its share of each split, to within one image; "
        "hash: each image by its path alone, so that a new build with more images moves none, and shares vary by chance.",
    )
    group_near_duplicates: bool = Field(
        False,
        description="Keep images that look alike in one split; each image is read and decoded once more beforehand.",
    )
    group_pattern: str | None = Field(
        None,
        description="Regular expression with one group, searched in an image's path: images with the same text there stay in "
        "one split. By default each image is its own group.",
    )
    train_shards: Shards = Field(
        "auto",
        description="Number of training shards, with folds of each fold; auto: of 128 MiB, or up to 16 of at least 8 MiB.",
    )
    validation_shards: Shards = Field("auto", description="Number of validation shards, or auto.")
    test_shards: Shards = Field("auto", description="Number of test shards, or auto.")
    allow_empty_shards: bool = Field(False, description="Write empty shards where there are more shards than images.")
    seed: int = Field(12345, description="Seed of the shuffle within each split.")
    layout_threads: int = Field(
        1,
        ge=1,
        description="Lay shards out as build_image_data.py does with this --num_threads; the shard counts must be multiples "
        "of it. It changes which image is in which shard, not the speed.",
    )
