"""Make the benchmark's labelled images, once: python -m benchmarks.make_data [--images N] [--directory D]."""

import argparse
import json
import multiprocessing
import os
import shutil
import sys
from collections import Counter
from functools import partial
from pathlib import Path

import PIL

from benchmarks.crops import make_image
from benchmarks.photos import LABELS, fetch_photos

IMAGES = 6000
VERSION = 1  # of the maker; another one makes the images again


def cache_directory() -> Path:
    """Where photos and images are kept, outside any checkout."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "imagerecords" / "benchmark"


def make_data(images: int, directory: Path | None = None) -> Path:
    """A directory with one folder per label and this many images, made now unless it exists and is finished.

    A file beside it, written last, marks it as finished; without the mark, or with another maker's, it is made again.
    """
    directory = (directory or cache_directory() / f"images-{images}").resolve()
    wanted = {"maker": VERSION, "pillow": PIL.__version__, "images": images}
    mark = _mark(directory)
    if mark.exists():
        if json.loads(mark.read_text()).items() >= wanted.items():
            return directory
    elif directory.exists() and not _looks_like_ours(directory):
        raise SystemExit(f"error: the directory must be new, empty or of this maker: {directory}. Choose another")
    mark.unlink(missing_ok=True)
    photos = fetch_photos(cache_directory() / "photos")
    shutil.rmtree(directory, ignore_errors=True)
    for label in LABELS:
        (directory / label).mkdir(parents=True)
    print(f"making {images} images", file=sys.stderr)
    with multiprocessing.get_context("spawn").Pool() as pool:
        made = pool.map(partial(make_image, photos=photos, directory=directory), range(images), chunksize=20)
    sizes = [size for _, size in made]
    about = {"bytes": sum(sizes), "kinds": dict(Counter(kind for kind, _ in made).most_common())}
    os.sync()
    unfinished = mark.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(wanted | about, indent=2) + "\n")
    unfinished.rename(mark)
    return directory


def describe(directory: Path) -> dict[str, object]:
    """What the mark of finished data says: images, bytes, and how many of each kind."""
    about: dict[str, object] = json.loads(_mark(directory).read_text())
    return about


def _mark(directory: Path) -> Path:
    return directory.with_name(f"{directory.name}.finished.json")


def _looks_like_ours(directory: Path) -> bool:
    return {path.name for path in directory.iterdir()} <= LABELS.keys()


def main() -> None:
    """Make the data and say what they are."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.make_data", description=__doc__)
    parser.add_argument("--images", type=int, default=IMAGES)
    parser.add_argument("--directory", type=Path)
    given = parser.parse_args()
    directory = make_data(given.images, given.directory)
    print(json.dumps({"directory": str(directory)} | describe(directory), indent=2))


if __name__ == "__main__":
    main()
