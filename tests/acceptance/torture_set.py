"""Pillow's own test images, about 1,060 broken and odd files: python tests/acceptance/torture_set.py fetches them once.

They come out of the source distribution of the Pillow that is installed, by pip, into a cache outside the repository.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import PIL

IMAGES = "Tests/images"


def torture_directory() -> Path:
    """Where the images are, when they have been fetched."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "imagerecords" / "torture" / f"pillow-{PIL.__version__}"


def fetch(directory: Path) -> None:
    """Fetch and unpack, unless it was done; the directory appears whole."""
    if directory.exists():
        return
    directory.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory.parent) as scratch:
        # Only Pillow's own source: with :all: pip would build setuptools and pybind11 from theirs too, five times as long.
        words = ["download", "--quiet", "--no-deps", "--no-binary", "pillow", "--dest", scratch, f"pillow=={PIL.__version__}"]
        subprocess.run([sys.executable, "-m", "pip", *words], check=True, timeout=600)
        (archive,) = Path(scratch).glob("*.tar.gz")
        with tarfile.open(archive) as opened:
            opened.extractall(scratch, filter="data")
        (images,) = Path(scratch).glob(f"*/{IMAGES}")
        shutil.move(images, directory)


def main() -> None:
    """Fetch; a failure is reported but is not an error: the test is then skipped, and says so."""
    directory = torture_directory()
    try:
        fetch(directory)
    except (OSError, ValueError, subprocess.SubprocessError, tarfile.TarError) as error:
        print(f"the torture set could not be fetched ({type(error).__name__}), its test will be skipped", file=sys.stderr)
    else:
        print(f"the torture set is in {directory}")


if __name__ == "__main__":
    main()
