"""The settings of the label export flow, and a labelled image as an export names it."""

from typing import Any, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from imagerecords.schemas.label_studio_settings import LabelStudioSettings
from imagerecords.schemas.secrets import option_problems
from imagerecords.schemas.split_settings import Shards


class NamedBox(NamedTuple):
    """A box in relative coordinates, with the object's own name."""

    xmin: float
    ymin: float
    xmax: float
    ymax: float
    name: str | None


class LabelledPath(NamedTuple):
    """An image's path or URL as the export has it, its label, place and boxes, its task's number, and more labels."""

    path: str
    label: str
    place: str
    boxes: tuple[NamedBox, ...] = ()
    number: int = 0
    more: tuple[str, ...] = ()


class LabelExport(LabelStudioSettings):
    """The settings of the label export flow."""

    export_file: str = Field(
        description="Label Studio export (JSON, JSON-MIN, CSV or TSV), or a CSV with columns image and label."
    )
    images_directory: str | None = Field(
        None, description="The folder of the export's relative and uploaded images; default: the export's folder."
    )
    labelled_directory: str = Field(description="Where train/, validation/ and labels.txt are written.")
    output_directory: str = Field(description="Where the data set is written.")
    validation_fraction: float = Field(0.1, gt=0, lt=1, description="Fraction of the images that goes to validation, 0 to 1.")
    train_shards: Shards = Field("auto", description="Number of training shards, or auto.")
    validation_shards: Shards = Field("auto", description="Number of validation shards, or auto.")
    hand_over: Literal["event", "deployment"] = Field(
        "event", description="event: emit imagerecords.labels.exported; deployment: run `deployment` and wait for it."
    )
    deployment: str = Field(
        "build-image-dataset/on-demand", description="The deployment that builds, for hand_over=deployment."
    )
    storage_options: dict[str, Any] = Field(
        default_factory=dict, description="Options for remote file systems, without credentials."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if problems := list(option_problems(self.storage_options)):
            raise ValueError("; ".join(problems))
        return self
