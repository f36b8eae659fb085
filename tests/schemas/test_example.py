"""The Example as this project encodes it, held against TensorFlow's own."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagerecords.schemas.boxes import Boxes
from imagerecords.schemas.example import BOXES, CLASSIC, SYNSETS, LabelledImage, contract, encode_example, varint

INT64 = st.integers(-(2**63), 2**63 - 1)
FLOATS = st.lists(st.floats(width=32, allow_nan=False), max_size=40).map(lambda values: np.array(values, np.float32))
INTS = st.lists(INT64, max_size=40).map(lambda values: np.array(values, np.int64))
TEXTS = st.lists(st.binary(max_size=300), max_size=40).map(tuple)
VALUES = st.binary(max_size=300) | INT64 | FLOATS | INTS | TEXTS
FEATURES = st.dictionaries(st.text(max_size=40), VALUES, min_size=1, max_size=12)

IMAGE = LabelledImage(b"\xff\xd8jpeg\xff\xd9", 16, 24, "größe.jpg", 3, "gänse blümchen")
# Golden: a changed encoder must become a new ENCODER_VERSION, since every fingerprint depends on it.
GOLDEN = (
    "0a85020a170a0e696d6167652f6368616e6e656c7312051a030a01030a1a0a11696d6167652f636c6173732f6c6162656c12051a030a0103"
    "0a280a10696d6167652f636c6173732f7465787412140a120a1067c3a46e736520626cc3bc6d6368656e0a1b0a10696d6167652f636f6c6f"
    "72737061636512070a050a035247420a1d0a0d696d6167652f656e636f646564120c0a0a0a08ffd86a706567ffd90a210a0e696d6167652f"
    "66696c656e616d65120f0a0d0a0b6772c3b6c39f652e6a70670a180a0c696d6167652f666f726d617412080a060a044a5045470a150a0c69"
    "6d6167652f68656967687412051a030a01100a140a0b696d6167652f776964746812051a030a0118"
)
# Protobuf puts a key behind the longer ones that it begins; with a last character of their own, no key begins another.
ENDED = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40).map(lambda key: key + "\0")


def by_tensorflow(tf, features):
    """The same features as TensorFlow's Example."""

    def feature(value):
        if isinstance(value, bytes):
            return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        if isinstance(value, tuple):
            return tf.train.Feature(bytes_list=tf.train.BytesList(value=value))
        if isinstance(value, np.ndarray) and value.dtype == np.float32:
            return tf.train.Feature(float_list=tf.train.FloatList(value=value))
        values = value if isinstance(value, np.ndarray) else [value]
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))

    return tf.train.Example(features=tf.train.Features(feature={key: feature(value) for key, value in features.items()}))


def test_tensorflow_reads_back_whatever_was_encoded(tf):
    @given(FEATURES)
    def check(features):
        assert tf.train.Example.FromString(encode_example(features)) == by_tensorflow(tf, features)

    check()


def test_the_bytes_are_those_of_protobufs_deterministic_serialisation(tf):
    """Both sort keys; by code point here, by UTF-8 byte there, which is the same order."""

    @given(st.dictionaries(ENDED, VALUES, min_size=1, max_size=12))
    def check(features):
        assert encode_example(features) == by_tensorflow(tf, features).SerializeToString(deterministic=True)

    check()


def test_values_of_every_length_of_length_read_back(tf):
    """Lengths take one varint byte below 128, two below 16,384, and so on."""
    for size in (0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152):
        features = {"k" * 200: bytes(size), "n": -1}
        assert encode_example(features) == by_tensorflow(tf, features).SerializeToString(deterministic=True)


def test_the_order_of_the_features_given_does_not_matter():
    features = IMAGE.features()
    assert encode_example(dict(reversed(features.items()))) == encode_example(features)


def test_an_image_has_the_features_of_the_contract_in_their_types():
    features = IMAGE.features()
    assert {key: type(value) for key, value in features.items()} == {key: kind for key, (kind, *_) in CLASSIC.items()}
    assert contract(()) == CLASSIC


TWO = Boxes(np.array([[0.1, 0.2, 0.3, 0.4], [0, 0, 1, 1]], np.float32), np.array([3, 7]))
NONE = Boxes.planned([])


@pytest.mark.parametrize("boxes", [TWO, NONE])
def test_boxes_and_synset_are_the_features_that_the_contract_promises_for_them(boxes):
    features = replace(IMAGE, boxes=boxes, synset="n02113023").features()
    promised = contract((BOXES, SYNSETS))
    assert list(promised) == sorted(features)
    kinds = {np.dtype(np.float32): float, np.dtype(np.int64): int}
    lists = {key: kinds[value.dtype] for key, value in features.items() if isinstance(value, np.ndarray)}
    assert lists == {key: kind for key, (kind, is_list, _) in promised.items() if is_list}


@pytest.mark.parametrize("boxes", [TWO, NONE])
def test_boxes_are_parsed_by_the_classic_pipeline_as_rows_of_ymin_xmin_ymax_xmax(tf, boxes):
    """image_processing.parse_example_proto of the classic scripts, written again; an empty list is not missing."""
    data = encode_example(replace(IMAGE, boxes=boxes, synset="n02113023").features())
    keys = [f"image/object/bbox/{name}" for name in ("ymin", "xmin", "ymax", "xmax")]
    spec = {key: tf.io.VarLenFeature(tf.float32) for key in keys}
    spec["image/object/bbox/label"] = tf.io.VarLenFeature(tf.int64)
    spec["image/class/synset"] = tf.io.FixedLenFeature([], tf.string)
    parsed = tf.io.parse_single_example(data, spec)
    rows = tf.transpose(tf.concat([tf.expand_dims(parsed[key].values, 0) for key in keys], 0)).numpy()
    assert rows.shape == (len(boxes.labels), 4)
    assert (rows == boxes.corners[:, [1, 0, 3, 2]]).all()
    assert parsed["image/object/bbox/label"].values.numpy().tolist() == boxes.labels.tolist()
    assert parsed["image/class/synset"].numpy() == b"n02113023"
    example = tf.train.Example.FromString(data)
    assert example.SerializeToString(deterministic=True) == data
    assert example.features.feature[keys[0]].WhichOneof("kind") == "float_list"


def test_an_image_parses_with_the_classic_spec(tf):
    parsed = tf.io.parse_single_example(
        encode_example(IMAGE.features()),
        {
            "image/encoded": tf.io.FixedLenFeature([], tf.string, default_value=""),
            "image/class/label": tf.io.FixedLenFeature([1], tf.int64, default_value=-1),
            "image/class/text": tf.io.FixedLenFeature([], tf.string, default_value=""),
        },
    )
    assert parsed["image/encoded"].numpy() == IMAGE.encoded
    assert parsed["image/class/label"].numpy().tolist() == [3]
    assert parsed["image/class/text"].numpy().decode() == "gänse blümchen"


def test_the_golden_bytes_have_not_changed():
    assert encode_example(IMAGE.features()).hex() == GOLDEN


@given(INT64)
def test_a_varint_decodes_to_its_number(value):
    decoded = sum((byte & 0x7F) << (7 * place) for place, byte in enumerate(varint(value)))
    assert decoded == value % 2**64
    assert [byte >> 7 for byte in varint(value)] == [1] * (len(varint(value)) - 1) + [0]
