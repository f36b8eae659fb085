"""Builds held against build_image_data.py: the same images, in the same shards, in the same order, read by TensorFlow."""

import random
from pathlib import Path

import numpy as np
import pytest

ROWS = [
    # (images by label, in the order of the labels file; shards; threads)
    ({"daisy": 9}, 1, 1),
    ({"tulip": 12, "daisy": 11}, 4, 2),
    ({"rose": 8, "daisy": 15, "tulip": 6}, 6, 3),  # two levels of linspace differ from one
    ({"b": 10, "a": 10}, 8, 8),
    ({"animal/dog": 5, "animal/cat": 4}, 2, 1),  # the classic script takes paths as labels too
]


def classic_build(root, labels, shards, threads):
    """build_image_data.py, written again up to the writing of files: (file, label id, label) by shard name, in order."""
    filenames, texts, ids = [], [], []
    for index, text in enumerate(labels, start=1):  # label 0 is left for background
        matching = sorted(path.name for path in (Path(root) / text).iterdir())
        filenames += [Path(root) / text / name for name in matching]
        texts += [text] * len(matching)
        ids += [index] * len(matching)
    shuffled_index = list(range(len(filenames)))
    state = random.getstate()
    random.seed(12345)
    random.shuffle(shuffled_index)
    random.setstate(state)
    spacing = np.linspace(0, len(filenames), threads + 1).astype(int)
    per_thread = shards // threads
    contents = {}
    for thread in range(threads):
        edges = np.linspace(spacing[thread], spacing[thread + 1], per_thread + 1).astype(int)
        for position in range(per_thread):
            numbers = [shuffled_index[i] for i in range(edges[position], edges[position + 1])]
            name = f"train-{thread * per_thread + position:05d}-of-{shards:05d}"
            contents[name] = [(filenames[number], ids[number], texts[number]) for number in numbers]
    return contents


@pytest.mark.parametrize(("labels", "shards", "threads"), ROWS)
def test_a_build_puts_each_image_where_the_classic_script_does(tmp_path, fill, build, read_classic, labels, shards, threads):  # noqa: PLR0917
    source = fill(tmp_path / "in", labels)
    (tmp_path / "labels.txt").write_text("".join(f"{label}\n" for label in labels))
    build(
        train_directory=source,
        labels_file=tmp_path / "labels.txt",
        output_directory=tmp_path / "out",
        train_shards=shards,
        layout_threads=threads,
    )
    expected = classic_build(source, list(labels), shards, threads)
    assert sorted(path.name for path in (tmp_path / "out").glob("train-*")) == sorted(expected)
    for name, images in expected.items():
        records = list(read_classic(tmp_path / "out" / name))
        found = [
            (record["filename"].decode(), record["class/label"].tolist(), record["class/text"].decode()) for record in records
        ]
        assert found == [(path.name, [label], text) for path, label, text in images]
        assert [record["encoded"] for record in records] == [path.read_bytes() for path, _, _ in images]
        for record in records:
            assert record["pixels"].shape == (record["height"], record["width"], 3)
            assert (record["format"], record["colorspace"]) == (b"JPEG", b"RGB")


def test_train_and_validation_are_shuffled_alike_each_by_its_own_list(tmp_path, fill, build, read_classic):
    """The classic script seeds its shuffle for each split."""
    build(
        train_directory=fill(tmp_path / "train", {"a": 7}),
        validation_directory=fill(tmp_path / "validation", {"a": 7}),
        output_directory=tmp_path / "out",
    )
    names = [
        [record["filename"] for record in read_classic(tmp_path / "out" / f"{split}-00000-of-00001")]
        for split in ("train", "validation")
    ]
    assert names[0] == names[1]
    assert len(set(names[0])) == 7


def test_whatever_was_in_the_folders_decodes_to_its_recorded_size(tmp_path, picture, build, read_classic):
    """PNG, GIF, WebP, grey, CMYK, transparent: what the classic script would have stored as it was, or skipped."""
    folder = tmp_path / "in/mixed"
    folder.mkdir(parents=True)
    kinds = [("PNG", "RGBA"), ("PNG", "P"), ("GIF", "P"), ("WEBP", "RGB"), ("JPEG", "L"), ("JPEG", "CMYK"), ("BMP", "RGB")]
    for number, (kind, mode) in enumerate(kinds):
        (folder / f"{number}.JPG").write_bytes(picture(number, kind, mode, size=(30 + number, 20)))
    build(train_directory=tmp_path / "in", output_directory=tmp_path / "out")
    records = list(read_classic(tmp_path / "out/train-00000-of-00001"))
    assert sorted(record["filename"] for record in records) == [b"%d.JPG" % number for number in range(len(kinds))]
    for record in records:
        assert record["pixels"].shape == (20, 30 + int(record["filename"].split(b".")[0]), 3)
        assert (record["height"], record["width"]) == record["pixels"].shape[:2]


def test_empty_shards_that_were_asked_for_are_files_that_tensorflow_reads(tmp_path, fill, build, read_classic):
    source = fill(tmp_path / "in", {"a": 2})
    build(train_directory=source, output_directory=tmp_path / "out", train_shards=5, allow_empty_shards=True)
    shards = sorted((tmp_path / "out").glob("train-*"))
    assert [path.name for path in shards] == [f"train-{number:05d}-of-00005" for number in range(5)]
    assert sum(path.stat().st_size == 0 for path in shards) == 3
    assert [len(list(read_classic(path))) for path in shards] == [int(path.stat().st_size > 0) for path in shards]
