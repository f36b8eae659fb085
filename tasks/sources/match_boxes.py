"""Which image a box is of: by base name, as build_imagenet_data.py does.

Where two images have one base name, or two paths of the box file do, the folders in the paths decide: a path is then an image's
when the image's whole path ends with it. Where no path does, or one ends two images' paths, it is an error: a guess would put a
box on another image. Names are compared in one Unicode form, and backslashes of box files made on Windows are slashes.
"""

from collections import defaultdict
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from imagerecords.schemas.boxes import FoundBoxes
from imagerecords.schemas.messages import some
from imagerecords.schemas.unicode_names import composed
from imagerecords.tasks.sources.boxes import NO_IMAGE

FOLDERS = r"^.*/"
ENDING = r"\.[^./]*$"
BACKSLASH = "\\"


def match_boxes(found: FoundBoxes, images: pa.Table, roots: Mapping[str, str]) -> tuple[np.ndarray, list[str]]:
    """The row of each box's image in a listing, NO_IMAGE where there is none; and the base names that leave it unclear."""
    names = pc.replace_substring_regex(one_form(images["path"].combine_chunks()), FOLDERS, "")
    names = (pc.replace_substring_regex(names, ENDING, "") if found.by_stem else names).dictionary_encode()
    name_of_image = names.indices.to_numpy()
    paths = box_paths(found.images, images).dictionary_encode()
    name_of_path = pc.index_in(pc.replace_substring_regex(paths.dictionary, FOLDERS, ""), value_set=names.dictionary)
    name_of_path = pc.fill_null(name_of_path, NO_IMAGE).to_numpy().copy()

    image_of_name = np.full(len(names.dictionary) + 1, NO_IMAGE, np.int64)  # the last is for NO_IMAGE
    image_of_name[name_of_image] = np.arange(len(name_of_image))
    image_of_path = image_of_name[name_of_path]
    has_boxes = np.bincount(name_of_path[name_of_path != NO_IMAGE], minlength=len(names.dictionary))
    unclear = (has_boxes > 1) | ((has_boxes == 1) & (np.bincount(name_of_image, minlength=len(names.dictionary)) > 1))

    images_by_name = _by_name(name_of_image, unclear)
    errors: list[str] = []
    for name, numbers in _by_name(name_of_path, unclear).items():
        of_name = images.take(images_by_name[name]).select(["source", "path"]).to_pylist()
        whole = [_whole_path(roots[image["source"]], image["path"], by_stem=found.by_stem) for image in of_name]
        endings = paths.dictionary.take(pa.array(numbers)).to_pylist()
        matches = [[row for row, path in zip(images_by_name[name], whole, strict=True) if _ends(path, end)] for end in endings]
        image_of_path[numbers] = [match[0] if match else NO_IMAGE for match in matches]
        if not any(matches) or any(len(match) > 1 for match in matches):
            box = pc.index(paths.indices, numbers[0]).as_py()
            errors.append(_mistake(of_name, endings, found.places[box].as_py()))
    return image_of_path[paths.indices.to_numpy()], errors


def one_form(names: pa.Array) -> pa.Array:
    """Names in the Unicode form in which they are compared."""
    return pc.utf8_normalize(names, form="NFC")


def box_paths(paths: pa.Array, images: pa.Table) -> pa.Array:
    """The images of boxes as paths that are compared: slashes for backslashes, unless an image's own name has one."""
    if (
        pc.any(pc.match_substring(paths, BACKSLASH)).as_py()
        and not pc.any(pc.match_substring(images["path"], BACKSLASH)).as_py()
    ):
        paths = pc.replace_substring(paths, BACKSLASH, "/")
    return one_form(paths)


def differ_in_form(found: FoundBoxes, rows: np.ndarray, images: pa.Table) -> list[str]:
    """The images whose name has another Unicode form in the box file."""
    matched = rows != NO_IMAGE
    written = found.images.filter(pa.array(matched))
    paths = images["path"].combine_chunks().take(pa.array(rows[matched]))
    if pc.all(pc.string_is_ascii(written)).as_py() and pc.all(pc.string_is_ascii(paths)).as_py():
        return []
    pairs = set(zip(written.to_pylist(), paths.to_pylist(), strict=True))
    return sorted({path for name, path in pairs if not _base(path).startswith(_base(name))})


def _base(path: str) -> str:
    return path.replace(BACKSLASH, "/").rpartition("/")[2]


def _by_name(names: np.ndarray, wanted: np.ndarray) -> dict[int, list[int]]:
    """The positions at which each of the wanted names stands."""
    positions: defaultdict[int, list[int]] = defaultdict(list)
    for position in np.flatnonzero((names != NO_IMAGE) & wanted[names]).tolist():
        positions[int(names[position])].append(position)
    return positions


def _whole_path(root: str, path: str, *, by_stem: bool) -> str:
    whole = composed(f"{root}/{path}")
    return whole.rpartition(".")[0] if by_stem and "." in path.rpartition("/")[2] else whole


def _ends(path: str, end: str) -> bool:
    while end.startswith(("./", "../", "/")):
        end = end.partition("/")[2]
    return path.endswith("/" + end)


def _mistake(images: list[dict[str, str]], paths: list[str], place: str) -> str:
    alike = len({image["path"] for image in images}) < len(images)
    of_images = [f"{image['path']!r} in {image['source']}" if alike else repr(image["path"]) for image in images]
    first, named = some(of_images, 2, " and "), some([repr(path) for path in paths], 2, " and ")
    remedy = (
        "Pass a box file per split (--bounding_boxes.train, --bounding_boxes.validation)"
        if alike
        else "Write longer paths in the box file, or rename the images"
    )
    return f"boxes must be of one image, got those of {named} for {first}: {place}. {remedy}"
