"""A data set of three splits and eight shards, what a reader must find in it, and the code that docs/readers.md gives."""

import hashlib
import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.markdown import python_blocks

ROOT = Path(__file__).parents[3]
SECTIONS = re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", (ROOT / "docs/readers.md").read_text(), re.M | re.S)
# Odd counts, which no number of shards or workers divides; every name is outside ASCII somewhere.
IMAGES = {
    "train": {"größe": 21, "кошка": 19, "two words": 17},
    "validation": {"größe": 4, "кошка": 4, "two words": 5},
    "test": {"größe": 3, "кошка": 3, "two words": 1},
}
PRINT_FOUND = """
if __name__ == "__main__":
    import hashlib, json

    found_records = []
    for name, label, encoded in found():
        found_records.append((name.decode(), int(label), hashlib.sha256(encoded).hexdigest()))
    print(json.dumps(found_records))
"""


@pytest.fixture(scope="session")
def block():
    """`block(section, number=0)` gives a Python block of docs/readers.md."""

    def block(title, number=0):
        (text,) = [text for name, text in SECTIONS if name == title]
        return python_blocks(text)[number]

    return block


@pytest.fixture(scope="session")
def workplace(tmp_path_factory, picture, build):
    """The folder in which the page's code runs; the data set is in `out`. Not to be changed."""
    folder = tmp_path_factory.mktemp("readers")
    number = 0
    for split, labels in IMAGES.items():
        for label, count in labels.items():
            (folder / split / label).mkdir(parents=True)
            for _ in range(count):
                number += 1
                image = picture(number, size=(16 + number % 5, 12))
                (folder / split / label / f"снимок {number}.jpg").write_bytes(image)
    (folder / "train/größe/broken.jpg").write_bytes(b"no image")  # a rejected image is in the manifest and in no shard
    build(
        **{f"{split}_directory": folder / split for split in IMAGES},
        output_directory=folder / "out",
        train_shards=4,
        validation_shards=2,
        test_shards=2,
    )
    return folder


@pytest.fixture
def ran(block, workplace, monkeypatch):
    """`ran(section)` runs a block of the page in this process and gives what it names."""

    def ran(title):
        monkeypatch.chdir(workplace)
        names = {}
        exec(block(title), names)
        return names

    return ran


@pytest.fixture(scope="session")
def expected(workplace):
    """`expected(split)` gives what the manifest says was written: how often which name, label and SHA-256 of the bytes."""
    rows = pq.read_table(workplace / "out/manifest.parquet", filters=[("status", "==", "written")]).to_pylist()

    def expected(split):
        mine = [row for row in rows if row["split"] == split]
        assert len(mine) == sum(IMAGES[split].values())
        return Counter((row["path"].rpartition("/")[2], row["label"], row["encoded_sha256"]) for row in mine)

    return expected


@pytest.fixture(scope="session")
def seen():
    """`seen(records)` counts (name, label, bytes) as `expected` does."""
    return lambda records: Counter(
        (name.decode(), int(label), hashlib.sha256(data).hexdigest()) for name, label, data in records
    )


@pytest.fixture
def run(workplace):
    """`run(code, found)` runs code in a process of its own and counts what its function `found` yields, as `expected` does."""

    def run(code, found):
        script = workplace / f"{os.getpid()}.py"
        script.write_text(f"{code}\n{found}\n{PRINT_FOUND}")
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        done = subprocess.run([sys.executable, script], cwd=workplace, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return Counter(map(tuple, json.loads(done.stdout)))

    return run
