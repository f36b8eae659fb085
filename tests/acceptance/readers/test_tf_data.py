"""TensorFlow reads what was built: tf.data with the classic specification, and TensorFlow Datasets."""

import pytest

from imagerecords.schemas.splits import SPLITS
from imagerecords.tasks.records.example import parse_example


def of_examples(serialized):
    """Name, label and bytes of serialised Examples."""
    for record in serialized:
        example = parse_example(record)
        yield example["image/filename"][0], example["image/class/label"][0], example["image/encoded"][0]


LABELS = [1] * 21 + [2] * 17 + [3] * 19  # größe, two words, кошка


def test_a_split_gives_batches_for_a_model(tf, ran):
    images = ran("tf.data")["images"]
    assert images.cardinality() == 8
    batches = list(images)
    assert [tuple(pictures.shape) for pictures, _ in batches] == [(8, 224, 224, 3)] * 7 + [(1, 224, 224, 3)]
    assert sorted(int(label) for _, labels in batches for label in labels) == LABELS


def test_tf_data_reads_each_record_once_and_decodes_it(tf, ran, expected, seen):
    names = ran("tf.data without imagerecords")
    assert seen(of_examples(record.numpy() for record in names["records"])) == expected("train")
    images = [(image.shape[0], image.shape[2], int(label)) for image, label in names["images"]]
    assert len(images) == 57
    assert {(height, channels) for height, channels, _ in images} == {(12, 3)}
    assert sorted(label for _, _, label in images) == LABELS


@pytest.mark.parametrize("split", SPLITS)
def test_the_classic_specification_parses_every_record(read_classic, workplace, expected, seen, split):
    records = [record for shard in sorted(workplace.glob(f"out/{split}-*")) for record in read_classic(shard)]
    assert seen((each["filename"], each["class/label"][0], each["encoded"]) for each in records) == expected(split)
    labels = (workplace / "out/labels.txt").read_text().splitlines()
    assert all(labels[each["class/label"][0] - 1] == each["class/text"].decode() for each in records)


@pytest.fixture(scope="module")
def builder(tf, workplace):
    tfds = pytest.importorskip("tensorflow_datasets")
    return tfds.builder_from_directory(str(workplace / "out"))


def test_the_pages_code_opens_the_folder_with_tfds(tf, ran):
    pytest.importorskip("tensorflow_datasets")
    names = ran("TensorFlow Datasets")
    assert names["names"] == ["background", "größe", "two words", "кошка"]
    images, held_out = list(names["images"]), list(names["held_out"])
    assert (len(images), len(held_out)) == (51, 6)
    of_both = {str(example["image"]["filename"].numpy(), "utf-8") for example in (*images, *held_out)}
    assert len(of_both) == 57
    assert all(image.shape[-1] == 3 and 1 <= label <= 3 for image, label in names["pairs"])


@pytest.mark.parametrize("split", SPLITS)
def test_tfds_reads_each_record_of_a_split_once(builder, expected, seen, split):
    import tensorflow_datasets as tfds

    assert builder.info.splits[split].num_examples == expected(split).total()
    undecoded = builder.as_dataset(split=split, decoders={"image": {"encoded": tfds.decode.SkipDecoding()}})
    read = [example["image"] for example in undecoded.as_numpy_iterator()]
    assert seen((image["filename"], image["class"]["label"], image["encoded"]) for image in read) == expected(split)


def test_the_tenths_that_tfds_cuts_add_up_to_the_split(builder, expected):
    names = [
        example["image"]["filename"].decode()
        for tenth in range(0, 100, 10)
        for example in builder.as_dataset(split=f"train[{tenth}%:{tenth + 10}%]").as_numpy_iterator()
    ]
    assert sorted(names) == sorted(name for name, _, _ in expected("train"))


def test_tfds_reads_splits_together(builder):
    assert sum(1 for _ in builder.as_dataset(split="train+validation[2:]+test")) == 57 + 11 + 7
