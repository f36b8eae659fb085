"""Writes Fashion-MNIST's 70,000 pictures of clothes out as labelled image folders: real data for `make train-demo`.

They come from Debian's package dataset-fashion-mnist (31 MB), fetched by apt and unpacked without root into the user's cache.
"""

import gzip
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

PACKAGE = "dataset-fashion-mnist"
NAMES = ("t-shirt_top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle_boot")
SPLITS = {"train": "train", "test": "t10k"}  # our name: the files' name
HEADERS = {"images-idx3": 16, "labels-idx1": 8}  # bytes before the numbers in an IDX file


def fetched() -> Path:
    """The folder with the package's files, fetched when the cache does not hold them yet."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "imagerecords" / PACKAGE
    folder = cache / "usr/share/datasets/fashion-mnist"
    if len(list(folder.glob("*-ubyte.gz"))) == 4:
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    as_is = ["--option", "APT::Sandbox::User=root"]  # else apt warns root that its own user cannot write here
    try:
        subprocess.run(["apt-get", "--quiet", *as_is, "download", PACKAGE], cwd=cache, check=True)
        for package in cache.glob("*.deb"):
            subprocess.run(["dpkg", "-x", package, cache], check=True)
            package.unlink()
    except FileNotFoundError as error:
        sys.exit(f"apt-get and dpkg must be there, got {error}. On a system without them, put Debian's {PACKAGE} into {cache}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"{PACKAGE} must be fetched, got {error}. If apt knows no such package, run `sudo apt-get update` once")
    return folder


def read_numbers(path: Path) -> np.ndarray:
    """The numbers of one IDX file, flat."""
    (header,) = (size for kind, size in HEADERS.items() if kind in path.name)
    return np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=header)


def make_fashion(directory: Path) -> int:
    """Write `directory`/train/<label>/*.png, the same for test, and labels.txt; returns the number of images."""
    source, count = fetched(), 0
    for split, name in SPLITS.items():
        images = read_numbers(source / f"{name}-images-idx3-ubyte.gz").reshape(-1, 28, 28)
        labels = read_numbers(source / f"{name}-labels-idx1-ubyte.gz")
        for label in NAMES:
            (directory / split / label).mkdir(parents=True, exist_ok=True)
        for number, (pixels, label) in enumerate(zip(images, labels, strict=True)):
            Image.fromarray(pixels).save(directory / split / NAMES[label] / f"{number:05d}.png")
        count += len(images)
    (directory / "labels.txt").write_text("".join(f"{name}\n" for name in NAMES))
    return count


if __name__ == "__main__":
    print(f"{make_fashion(Path(sys.argv[1]))} images in {sys.argv[1]}")
