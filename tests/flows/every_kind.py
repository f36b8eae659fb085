"""An input with one image of every kind, and of every way in which an image is written or rejected."""

from tests.flows.pictures import with_red
from tests.tasks.images.test_colour import ADOBE, rgb_profile
from tests.tasks.images.test_jpeg_check import photo
from tests.tasks.images.test_jpeg_metadata import exif_of, with_segments

BOX = (8, 16, 40, 48)


def every_kind(picture):
    """The images' bytes by their file names."""
    plain = photo(size=(64, 48))
    return {
        "plain.jpg": plain,
        "same.jpg": plain,
        "progressive.jpg": photo(seed=2, size=(80, 64), progressive=True),
        "private.jpg": with_segments(photo(seed=3, size=(64, 48)), exif_of(gps=True, thumbnail=True)),
        "turned.jpg": with_segments(photo(seed=4, size=(64, 48)), exif_of(6)),
        "partial.jpg": with_red(BOX, size=(93, 61), orientation=8),
        "grey.jpg": picture(5, mode="L", size=(40, 30)),
        "cmyk.jpg": picture(6, mode="CMYK", size=(40, 30)),
        "wide.jpg": picture(7, size=(40, 30), icc_profile=rgb_profile(ADOBE)),
        "tail.jpg": photo(seed=8, size=(64, 48)) + b"\0\0",
        "rgb.png": picture(9, kind="PNG", size=(40, 30)),
        "alpha.png": picture(10, kind="PNG", mode="RGBA", size=(40, 30)),
        "palette.png": picture(11, kind="PNG", mode="P", size=(40, 30)),
        "turned.png": with_red(BOX, orientation=3, kind="PNG"),
        "web.webp": picture(12, kind="WEBP", size=(40, 30)),
        "tiff.tif": picture(13, kind="TIFF", size=(40, 30)),
        "gif.gif": picture(14, kind="GIF", mode="P", size=(40, 30)),
        "tiny.png": picture(15, kind="PNG", size=(2, 1)),
        "cut.jpg": photo(seed=16, size=(64, 48))[:-300],
        "text.jpg": b"no picture",
        "empty.jpg": b"",
    }


def write_every_kind(root, picture):
    """The input's folder: two labels, and beside it boxes of all images in a CSV."""
    images = every_kind(picture)
    for number, (name, data) in enumerate(images.items()):
        folder = root / "in" / ("cat", "dog")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    (root / "boxes.csv").write_text("".join(f"{name},0.1,0.2,0.6,0.7\n" for name in images))
    return root / "in"
