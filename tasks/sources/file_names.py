"""Names of files: the endings of images, and whether a name can be written as UTF-8."""

# Only to find an image that its file names without an ending; what is an image is judged by content, in convert.
IMAGE_ENDINGS = frozenset(
    [
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".png",
        ".gif",
        ".bmp",
        ".webp",
        ".tif",
        ".tiff",
        ".avif",
        ".heic",
        ".heif",
        ".ppm",
        ".pgm",
        ".pbm",
        ".pnm",
        ".mpo",
        ".jp2",
        ".j2k",
        ".jxl",
        ".dng",
        ".nef",
        ".cr2",
        ".arw",
        ".tga",
        ".ico",
        ".psd",
    ]
)


def ending_of(path: str) -> str:
    """A path's ending in lower case, with its dot."""
    stem, dot, ending = path.rpartition("/")[2].rpartition(".")
    return f".{ending.lower()}" if dot and stem else ""


def is_utf8(path: str) -> bool:
    """Whether a path can be written as UTF-8; names on a disk need not be."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
