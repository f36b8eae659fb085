"""Findings over a whole manifest: duplicates, leaks between splits, image quality, labels with few images.

Only written images count, and each counts once in each of three searches:

- exact: images of one SHA-256 (of the input file) are a group: across splits (leakage), across labels (a label conflict), in
  both where it is both, and else within one label of one split.
- near: groups of images whose difference hashes are joined by steps of at most NEAR_BITS bits, counted in the same way. Exact
  duplicates count as one image there, and a group of exact duplicates alone is none. Blank images, and those without a
  meaningful hash, are in none. Where too many pairs would be near by chance, fewer bits are near; none, where even equal
  hashes are chance.
- image quality: a blank image is not also dark, bright or blurred. Tiny and extreme sizes are counted independently of that.

Thresholds are beyond any image that people would mean to have, so that findings are few and worth checking.

Beside them the manifest's notes on single JPEGs are counted: odd headers, and what metadata=keep leaves in.
"""

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict

from imagerecords.schemas.messages import plural, some

# Bits of 64. Of photographs re-encoded (quality 50) or halved, 95 to 99 % stay within 3; resized to two thirds 73 %, with a
# border of 2 % cut off 27 %. Hashes of different photographs differ in 32, in the median, and one pair in a hundred in 19.
NEAR_BITS = 3
# Standard deviation of grey, 0 to 1: 2.5 steps of 255. JPEG's rounding and a sensor's noise, averaged, stay below it; of
# 1,200 crops of photographs the flattest had 0.04.
BLANK_CONTRAST = 0.01
# Mean grey, 0 to 1: 15 steps of 255 from black. The darkest of the same crops had 0.16.
DARK_BRIGHTNESS = 0.06
# 7 steps of 255 from white: things photographed on white are below.
BRIGHT_BRIGHTNESS = 0.97
# The variance of the Laplacian on a grid of 32 to 63 grey means. Two of the same crops are below: background out of focus.
# Blurred by a Gaussian of 2 % of the shorter side 2 in 100 do, of 4 % 29, of 6 % 78. Rounding to 8 bits alone makes 3e-5.
BLURRED_SHARPNESS = 1e-4
# Smaller pictures are icons, digits, drawn shapes: smooth on purpose.
BLURRED_MIN_SIDE = 256
# Pixels of the shorter side: below the smallest pictures that people train on (CIFAR's, 32).
TINY_SIDE = 32
# Longer by shorter side: panoramas are 3:1, and a square crop of 4:1 keeps a quarter of the picture.
EXTREME_ASPECT = 4.0
# Training images: with fewer, a label's accuracy is mostly chance.
FEW_IMAGES = 10


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Groups(_Frozen):
    """The number of groups, and of the images in all of them."""

    groups: int = 0
    images: int = 0


class Duplicates(_Frozen):
    """Groups of images that are the same, or nearly; a group across splits and labels is in both, and in `in_both`."""

    across_splits: Groups = Groups()
    across_labels: Groups = Groups()
    within: Groups = Groups()
    in_both: Groups = Groups()

    @property
    def total(self) -> Groups:
        """All groups, each once."""
        kinds = self.across_splits, self.across_labels, self.within
        return Groups(
            groups=sum(kind.groups for kind in kinds) - self.in_both.groups,
            images=sum(kind.images for kind in kinds) - self.in_both.images,
        )


class FindingCounts(_Frozen):
    """The findings in numbers; `measured` is the number of images with metrics, for image quality and near duplicates.

    `near_bits` is the distance up to which `near` is counted; None where it is not counted at all. Where it is not NEAR_BITS,
    `near_by_chance` is the expected number of pairs that are within NEAR_BITS by chance.
    """

    exact: Duplicates = Duplicates()
    near: Duplicates = Duplicates()
    near_bits: int | None = NEAR_BITS
    near_by_chance: int = 0
    measured: int = 0
    blank: int = 0
    dark: int = 0
    bright: int = 0
    blurred: int = 0
    tiny: int = 0
    extreme_aspect_ratio: int = 0
    odd_header: int = 0
    has_gps: int = 0
    has_thumbnail: int = 0
    labels_with_few_images: int = 0
    missing_labels: int = 0

    def phrases(self) -> Iterator[str]:
        """A phrase per kind of finding, the most severe first; none for a count of 0."""
        for duplicates, kind in ((self.exact, "exact duplicates"), (self.near, "near duplicates")):
            for found, where in (
                (duplicates.across_splits, " across splits"),
                (duplicates.across_labels, " across labels"),
                (duplicates.within, ""),
            ):
                if found.groups:
                    yield f"{found.images:,} {kind}{where} ({plural(found.groups, 'group')})"
        if self.missing_labels:
            yield _missing(self.missing_labels)
        if self.labels_with_few_images:
            yield _few(self.labels_with_few_images)
        for name in ("blank", "dark", "bright", "blurred", "tiny"):
            if count := getattr(self, name):
                yield plural(count, f"{name} image")
        if self.extreme_aspect_ratio:
            yield f"{plural(self.extreme_aspect_ratio, 'image')} with an extreme aspect ratio"
        if self.odd_header:
            yield f"{plural(self.odd_header, 'image')} with an odd JPEG header, which no pixel depends on"
        if self.has_gps:
            yield f"{plural(self.has_gps, 'image')} with a GPS position in the metadata"
        if self.has_thumbnail:
            yield f"{plural(self.has_thumbnail, 'image')} with an embedded thumbnail"

    def limit_of_near(self) -> str:
        """What near duplicates are not counted for, and why; empty where they are counted as always."""
        if not self.near_by_chance:
            return ""
        pairs = plural(self.near_by_chance, "near pair")
        if self.near_bits is None:
            return f"near duplicates not counted: pictures so alike make {pairs} by chance"
        within = f"within {plural(self.near_bits, 'bit')}" if self.near_bits else "with equal hashes"
        return f"near duplicates counted {within}: within {NEAR_BITS}, chance makes {pairs}"


class ImageReference(_Frozen):
    """A written image and the place of its record; `value` is the metric that it was found by."""

    split: str
    path: str
    label: str
    shard: str
    offset: int
    value: float | None = None


class GroupExample(_Frozen):
    """A group of duplicates; `members` are some of its images, the first of each split and label before others."""

    images: int
    members: tuple[ImageReference, ...]


class DuplicateExamples(_Frozen):
    """Some groups of each kind, the largest first."""

    across_splits: tuple[GroupExample, ...] = ()
    across_labels: tuple[GroupExample, ...] = ()
    within: tuple[GroupExample, ...] = ()


class LabelExample(_Frozen):
    """A label with few training images, or with none in a split, and how many of its images the split has."""

    label: str
    split: str
    images: int


class Findings(_Frozen):
    """The counts, and for each some examples in a fixed order; `images` by the names that the counts have."""

    counts: FindingCounts = FindingCounts()
    exact: DuplicateExamples = DuplicateExamples()
    near: DuplicateExamples = DuplicateExamples()
    images: dict[str, tuple[ImageReference, ...]] = {}
    labels_with_few_images: tuple[LabelExample, ...] = ()
    missing_labels: tuple[LabelExample, ...] = ()

    def lines(self) -> tuple[str, ...]:
        """The phrases of the counts, those on labels with the first of their names."""
        named = {
            _few(self.counts.labels_with_few_images): [f"{one.label} ({one.images:,})" for one in self.labels_with_few_images],
            _missing(self.counts.missing_labels): [f"{one.label} ({one.split})" for one in self.missing_labels],
        }
        return tuple(f"{phrase}: {some(named[phrase])}" if named.get(phrase) else phrase for phrase in self.counts.phrases())


def _few(count: int) -> str:
    return f"{plural(count, 'label')} with fewer than {FEW_IMAGES} training images"


def _missing(count: int) -> str:
    return f"{plural(count, 'label')} missing in a split"
