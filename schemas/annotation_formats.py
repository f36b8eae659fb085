"""The formats of annotations that can be read; docs/sources.md describes them."""

from typing import Literal

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
    "one_hot_csv",
    "label_csv",
    "imagenet_txt",
    "folders",
    "label_studio",
]
