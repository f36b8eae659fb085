"""The settings of Label Studio's exports, a group of their own."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Annotators = Literal["agree", "majority", "latest", "ground_truth"]


class LabelStudioSettings(BaseModel):
    """How a Label Studio export is read, where it can be read in several ways."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    label_studio_image: str | None = Field(
        None,
        description="The column of a Label Studio export with the images; default: the one whose values are image files.",
    )
    label_studio_class: str | None = Field(
        None,
        description="The control of a Label Studio export whose answer is the image's label; default: its only choice. A "
        "control of regions is possible too: then the class of an image's objects is its label.",
    )
    annotators: Annotators = Field(
        "agree",
        description="Which annotation of a Label Studio task counts when it has several. agree: all must give one answer, else "
        "it is an error; majority: the answer of most; latest: the last changed; ground_truth: the one marked so, and where "
        "none is, all must agree. Boxes are those of the annotation that counts.",
    )
