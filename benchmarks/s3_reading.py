"""Loops that only read every object below a prefix, or download it first for the classic loop: the peers of bench_s3.

python -m benchmarks.s3_reading HOW s3://bucket/prefix OUTPUT, with the server's address and keys in the environment. None lists
within its time, and none keeps what it reads.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import fsspec

from imagerecords.tasks.sources.walk import walk_files
from imagerecords.tasks.storage.bulk_read import bulk_reader
from imagerecords.tasks.storage.folders import open_folder

S3FS_THREADS, OBSTORE_THREADS, BATCH = 32, 16, 64


def s3fs_threads(url: str, paths: list[str]) -> int:
    """s3fs, one object a call from 32 threads."""
    fs = open_folder(url, {}).fs
    with ThreadPoolExecutor(S3FS_THREADS) as threads:
        return sum(map(len, threads.map(fs.cat_file, paths)))


def s3fs_batches(url: str, paths: list[str]) -> int:
    """s3fs, 64 objects a call."""
    return _in_batches(open_folder(url, {}).fs, paths)


def obstore_fsspec(url: str, paths: list[str]) -> int:
    """Obstore through its fsspec layer, 64 objects a call."""
    from obstore.fsspec import FsspecStore

    endpoint = os.environ["AWS_ENDPOINT_URL_S3"]
    return _in_batches(FsspecStore("s3", endpoint=endpoint, client_options={"allow_http": True}), paths)


def _in_batches(fs: Any, paths: list[str]) -> int:
    return sum(sum(map(len, fs.cat(batch).values())) for batch in _batches(paths))


def _batches(paths: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(paths), BATCH):
        yield paths[start : start + BATCH]


def obstore_get(url: str, paths: list[str]) -> int:
    """Obstore's plain get, from 16 threads, as imagerecords reads: pinned by ETag."""
    folder = open_folder(url, {})
    read = bulk_reader(folder, "obstore")
    files = walk_files(folder, "").files
    with ThreadPoolExecutor(OBSTORE_THREADS) as threads:
        return sum(map(len, threads.map(lambda file: read(file.path, file.size, file.version), files)))


def obstore_get_and_write(url: str, paths: list[str], output: Path) -> int:
    """The same, and what was read is written into one file, and to the disk."""
    folder = open_folder(url, {})
    read = bulk_reader(folder, "obstore")
    files = walk_files(folder, "").files
    with ThreadPoolExecutor(OBSTORE_THREADS) as threads, (output / "all").open("wb") as target:
        size = sum(map(target.write, threads.map(lambda file: read(file.path, file.size, file.version), files)))
        target.flush()
        os.fsync(target.fileno())
    return size


LOOPS: dict[str, Callable[[str, list[str]], int]] = {
    "s3fs-threads": s3fs_threads,
    "s3fs-batches": s3fs_batches,
    "obstore-fsspec": obstore_fsspec,
    "obstore-get": obstore_get,
}


def download_and_convert(url: str, paths: list[str], output: Path) -> dict[str, Any]:
    """What `aws s3 sync` and the classic script do, one after the other; the seconds of both."""
    fs = fsspec.filesystem("s3")
    root = url.removeprefix("s3://")
    local = [str(output / "in" / path.removeprefix(root).lstrip("/")) for path in paths]
    began = time.perf_counter()
    fs.get(paths, local)
    seconds = time.perf_counter() - began
    (output / "out").mkdir()
    command = [sys.executable, "-m", "benchmarks.classic", str(output / "in"), str(output / "out")]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    measured: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return measured | {"work_seconds": measured["work_seconds"] + seconds}


def main() -> None:
    """Run one loop; print its images and seconds as JSON."""
    how, url, output = sys.argv[1:]
    folder = open_folder(url, {})
    paths = [folder.join(file.path) for file in walk_files(folder, "").files]
    if how == "download-classic":
        measured = download_and_convert(url, paths, Path(output))
    else:
        began = time.perf_counter()
        size = obstore_get_and_write(url, paths, Path(output)) if how == "obstore-get-write" else LOOPS[how](url, paths)
        measured = {"images": len(paths), "work_seconds": time.perf_counter() - began, "bytes": size}
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
