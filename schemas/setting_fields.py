"""All fields of the settings, and what follows from them; the rules between them, in settings_rules.py, read them here."""

from typing import Any, Literal

from imagerecords.schemas.annotation_settings import AnnotationSettings
from imagerecords.schemas.check_settings import CheckSettings
from imagerecords.schemas.image_settings import ImageSettings
from imagerecords.schemas.label_studio_settings import LabelStudioSettings
from imagerecords.schemas.name_settings import NameSettings
from imagerecords.schemas.setting_groups import GROUPS, ExecutionSettings, InputSettings, OutputSettings, StorageSettings
from imagerecords.schemas.split_settings import SplitSettings
from imagerecords.schemas.splits import FOLDS, SPLITS, Split

S3_SCHEMES = ("s3://", "s3a://")


# pydantic takes the fields of the last base first.
class SettingFields(
    StorageSettings,
    ExecutionSettings,
    NameSettings,
    OutputSettings,
    CheckSettings,
    ImageSettings,
    SplitSettings,
    AnnotationSettings,
    LabelStudioSettings,
    InputSettings,
):
    """The settings of a build, each valid alone."""

    @classmethod
    def groups(cls) -> dict[str, list[str]]:
        """The names of the settings by the title of their group."""
        return {title: list(group.model_fields) for title, group in GROUPS.items()}

    def asked_shares(self) -> dict[str, float]:
        """The share of the images that each split should have, of those that fractions ask for."""
        return {"validation": self.validation_fraction, "test": self.test_fraction}

    def directories(self) -> dict[str, str]:
        """The input directories by split; the key is `data` where fractions divide it. Empty with an image list."""
        if self.data_directory:
            return {"data": self.data_directory}
        return {split: url for split in SPLITS if (url := getattr(self, f"{split}_directory"))}

    @property
    def listed_by(self) -> Literal["image_list", "label_studio", "annotations"] | None:
        """The setting that names files listing the images; None where they lie in directories."""
        if self.annotations:
            return "annotations"
        return "image_list" if self.image_list else "label_studio" if self.label_studio else None

    def lists(self) -> list[str]:
        """The files, and folders of annotations, that list the images; empty where they lie in directories."""
        return [*self.annotations, *(url for url in (self.image_list, self.label_studio) if url)]

    def box_files(self) -> list[tuple[str | None, str]]:
        """The files and folders with boxes, each with the split of its images, None for any split."""
        given = self.bounding_boxes
        if isinstance(given, dict):
            return list(given.items())
        return [(None, url) for url in ((given,) if isinstance(given, str) else given or ())]

    @property
    def is_on_s3(self) -> bool:
        """Whether input or output lie on S3."""
        places = [self.output_directory, *self.directories().values(), *self.lists(), *self.reuse_from]
        return any(place.startswith(S3_SCHEMES) for place in places)

    def shards_of(self, split: Split) -> int | Literal["auto"]:
        """The setting for the number of a split's shards."""
        shards: int | Literal["auto"] = getattr(self, shards_setting(split))
        return shards

    def about(self) -> dict[str, Any]:
        """What the settings say of the data set's name, license and version; without what is not given."""
        return {name: value for name in NameSettings.model_fields if (value := getattr(self, name)) is not None}


def shards_setting(split: Split) -> str:
    """The name of the setting for the number of a split's shards."""
    return f"{'train' if split in FOLDS else split}_shards"
