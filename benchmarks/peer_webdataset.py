"""Contender: webdataset's ShardWriter on the same folders: tar files of the bytes as they are, one process, no decoding."""

import contextlib
import sys
import time
from pathlib import Path

import webdataset

from benchmarks.listing import SHARDS, labelled_files, print_result


def write_tars(source: str, output: str) -> int:
    """Write all images of the label folders; returns their number."""
    files = labelled_files(source)
    pattern = f"{output}/train-%05d.tar"
    with webdataset.ShardWriter(pattern, maxcount=-(-len(files) // SHARDS), verbose=0) as writer:
        for number, file in enumerate(files):
            ending = Path(file.path).suffix[1:].lower()
            writer.write({"__key__": f"{number:08d}", ending: Path(file.path).read_bytes(), "cls": file.label})
    return len(files)


def main() -> None:
    """Do the work and time it alone."""
    began = time.perf_counter()
    with contextlib.redirect_stdout(sys.stderr):
        images = write_tars(*sys.argv[1:3])
    print_result(images, time.perf_counter() - began)


if __name__ == "__main__":
    main()
