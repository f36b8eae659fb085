"""The files by which TensorFlow Datasets opens a data set: two JSON files and the label names.

TFDS's own write_metadata refuses names without an extension, but its reader takes them (tried with tensorflow-datasets
4.9.10), so the JSON is written here.
"""

import json
from typing import Any

from imagerecords.schemas.about import About
from imagerecords.schemas.example import contract
from imagerecords.schemas.receipt import VerifiedShard

BACKGROUND = "background"  # id 0: classic labels count from 1
DESCRIPTION = "Labelled images as tf.train.Examples with the classic features of build_image_data.py."
TFDS_FEATURES = "tensorflow_datasets.core.features"


def class_labels_text(labels: tuple[str, ...]) -> bytes:
    """TFDS's file of label names: background, with id 0, and the labels."""
    return "\n".join((BACKGROUND, *labels)).encode()


def dataset_info_json(splits: dict[str, list[VerifiedShard]], about: About) -> bytes:
    """TFDS's dataset_info.json for shards by split, in their order."""
    return json_text(
        {
            **({"citation": about.citation} if about.citation else {}),
            "description": about.description or DESCRIPTION,
            "fileFormat": "tfrecord",
            "name": about.name,
            **({"redistributionInfo": {"license": about.license}} if about.license else {}),
            "splits": [
                {
                    "filepathTemplate": "{SPLIT}-{SHARD_X_OF_Y}",
                    "name": split,
                    "numBytes": str(sum(shard.bytes for shard in shards)),
                    "shardLengths": [str(shard.records) for shard in shards],
                }
                for split, shards in splits.items()
            ],
            "version": about.version,
        }
    )


def features_json(labels: tuple[str, ...], extras: tuple[str, ...], object_labels: tuple[str, ...] | None = None) -> bytes:
    """TFDS's features.json: the record's keys, `image/class/label`, as the nested dictionary that TFDS flattens to them.

    Classes of objects in a list of their own have names too, in image-object-class-label.labels.txt.
    """
    special = {
        "image/encoded": _leaf("image_feature.Image", image={"dtype": "uint8", "shape": {"dimensions": ["-1", "-1", "3"]}}),
        "image/class/label": _class_label(labels),
    }
    if object_labels is not None:
        special["image/object/class/label"] = _class_label(object_labels)
    kinds = {int: _scalar("int64"), float: _scalar("float32"), bytes: _leaf("text_feature.Text", text={})}
    tree: dict[str, Any] = {}
    for key, (kind, is_list, _) in contract(extras).items():
        *folders, name = key.split("/")
        node = tree
        for folder in folders:
            node = node.setdefault(folder, {})
        leaf = special.get(key) or kinds[kind]
        node[name] = _leaf("sequence_feature.Sequence", sequence={"feature": leaf, "length": "-1"}) if is_list else leaf
    return json_text(_features_dict(tree))


def _class_label(labels: tuple[str, ...]) -> dict[str, Any]:
    return _leaf("class_label_feature.ClassLabel", classLabel={"numClasses": str(len(labels) + 1)})


def _leaf(python_class: str, **content: Any) -> dict[str, Any]:
    return {"pythonClassName": f"{TFDS_FEATURES}.{python_class}", **content}


def _scalar(dtype: str) -> dict[str, Any]:
    return _leaf("scalar.Scalar", tensor={"dtype": dtype, "encoding": "none", "shape": {}})


def _features_dict(tree: dict[str, Any]) -> dict[str, Any]:
    features = {name: node if "pythonClassName" in node else _features_dict(node) for name, node in tree.items()}
    return _leaf("features_dict.FeaturesDict", featuresDict={"features": features})


def json_text(content: Any) -> bytes:
    """`content` as JSON that is the same each time: keys sorted, UTF-8."""
    return (json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()
