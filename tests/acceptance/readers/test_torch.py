"""PyTorch reads what was built, with the package tfrecord and by the manifest: workers lose no record and double none.

In processes of their own: the package tfrecord and TensorFlow cannot be imported in one.
"""

import importlib.util
import re
import subprocess
import sys

import pytest

# Found, not imported: what the package tfrecord brings would clash with TensorFlow in this process.
for library in ("torch", "tfrecord"):
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed: make readers", allow_module_level=True)

FOUND_BY_TFRECORD = """
def found():
    for example in loader:
        yield example["image/filename"], example["image/class/label"][0], example["image/encoded"]
"""
FOUND_BY_MANIFEST = """
def found():
    images = 0
    for pictures, labels in loader:
        images += len(pictures)
        assert all(picture.mode == "RGB" and picture.height == 12 for picture in pictures)
    assert images == len(train)
    for records in DataLoader(train, batch_size=8, shuffle=True, num_workers=2, collate_fn=list):
        for record in records:
            yield record.features["image/filename"][0], record.label, record.encoded
"""


def with_workers(code, workers):
    """The code with another number of workers; it must have named one."""
    changed, places = re.subn(r"num_workers=\d", f"num_workers={workers}", code)
    assert places == 1
    return changed


@pytest.mark.parametrize(
    ("number", "workers"),
    [
        (0, 2),
        (0, 0),  # in the training process itself it begins in the middle of each shard, and reads the beginning last
        (1, 2),
    ],
    ids=["one shard after the other", "without workers", "mixed"],
)
def test_the_package_tfrecord_reads_each_record_once_with_our_index(block, run, expected, number, workers):
    code = with_workers(block("PyTorch with the package tfrecord", number), workers)
    assert run(code, FOUND_BY_TFRECORD) == expected("train")


def test_without_the_index_its_workers_double_every_record(block, run, expected):
    """What the page warns of; when this fails, the page is to be mended."""
    code = block("PyTorch with the package tfrecord").replace('f"out/index/{shard.name}.idx"', "None")
    assert run(code, FOUND_BY_TFRECORD) == expected("train") + expected("train")


def test_the_manifest_gives_each_record_once_to_shuffling_workers(block, run, expected):
    assert run(block("PyTorch, any record by its number"), FOUND_BY_MANIFEST) == expected("train")


def test_the_package_tfrecord_and_tensorflow_cannot_be_imported_together():
    """What the page warns of, and why our own parser has a descriptor pool of its own."""
    done = subprocess.run([sys.executable, "-c", "import tfrecord, tensorflow"], capture_output=True, text=True)
    assert "duplicate symbol 'tensorflow.BytesList'" in done.stderr


def test_the_package_tfrecord_cannot_use_an_index_of_one_line(tmp_path):
    """What the page warns of."""
    (tmp_path / "index").write_text("0 40\n")
    code = "import sys; from tfrecord.reader import tfrecord_iterator as read; next(read(sys.argv[1], sys.argv[1]))"
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "index"], capture_output=True, text=True)
    assert "IndexError: too many indices" in done.stderr
