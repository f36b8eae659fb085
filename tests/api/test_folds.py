"""Folds of a finished data set: read as one, without the one that is held out; by every reader the same."""

import pytest

import imagerecords


@pytest.fixture(scope="module")
def data(tmp_path_factory, fill, build):
    root = tmp_path_factory.mktemp("folds")
    out = root / "out"
    build(
        data_directory=fill(root / "in", {"cat": 7, "dog": 8}), folds=3, test_fraction=0.2, train_shards=2, output_directory=out
    )
    return imagerecords.open_dataset(out)


def test_each_fold_is_held_out_once(data):
    assert data.splits == ("test", "fold_0", "fold_1", "fold_2")
    held = []
    for number in range(3):
        train, fold = data.fold(number)
        assert not {record.path for record in train} & {record.path for record in fold}
        assert len(train) + len(fold) == 12
        held += [record.path for record in fold]
    assert len(set(held)) == 12
    assert not set(held) & {record.path for record in data["test"]}


def test_records_of_several_folds_are_those_of_each_in_their_order(data):
    train, _ = data.fold(1)
    assert train.name == "fold_0+fold_2"
    one_by_one = [*data["fold_0"], *data["fold_2"]]
    assert list(train) == one_by_one
    assert [train[number] for number in range(len(train))] == one_by_one
    assert [record.split for record in train] == [record.split for record in one_by_one]
    assert list(train[3:6]) == one_by_one[3:6]


def test_tensorflow_reads_the_same_records(data, tf):
    train, _ = data.fold(0)
    labels = [int(label) for _, label in train.tf()]
    assert labels == [record.label for record in train]


def test_tensorflow_datasets_reads_the_same_records_by_the_joined_name(data):
    import tensorflow_datasets as tfds

    train, _ = data.fold(0)
    builder = tfds.builder_from_directory(data.url)
    found = [bytes(example["image"]["filename"].numpy()) for example in builder.as_dataset(split=train.name)]
    assert sorted(found) == sorted(record.features["image/filename"][0] for record in train)


def test_a_fold_that_is_not_there_is_refused(data):
    with pytest.raises(KeyError, match="split must be one of test, fold_0, fold_1, fold_2, got 'fold_3'"):
        data.fold(3)
