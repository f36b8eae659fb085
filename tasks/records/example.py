"""Examples read back by Google's protobuf runtime, independent of the encoder that writes them.

The Example's descriptor is in a pool of its own, so it does not clash with TensorFlow's in the same process.
"""

import functools
from typing import Any


def parse_example(data: bytes) -> dict[str, list[Any]]:
    """The features of a serialised Example by key: bytes, float or int values. Raises ValueError when `data` is no Example."""
    message = example_class()()
    try:
        message.ParseFromString(data)
    except Exception as error:  # DecodeError, whose import path differs between protobuf's implementations
        raise ValueError(f"not a tf.train.Example: {error}") from error
    features = {}
    for key, feature in message.features.feature.items():
        kind = feature.WhichOneof("kind")
        features[key] = list(getattr(feature, kind).value) if kind else []
    return features


@functools.cache
def example_class() -> Any:
    """The class of tf.train.Example, made of a descriptor in a pool of its own."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="example.proto", package="tensorflow", syntax="proto3")
    for name, kind in (("BytesList", field.TYPE_BYTES), ("FloatList", field.TYPE_FLOAT), ("Int64List", field.TYPE_INT64)):
        file.message_type.add(name=name).field.add(name="value", number=1, type=kind, label=field.LABEL_REPEATED)
    feature = file.message_type.add(name="Feature")
    feature.oneof_decl.add(name="kind")
    for number, name in enumerate(("BytesList", "FloatList", "Int64List"), start=1):
        feature.field.add(
            name=f"{name.removesuffix('List').lower()}_list",
            number=number,
            type=field.TYPE_MESSAGE,
            type_name=f".tensorflow.{name}",
            oneof_index=0,
            label=field.LABEL_OPTIONAL,
        )
    features = file.message_type.add(name="Features")
    entry = features.nested_type.add(name="FeatureEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL)
    message = {"type": field.TYPE_MESSAGE, "type_name": ".tensorflow.Feature"}
    entry.field.add(name="value", number=2, label=field.LABEL_OPTIONAL, **message)
    entries = {"type": field.TYPE_MESSAGE, "type_name": ".tensorflow.Features.FeatureEntry"}
    features.field.add(name="feature", number=1, label=field.LABEL_REPEATED, **entries)
    whole = {"type": field.TYPE_MESSAGE, "type_name": ".tensorflow.Features"}
    file.message_type.add(name="Example").field.add(name="features", number=1, label=field.LABEL_OPTIONAL, **whole)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("tensorflow.Example"))
