"""One benchmark image: a crop of a photo, saved as cameras and web sites would; image `number` depends on its number alone.

Sizes, qualities and the awkward few are chosen so that the whole resembles ImageNet: mostly about 500×375, mean 108 KB.
The bytes also depend on the versions of Pillow and libjpeg.
"""

import functools
import random
from pathlib import Path
from typing import Any

from PIL import Image, ImageEnhance, ImageFilter, ImageStat

from benchmarks.photos import LABELS

# Width and height, and how often of 100.
SIZES = {
    (500, 375): 40,
    (375, 500): 14,
    (500, 333): 14,
    (333, 500): 6,
    (500, 500): 8,
    (640, 480): 8,
    (400, 300): 5,
    (800, 600): 3,
    (256, 256): 1,
    (1024, 768): 1,
}
ENDINGS = {".jpg": 88, ".JPEG": 8, ".JPG": 2, ".jpeg": 2}
ROTATIONS = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
EXIF_ORIENTATION = 0x112
Photo = tuple[Image.Image, Image.Image]


def make_image(number: int, photos: dict[str, Path], directory: Path) -> tuple[str, int]:
    """Write image `number` below `directory`; returns its kind and its bytes."""
    draw = random.Random(f"crop {number}")
    labels = sorted(LABELS)
    label = labels[number % len(labels)]
    image = _grained(_crop(open_photo(photos[draw.choice(LABELS[label])]), _size(draw), draw), draw)
    stem = directory / label / f"{label}_{number:06d}"
    path, kind = _save_png(image, stem, draw) if draw.random() < 0.05 else _save_jpeg(image, stem, draw)
    return kind, path.stat().st_size


@functools.cache
def open_photo(path: Path) -> Photo:
    """A photo, and a map at 1/8 scale of where its detail is."""
    with Image.open(path) as image:
        whole = image.convert("RGB")
    return whole, whole.reduce(8).convert("L").filter(ImageFilter.FIND_EDGES)


def _size(draw: random.Random) -> tuple[int, int]:
    """A usual size, a few pixels off now and then."""
    ((width, height),) = draw.choices(list(SIZES), list(SIZES.values()))
    return width + draw.randint(-6, 6) * (draw.random() < 0.3), height + draw.randint(-8, 8) * (draw.random() < 0.4)


def _crop(photo: Photo, size: tuple[int, int], draw: random.Random) -> Image.Image:
    """A part of the photo with the size's shape, scaled to it: of six places, one with more detail than most."""
    whole, edges = photo
    width, height = size
    largest = min(whole.width / width, whole.height / height)
    places = []
    for _ in range(6):
        zoom = min(largest, 1 + draw.betavariate(1.6, 1.6) * 4)
        wide, high = width * zoom, height * zoom
        left, top = draw.uniform(0, max(0, whole.width - wide)), draw.uniform(0, max(0, whole.height - high))
        box = (left, top, min(left + wide, whole.width), min(top + high, whole.height))
        inner = (int(box[0] / 8) + 1, int(box[1] / 8) + 1, int(box[2] / 8) - 1, int(box[3] / 8) - 1)
        places.append((ImageStat.Stat(edges.crop(inner)).mean[0] * zoom**0.5, box))
    _, chosen = sorted(places)[draw.choice([2, 3, 4, 5, 5])]
    return whole.resize(size, Image.Resampling.LANCZOS, box=chosen, reducing_gap=3)


def _grained(image: Image.Image, draw: random.Random) -> Image.Image:
    """The image in another light, perhaps mirrored, mostly with a sensor's grain, which a scaled-down photo has lost."""
    if draw.random() < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    image = ImageEnhance.Brightness(image).enhance(draw.uniform(0.8, 1.2))
    image = ImageEnhance.Color(image).enhance(draw.uniform(0.6, 1.4))
    if draw.random() < 0.7:
        grain = Image.frombytes("L", image.size, draw.randbytes(image.width * image.height))
        image = Image.blend(image, Image.merge("RGB", (grain, grain, grain)), draw.uniform(0.04, 0.12))
    return image


def _save_png(image: Image.Image, stem: Path, draw: random.Random) -> tuple[Path, str]:
    """Save as PNG, half as wide and high as a JPEG so that the bytes are alike; some with alpha, a palette, or grey."""
    chance = draw.random()
    if chance < 0.10:
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    elif chance < 0.20:
        image = image.quantize(256)
    elif chance < 0.25:
        image = image.convert("L")
    elif image.width * image.height > 260 * 200:
        image = image.resize((image.width // 2, image.height // 2), Image.Resampling.BOX)
    path = stem.with_name(f"{stem.name}.png")
    image.save(path, compress_level=6)
    return path, f"PNG {image.mode}"


def _save_jpeg(image: Image.Image, stem: Path, draw: random.Random) -> tuple[Path, str]:
    """Save as JPEG; some progressive, grey, CMYK, or rotated by EXIF."""
    options: dict[str, Any] = {"quality": draw.choice([93, 95, 95, 96, 96, 97]), "subsampling": draw.choice([0, 0, 2, 2, 2])}
    if draw.random() < 0.05:
        options["progressive"] = True
    chance = draw.random()
    if chance < 0.023:
        image = image.convert("L" if chance < 0.02 else "CMYK")
        del options["subsampling"]
    rotated = draw.random() < 0.03
    if rotated:
        orientation = draw.choice(list(ROTATIONS))
        image = image.transpose(ROTATIONS[orientation])
        options["exif"] = Image.Exif()
        options["exif"][EXIF_ORIENTATION] = orientation
    (ending,) = draw.choices(list(ENDINGS), list(ENDINGS.values()))
    path = stem.with_name(f"{stem.name}{ending}")
    image.save(path, "JPEG", **options)
    kind = ["JPEG", image.mode, *(["progressive"] if "progressive" in options else []), *(["rotated"] if rotated else [])]
    return path, " ".join(kind)
