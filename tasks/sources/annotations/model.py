"""What readers of annotations give: images as their file names them, with labels, split and boxes; and what was not read."""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from imagerecords.schemas.json_text import parse_json
from imagerecords.tasks.images.shape import read_shape
from imagerecords.tasks.sources.annotations.geometry import Corners
from imagerecords.tasks.sources.file_names import IMAGE_ENDINGS, ending_of
from imagerecords.tasks.storage.folders import Folder

HEAD = 64 << 10  # bytes in which XML's first element and a CSV's first lines stand
REMOTE_READS = 32  # files read at once from object stores
CHUNK = 256  # of which so many are in memory
DAMAGED = (
    TypeError,
    ValueError,
    LookupError,
    AttributeError,
    ArithmeticError,
)  # what an entry raises that is not as tools write it


class Box(NamedTuple):
    """An object: xmin, ymin, xmax, ymax in pixels, or relative to the image's size, its class, and where it stands.

    `area` is its own in square pixels, NaN where none is stated.
    """

    corners: Corners
    name: str | None
    place: str
    relative: bool = False
    is_crowd: bool = False
    difficult: bool = False
    area: float = math.nan


class AnnotatedImage(NamedTuple):
    """An image as annotations name it: its path as written, or with `by_stem` its path without an ending.

    `labels` are those of the image as a whole, `split` is train, validation, test or None, `size` is the stated width and
    height, 0 where none is. `folders` are those in which the path is looked for first, relative to the data set's folder.
    `other` is a second name by which it is looked for. With `unclear` it has annotations that are not read, or can't be.
    """

    path: str
    place: str
    labels: tuple[str, ...] = ()
    split: str | None = None
    boxes: tuple[Box, ...] = ()
    size: tuple[float, float] = (0, 0)
    by_stem: bool = False
    folders: tuple[str, ...] = ("",)
    other: str | None = None
    unclear: bool = False


@dataclass
class Source:
    """A data set's folder while its annotations are read.

    `files` are all files below it and below `roots`, other folders of images; `chosen` hold annotations. `unread` counts what
    is not read by its kind, `remarks` what was read in a special way, and `bad` has what is wrong, each with its place.
    `objects_left` are those of `unread` that are objects or labels, `lost` counts the entries of images that were not read as
    labels or boxes; `marked` are those of them whose images a reader that reads ahead marks as unclear itself. With
    `only_boxes` (bounding_boxes) a class without a name is no error, and all that is wrong is `malformed`; `hook` takes each
    object of JSON as it is parsed.
    """

    folder: Folder
    files: tuple[str, ...]
    chosen: tuple[str, ...] = ()
    roots: tuple[str, ...] = ()
    unread: Counter[str] = field(default_factory=Counter)
    remarks: Counter[str] = field(default_factory=Counter)
    bad: list[tuple[str, str]] = field(default_factory=list)
    malformed: list[str] = field(default_factory=list)
    tool: str = ""
    objects_left: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    marked: int = 0
    only_boxes: bool = False
    hook: Callable[[dict[str, Any]], Any] | None = None
    _last: tuple[str, Any] = ("", None)  # what was parsed last: a file is recognised, then read

    def refuse(self, place: str, problem: str) -> None:
        """Note what is wrong with an image, a label or a file."""
        if self.only_boxes:
            self.drop_box(place, problem)
            return
        self.bad.append((place, problem))
        self.lost += 1

    def drop_box(self, place: str, problem: str) -> None:
        """Note an object that can't be read as a box."""
        self.malformed.append(f"{problem}: {place}")
        self.lost += 1

    def leave_object(self, kind: str, count: int = 1) -> None:
        """Note objects or labels of a kind that is not read."""
        self.unread[kind] += count
        self.objects_left[kind] += count
        self.lost += count

    def place(self, path: str, detail: str = "") -> str:
        """Where something stands, for people."""
        whole = path if path.startswith("/") or "://" in path else f"{self.folder.url.rstrip('/')}/{path}".rstrip("/")
        return f"{whole}, {detail}" if detail else whole

    def head(self, path: str) -> str:
        """The text of a file's first bytes."""
        data = self.folder.read_range(path, 0, HEAD)
        return data.decode(_encoding(data), "replace")

    def text(self, path: str) -> str:
        """The text of a file; raises ValueError where it is none."""
        return self.decoded(path, self.folder.read(path))

    def decoded(self, path: str, data: bytes) -> str:
        """A file's bytes as text; raises ValueError where they are none."""
        try:
            return data.decode(_encoding(data))
        except UnicodeDecodeError as error:
            raise ValueError(
                f"annotations must be UTF-8, got byte {data[error.start]:#x}: {self.place(path)}. Save it as UTF-8"
            ) from error

    def texts(self, paths: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Paths with the texts of their files; raises ValueError where one is none."""
        return ((path, self.decoded(path, data)) for path, data in self.contents(paths))

    def contents(self, paths: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """Paths with the bytes of their files, read side by side on object stores."""
        with ThreadPoolExecutor(1 if self.folder.is_local else REMOTE_READS) as threads:
            for start in range(0, len(paths), CHUNK):
                chunk = paths[start : start + CHUNK]
                found = map(self.folder.read, chunk) if self.folder.is_local else threads.map(self.folder.read, chunk)
                yield from zip(chunk, found, strict=True)

    def json(self, path: str) -> Any:
        """The content of a JSON file; raises ValueError where it is none."""
        if self._last[0] != path:
            self._last = ("", None)  # two large files would not fit into memory together
            self._last = (path, self.parsed(path, self.text(path)))
        return self._last[1]

    def parsed(self, path: str, text: str) -> Any:
        """A file's text as JSON; raises ValueError where it is none."""
        try:
            return parse_json(text, self.hook)
        except ValueError as error:
            raise ValueError(f"annotations must be JSON, got {error}: {self.place(path)}") from error

    def json_lines(self, path: str) -> Iterator[tuple[str, Any]]:
        """The lines of a file of JSON Lines, each with its place; those that are none are refused, and empty ones skipped.

        Only line feeds end lines: JSON may have other characters that do in Python, such as U+2028, in its texts.
        """
        text, start, number = self.text(path), 0, 0
        while start < len(text):
            end = text.find("\n", start)
            line, start, number = text[start : end if end >= 0 else None], end + 1 if end >= 0 else len(text), number + 1
            place = self.place(path, f"line {number}")
            try:
                content = parse_json(line) if line.strip() else None
            except ValueError as error:
                self.refuse(place, f"a line must be a JSON object, got {error}")
                continue
            if line.strip():
                yield place, content

    def json_files(self, is_known: Callable[[Any], bool], rule: str) -> Iterator[tuple[str, Any]]:
        """The chosen files of a format that has one per image, each with its content; those that are none are refused."""
        for path, text in self.texts(self.chosen):
            try:
                content = self.parsed(path, text)
            except ValueError as error:
                self.refuse(self.place(path), str(error).removesuffix(f": {self.place(path)}"))
                continue
            if is_known(content):
                yield path, content
            else:
                self.refuse(self.place(path), rule)

    def size_of(self, path: str) -> tuple[int, int] | None:
        """The width and height of an image as stored; None where it can't be read."""
        try:
            shape = read_shape(lambda size: self.folder.read(path) if size is None else self.folder.read_range(path, 0, size))
        except OSError:
            return None
        return (shape.width, shape.height) if shape else None

    @cached_property
    def files_set(self) -> frozenset[str]:
        """All files, for asking whether one is there."""
        return frozenset(self.files)

    @cached_property
    def own(self) -> tuple[str, ...]:
        """The files below the folder itself: those of other roots hold images, never annotations."""
        return tuple(path for path in self.files if not path.startswith("/") and "://" not in path)

    @cached_property
    def pictures(self) -> tuple[str, ...]:
        """The files that have the ending of an image."""
        return tuple(path for path in self.files if ending_of(path) in IMAGE_ENDINGS)

    @cached_property
    def pictures_set(self) -> frozenset[str]:
        """The same, for asking whether a file is one."""
        return frozenset(self.pictures)

    @cached_property
    def _picture_stems(self) -> frozenset[str]:
        return frozenset(path.rpartition("/")[2].rpartition(".")[0].lower() for path in self.pictures)

    def has_picture(self, path: str) -> bool:
        """Whether some image has a path's name, in any folder and case; its ending may be absent, or of another kind."""
        name = path.replace("\\", "/").rpartition("/")[2].lower()
        return bool(name) and (name.rpartition(".")[0] if ending_of(name) in IMAGE_ENDINGS else name) in self._picture_stems

    def below(self, name: str) -> Iterator[str]:
        """The images below a folder."""
        start = f"{name}/" if name else ""
        return (path for path in self.pictures if path.startswith(start))


def _encoding(data: bytes) -> str:
    """UTF-8, or what a byte order mark says, as Excel writes it."""
    return "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
