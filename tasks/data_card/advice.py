"""The words of the data card's problems: title, severity, what it means for training, and what to do."""

from typing import NamedTuple

from imagerecords.schemas.findings import (
    BLANK_CONTRAST,
    BLURRED_MIN_SIDE,
    BLURRED_SHARPNESS,
    BRIGHT_BRIGHTNESS,
    DARK_BRIGHTNESS,
    EXTREME_ASPECT,
    FEW_IMAGES,
    TINY_SIDE,
)

REMOVE = "Pick them, and pass the list to `imagerecords remove --list`, or to `--exclude` in the next build."


class Words(NamedTuple):
    """A problem's title, its severity, its explanation and what to do about it."""

    title: str
    severity: str
    explanation: str
    advice: str


WORDS = {
    "exact-across_splits": Words(
        "Leaks",
        "high",
        "The same image is in two splits: validation or test measures an image that the model was trained on.",
        f"Keep one image of each group. {REMOVE} `--duplicates drop` does it for a whole build; `--leakage fail` guards it.",
    ),
    "exact-across_labels": Words(
        "Label conflicts",
        "high",
        "The same image has two labels: one of them is wrong.",
        f"Keep the image under the right label. {REMOVE}",
    ),
    "missing-labels": Words(
        "Labels missing in a split",
        "high",
        "A label has no image in a split in which others have some: there it is not trained, or not measured.",
        "Add images, or move some there; with fractions, a larger `--validation_fraction` or `--test_fraction` helps.",
    ),
    "rejected": Words(
        "Rejected",
        "medium",
        "These files are not in the shards.",
        "Repair or delete the files at their source, then build again. What each reason means: docs/images.md.",
    ),
    "near-across_splits": Words(
        "Near leaks",
        "medium",
        "Nearly the same image is in two splits: encoded again, resized, or the next frame of a video.",
        f"Look at them: near is a guess. {REMOVE} `--group_pattern` keeps frames of one video in one split.",
    ),
    "near-across_labels": Words(
        "Near label conflicts", "medium", "Nearly the same image has two labels.", f"Look at them: near is a guess. {REMOVE}"
    ),
    "mislabels": Words(
        "Likely wrong labels",
        "medium",
        "All images that are most like these, by hash, brightness, contrast, sharpness and shape, have another label.",
        "Look at them: it is a guess. Correct the label at the source, or pick and remove them.",
    ),
    "shortcuts": Words(
        "Shortcuts",
        "medium",
        "A label can be recognised without looking at what is in the picture, and a model will do so.",
        "Add images of the label that differ in this, or of the others that do not; for formats and sizes, augmentation helps.",
    ),
    "few-images": Words(
        "Labels with few training images",
        "medium",
        f"A label has fewer than {FEW_IMAGES} training images: its accuracy is mostly chance.",
        "Add images, or join the label with another.",
    ),
    "exact-within": Words(
        "Duplicates",
        "low",
        "The same image is more than once in one label and split: it counts more than others.",
        f"{REMOVE} `--duplicates drop` does it for a whole build.",
    ),
    "near-within": Words(
        "Near duplicates",
        "low",
        "Nearly the same image is more than once in one label and split.",
        f"Near is a guess. {REMOVE}",
    ),
    "blank": Words("Blank", "low", f"One shade everywhere: a contrast below {BLANK_CONTRAST}.", REMOVE),
    "dark": Words("Dark", "low", f"A mean brightness below {DARK_BRIGHTNESS}, of 0 to 1.", REMOVE),
    "bright": Words("Bright", "low", f"A mean brightness above {BRIGHT_BRIGHTNESS}, of 0 to 1.", REMOVE),
    "blurred": Words(
        "Blurred",
        "low",
        f"A sharpness below {BLURRED_SHARPNESS}, of images with at least {BLURRED_MIN_SIDE} pixels on the shorter side.",
        REMOVE,
    ),
    "tiny": Words("Tiny", "low", f"Fewer than {TINY_SIDE} pixels on the shorter side.", REMOVE),
    "extreme_aspect_ratio": Words(
        "Extreme aspect ratio",
        "low",
        f"Longer by shorter side above {EXTREME_ASPECT:g}: a square crop keeps less than a quarter.",
        f"Crop them at the source. {REMOVE} `--max_aspect` rejects them in the next build.",
    ),
}
