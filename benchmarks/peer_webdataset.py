"""Contender: webdataset's ShardWriter on the same folders: tar files of the bytes as they are, without decoding.

python -m benchmarks.peer_webdataset DATA OUTPUT [PROCESSES]. webdataset has no writer for several processes: each gets a
ShardWriter and a range of the images of its own, as users of webdataset do.
"""

import contextlib
import multiprocessing
import sys
import time
from pathlib import Path

import webdataset

from benchmarks.listing import SHARDS, labelled_files, print_result


def write_tars(source: str, output: str, part: int, parts: int) -> int:
    """Write a part of the images of the label folders; returns their number."""
    files = labelled_files(source)
    shards = SHARDS // parts
    first, end = (len(files) * place // parts for place in (part, part + 1))
    pattern = f"{output}/train-%05d.tar"
    with (
        contextlib.redirect_stdout(sys.stderr),
        webdataset.ShardWriter(pattern, maxcount=-(-(end - first) // shards), start_shard=part * shards, verbose=0) as writer,
    ):
        for number, file in enumerate(files[first:end], first):
            ending = Path(file.path).suffix[1:].lower()
            writer.write({"__key__": f"{number:08d}", ending: Path(file.path).read_bytes(), "cls": file.label})
    return end - first


def main() -> None:
    """Do the work and time it alone."""
    source, output, *more = sys.argv[1:]
    parts = int(more[0]) if more else 1
    work = [(source, output, part, parts) for part in range(parts)]
    if parts == 1:
        began = time.perf_counter()
        images = write_tars(*work[0])
        print_result(images, time.perf_counter() - began)
        return
    with multiprocessing.get_context("fork").Pool(parts) as pool:  # with webdataset imported
        began = time.perf_counter()
        images = sum(pool.starmap(write_tars, work))
        print_result(images, time.perf_counter() - began)


if __name__ == "__main__":
    main()
