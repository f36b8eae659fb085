"""Files of records made for the audit's tests, sound or damaged."""

from imagerecords.schemas.example import LabelledImage, encode_example
from imagerecords.schemas.frame import frame


def flip(path, position):
    data = bytearray(path.read_bytes())
    data[position] ^= 0xFF
    path.write_bytes(data)


def write(path, *records):
    """A TFRecord file of our Examples, each a dictionary of features."""
    with path.open("wb") as file:
        for features in records:
            data = encode_example(features)
            before, after, _ = frame(data)
            file.write(before + data + after)


def record(picture, number=0, **changes):
    """The features of a classic record; `None` leaves one out."""
    names = {"label": "image/class/label", "text": "image/class/text"}
    features = LabelledImage(picture(number), 16, 24, f"{number}.jpg", 1, "cat").features()
    features |= {names.get(name, f"image/{name}"): value for name, value in changes.items()}
    return {key: value for key, value in features.items() if value is not None}


def problems(audit):
    return [problem.problem for problem in audit.problems]


def example(tf, number):
    """A small Example of somebody else's."""
    value = tf.train.Feature(int64_list=tf.train.Int64List(value=[number]))
    return tf.train.Example(features=tf.train.Features(feature={"n": value})).SerializeToString()
