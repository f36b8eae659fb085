"""The settings of annotations, a group of their own, and the formats that can be read; docs/sources.md describes them."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

AnnotationsFormat = Literal[
    "coco",
    "cvat",
    "voc",
    "yolo",
    "labelme",
    "datumaro",
    "fiftyone",
    "huggingface",
    "open_images",
    "detection_csv",
    "ilsvrc",
    "createml",
    "supervisely",
    "superannotate",
    "labelbox",
    "scale",
    "via",
    "via3",
    "vott",
    "darwin",
    "bdd",
    "dlib",
    "kitti",
    "dota",
    "mot",
    "cloud",
    "ultralytics",
    "automl_csv",
    "make_sense",
    "yolo_keras",
    "one_hot_csv",
    "label_csv",
    "label_json",
    "imagenet_txt",
    "oxford_pets",
    "cub",
    "tiny_imagenet",
    "image_lists",
    "folders",
    "label_studio",
]


def _listed(value: Any) -> Any:
    """One text as a list of one, as Python and YAML may have it."""
    return (value,) if isinstance(value, str) else () if value is None else value


class AnnotationSettings(BaseModel):
    """Exports of labelling tools as input: labels, boxes and splits from them."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    annotations: Annotated[tuple[str, ...], BeforeValidator(_listed)] = Field(
        (),
        description="Instead of directories: files or folders that a labelling tool exported (COCO, CVAT, YOLO, labelme, "
        "Pascal VOC, …; docs/sources.md), with labels, boxes and splits. The format is recognised by content.",
    )
    annotations_format: AnnotationsFormat | None = Field(
        None, description="The format of annotations, where the content does not say it alone."
    )
    labels_from: Literal["auto", "images", "objects"] = Field(
        "auto",
        description="Labels of annotations. images: tags, flags, lists or folders of whole images; objects: the class of an "
        "image's objects, where they are of one; auto: whichever there is.",
    )
    images_directory: str | None = Field(
        None,
        description="Where the images that annotations name are looked for too, when they lie elsewhere; for an image list, "
        "the folder that its paths are relative to, instead of the list's own.",
    )
    unusable_annotations: Literal["error", "skip"] = Field(
        "error",
        description="Images of annotations that are missing or have several labels, and entries that can't be read. error: "
        "fail before work starts; skip: leave them out, counted and named.",
    )
