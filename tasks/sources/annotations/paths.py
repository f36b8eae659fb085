"""Paths as annotation tools of any system write them: their parts and the splits that they name."""

from collections.abc import Sequence

SPLIT_OF = {
    **dict.fromkeys(("train", "training", "train2014", "train2017", "trn"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "validate", "val2014", "val2017", "dev", "eval"), "validation"),
    **dict.fromkeys(("test", "testing", "test2014", "test2015", "test2017", "tst"), "test"),
}


def folder_of(path: str) -> str:
    """The folder of a path; empty at the top."""
    return path.rpartition("/")[0]


def stem_of(path: str) -> str:
    """A path without its ending."""
    folder, slash, name = path.rpartition("/")
    stem, dot, _ = name.rpartition(".")
    return f"{folder}{slash}{stem if dot and stem else name}"


def join(*parts: str) -> str:
    """Paths one below the other, without `.` and with `..` followed; empty parts fall away."""
    out: list[str] = []
    for part in "/".join(part for part in parts if part).split("/"):
        if part == ".." and out and out[-1] != "..":
            out.pop()
        elif part not in ("", "."):
            out.append(part)
    return "/".join(out)


def split_of(name: str) -> str | None:
    """The split that a name means, alone or by one of its words: `instances_val2017.json` is validation's."""
    stem = stem_of(name.rpartition("/")[2]).lower().strip("_")
    if stem in SPLIT_OF:
        return SPLIT_OF[stem]
    words = stem.replace("-", "_").replace(".", "_").replace(" ", "_").split("_")
    splits = {SPLIT_OF[word] for word in words if word in SPLIT_OF}
    return splits.pop() if len(splits) == 1 else None


def split_of_path(path: str) -> str | None:
    """The split that a file's own name means, else that of the folder nearest to it whose whole name is a split's."""
    *folders, name = path.split("/")
    return split_of(name) or split_of_folders(folders)


def split_of_folders(folders: Sequence[str]) -> str | None:
    """The split of the last of some folders whose whole name is a split's."""
    found = [SPLIT_OF[folder.lower()] for folder in folders if folder.lower() in SPLIT_OF]
    return found[-1] if found else None
