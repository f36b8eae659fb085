"""Writes scikit-learn's 1,797 handwritten digits out as labelled image folders: real data for `make demo`."""

import sys
from pathlib import Path

from PIL import Image
from sklearn.datasets import load_digits

NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SIDE = 64  # pixels; the originals are 8×8 and hard to see


def make_digits(directory: Path) -> int:
    """Write `directory`/train/<label>/*.png, the same for validation, and labels.txt; returns the number of images."""
    digits = load_digits()
    for number, (pixels, digit) in enumerate(zip(digits.images, digits.target, strict=True)):
        folder = directory / ("validation" if number % 5 == 0 else "train") / NAMES[digit]
        folder.mkdir(parents=True, exist_ok=True)
        image = Image.fromarray((pixels * 255 / 16).astype("uint8")).resize((SIDE, SIDE), Image.Resampling.NEAREST)
        image.save(folder / f"{number:04d}.png")
    (directory / "labels.txt").write_text("".join(f"{name}\n" for name in NAMES))
    return len(digits.images)


if __name__ == "__main__":
    print(f"{make_digits(Path(sys.argv[1]))} images in {sys.argv[1]}")
