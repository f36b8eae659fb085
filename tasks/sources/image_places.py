"""Where the images of an image list lie, and their sizes and versions, read file by file.

A path is relative to the list's folder, absolute on the list's file system, or a URL; all of one list lie on one
file system (any number of buckets of it), since a shard is read from one. Plan and receipts keep a path as it was written.
"""

import os
import posixpath
import stat
import unicodedata
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.compute as pc

from imagerecords.schemas.unicode_names import composed
from imagerecords.tasks.sources.allowed_sources import refuse_other_hosts
from imagerecords.tasks.sources.input_files import beside
from imagerecords.tasks.sources.remote_states import FileState, RemoteStates, missing
from imagerecords.tasks.storage.archives import opening
from imagerecords.tasks.storage.folders import Folder, open_folder

PROTOCOL = r"^(?P<protocol>[A-Za-z][A-Za-z0-9+.:-]*)://"
UNTIDY = r"(^|/)\.{0,2}/|/\.{1,2}$"  # "a//b", "./a", "a/../b": another way to write some path
REMOTE_REQUESTS = 32  # objects asked for at once
CHUNK = 1 << 16


@dataclass(frozen=True)
class ImagePlaces:
    """The folder that paths are relative to, its URL for the plan, and each image's path as the file system knows it."""

    folder: Folder
    root: str
    whole: pa.Array


def locate(
    paths: pa.Array, listed_by: str, storage_options: Mapping[str, Any], allowed: Sequence[str] = (), below: str | None = None
) -> ImagePlaces:
    """Where images lie; `allowed` are the beginnings of URLs on other hosts than the list's own.

    Paths are relative to the folder `below`, without it to the list's.

    Raises ValueError, naming two paths, when they are on more than one file system; PermissionError for a place that a list
    may not name; ImportError when fsspec lacks a package.
    """
    home = open_folder(below, storage_options) if below else beside(listed_by, storage_options)[0]
    protocols = pc.struct_field(pc.extract_regex(paths, PROTOCOL), "protocol")
    examples: dict[type, tuple[str, str]] = {}
    for protocol in protocols.unique().drop_null().to_pylist():
        first = paths[pc.index(protocols, protocol).as_py()].as_py()
        with opening(first):
            examples.setdefault(fsspec.get_filesystem_class(protocol), (protocol, first))
    refuse_other_hosts(paths, listed_by, allowed)
    if protocols.null_count:
        examples.setdefault(type(home.fs), ("", paths[pc.index(pc.is_null(protocols), True).as_py()].as_py()))
    if len(examples) > 1:
        raise ValueError(" and ".join(repr(path) for _, path in examples.values()))
    if examples.keys() <= {type(home.fs)}:
        return ImagePlaces(home, home.canonical_url, _whole_paths(home, paths, protocols))
    ((protocol, _),) = examples.values()
    folder = open_folder(f"{protocol}://", storage_options)
    return ImagePlaces(folder, f"{protocol}://", _whole_paths(folder, paths, protocols))


def _whole_paths(folder: Folder, paths: pa.Array, protocols: pa.Array) -> pa.Array:
    """Each path as the file system knows it, in one way of writing."""
    whole = pc.if_else(pc.starts_with(paths, "/"), paths, pc.binary_join_element_wise(folder.path, paths, "/"))
    other = pc.is_valid(protocols) if folder.is_local else pc.or_(pc.is_valid(protocols), pc.starts_with(paths, "/"))
    whole = pc.replace_with_mask(whole, other, pa.array(map(folder.join, paths.filter(other).to_pylist()), pa.string()))
    if not folder.is_local:
        return whole  # a key may have "//" and ".." in it
    untidy = pc.match_substring_regex(whole, UNTIDY)
    return pc.replace_with_mask(whole, untidy, pa.array(map(posixpath.normpath, whole.filter(untidy).to_pylist()), pa.string()))


def other_form(folder: Folder, whole: str, path: str) -> str | None:
    """A path as written, with the Unicode form that its file's name and folders have; None where there is no such file."""
    tail = path.rpartition("://")[2].removeprefix("./")
    found = _local_form(whole) if folder.is_local else _remote_form(folder, whole)
    if found is None or not whole.endswith(tail):
        return None
    depth = tail.count("/") + 1
    return path.removesuffix(tail) + "/".join(found.split("/")[-depth:])


def _local_form(whole: str) -> str | None:
    found = ""
    for part in whole.split("/")[1:]:
        alike = [part] if os.path.lexists(f"{found}/{part}") else _alike(found or "/", part)
        if len(alike) != 1:
            return None
        found = f"{found}/{alike[0]}"
    return found


def _alike(folder: str, wanted: str) -> list[str]:
    """The names in a directory that differ from one in Unicode form only."""
    try:
        return [name for name in os.listdir(folder) if composed(name) == composed(wanted)]
    except OSError:
        return []


def _remote_form(folder: Folder, whole: str) -> str | None:
    forms = (unicodedata.normalize(form, whole) for form in ("NFC", "NFD"))
    return next((form for form in forms if folder.fs.exists(form)), None)


def look_up(folder: Folder, whole: pa.Array) -> tuple[pa.Array, pa.Array, dict[int, str]]:
    """The sizes and versions of files, and by position what is wrong with those that are none."""
    state_of = _local_state if folder.is_local else RemoteStates(folder).state_of
    sizes, versions = [pa.array([], pa.int64())], [pa.array([], pa.string())]
    wrong: dict[int, str] = {}
    with ThreadPoolExecutor(1 if folder.is_local else REMOTE_REQUESTS) as threads:
        for start in range(0, len(whole), CHUNK):
            paths = whole.slice(start, CHUNK).to_pylist()
            states = list(map(state_of, paths) if folder.is_local else threads.map(state_of, paths))
            sizes.append(pa.array([size for size, _, _ in states], pa.int64()))
            versions.append(pa.array([version for _, version, _ in states], pa.string()))
            wrong |= {number: fault for number, (_, _, fault) in enumerate(states, start) if fault}
    return pa.concat_arrays(sizes), pa.concat_arrays(versions), wrong


def _local_state(path: str) -> FileState:
    try:
        status = os.stat(path)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        return 0, "", missing(path, error)
    if not stat.S_ISREG(status.st_mode):
        return 0, "", f"an image must be a file, got a directory or device: {path}"
    return status.st_size, str(status.st_mtime_ns), None
