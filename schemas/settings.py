"""The settings of a build, declared once for Prefect's form, the command's options, files and environment variables."""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import model_validator

from imagerecords.schemas.check_settings import MOST_IMAGE_MEMORY
from imagerecords.schemas.former_names import with_present_names
from imagerecords.schemas.setting_fields import SettingFields
from imagerecords.schemas.settings_rules import contradictions

# The settings that a shard's bytes and receipt depend on; a change of any of them changes its fingerprint.
CONTENT_SETTINGS = (
    "check_pixels",
    "max_pixels",
    "max_image_memory",
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
    "partial_blocks",
    "metadata",
    "features",
    "labels",
)
# What a data set of version 0.1.0 was built with, by the names of today: its plans lack five settings, and what was the
# default of the other two is no longer a value by default. Fingerprints leave these out, so that its shards need not be built
# again.
CONTENT_OF_0_1_0 = {
    "partial_blocks": "re-encode",
    "metadata": "keep",
    "features": "classic",
    "labels": "one",
    "max_image_memory": MOST_IMAGE_MEMORY,
}
DEFAULTS_OF_0_1_0 = {"jpeg_quality": 100, "jpeg_subsampling": "4:2:0"}
# What else decides which image is where; shown in the data card, so nothing that names a place on a machine.
LAYOUT_SETTINGS = (
    *("validation_fraction", "test_fraction", "folds", "split_method", "group_pattern", "group_near_duplicates"),
    *(
        "unlisted_labels",
        "recursive",
        "duplicates",
        "ignore",
        "exclude_labels",
        "unlabelled_images",
        "invalid_boxes",
        "boxes_orientation",
        "object_labels",
        "crowd",
    ),
    *("annotators", "label_studio_class", "label_studio_image"),
    *("annotations_format", "labels_from", "unusable_annotations"),
    *("train_shards", "validation_shards", "test_shards", "allow_empty_shards", "seed", "layout_threads"),
)
# The ten settings that matter to everyone; the README shows them.
MAIN_SETTINGS = (
    *("train_directory", "validation_directory", "data_directory", "validation_fraction", "labels_file"),
    *("output_directory", "train_shards", "max_rejected_fraction", "duplicates", "workers"),
)


class BuildSettings(SettingFields):
    """All settings of a build."""

    @model_validator(mode="before")
    @classmethod
    def _rename(cls, values: Any) -> Any:
        return with_present_names(values) if isinstance(values, dict) else values

    @model_validator(mode="after")
    def _check(self) -> Self:
        problems = contradictions(self)
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def content(self) -> dict[str, Any]:
        """The settings that change a shard's bytes or receipt."""
        return {name: getattr(self, name) for name in CONTENT_SETTINGS}

    def fingerprint_content(self) -> list[tuple[str, Any]]:
        """The same for a shard's fingerprint: with the defaults, those that version 0.1.0 had with its own."""
        pairs: list[tuple[str, Any]] = []
        for name, value in sorted(self.content().items()):
            if name in DEFAULTS_OF_0_1_0:
                before = DEFAULTS_OF_0_1_0[name]
                pairs.append((name, before if value == "source" else value if value != before else (value, "always")))
            elif name not in CONTENT_OF_0_1_0 or value != CONTENT_OF_0_1_0[name]:
                pairs.append((name, value))
        return pairs

    def layout(self) -> dict[str, Any]:
        """The settings that decide which image is in which split, shard and place, as JSON values."""
        values = {name: getattr(self, name) for name in LAYOUT_SETTINGS}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def planned_content(planned: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """A plan's content settings as they are named now, to compare with these: the defaults of 0.1.0 equal today's."""
    content = CONTENT_OF_0_1_0 | dict(planned)
    if not CONTENT_OF_0_1_0.keys() & planned.keys():
        for name, before in DEFAULTS_OF_0_1_0.items():
            if content.get(name) == before and now.get(name) == "source":
                content[name] = "source"
    return content
