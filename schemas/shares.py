"""The share of a data set's images that each split has, in all and by label, and the labels of which it has none."""

from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict

from imagerecords.schemas.messages import plural

NOTICEABLE = 0.1  # of the share that was asked for; and two images


class SplitShare(BaseModel):
    """A split's share of all images, the least and greatest share of a label, and some of the labels without an image in it.

    `least_label` and `most_label` are the labels of these shares, `missing_labels` the number of labels without an image.
    `asked` is the fraction that the settings ask for, where the share is noticeably another: many labels of few images, large
    groups, or chance.
    """

    model_config = ConfigDict(frozen=True)

    split: str
    share: float
    asked: float | None = None
    least: float
    least_label: str
    most: float
    most_label: str
    missing_labels: int = 0
    missing: tuple[str, ...] = ()

    @classmethod
    def of(cls, split: str, own: Mapping[str, int], total: Mapping[str, int], asked: float | None) -> Self:
        """The share of the split that has `own` of each label's `total` images, and should have `asked` of them."""
        shares = {label: own.get(label, 0) / count for label, count in sorted(total.items()) if count}
        least, most = min(shares, key=shares.__getitem__), max(shares, key=shares.__getitem__)
        missing = [label for label, share in shares.items() if not share]
        images = sum(total.values())
        share = sum(own.values()) / images
        away = abs(share - asked) if asked else 0
        return cls(
            split=split,
            share=share,
            asked=asked if asked and away > NOTICEABLE * asked and away * images >= 2 else None,
            least=shares[least],
            least_label=least,
            most=shares[most],
            most_label=most,
            missing_labels=len(missing),
            missing=tuple(missing[:10]),
        )

    def line(self) -> str:
        """One line about the split."""
        line = f"{self.split} has {self.share:.1%} of the images"
        if self.asked is not None:
            line += f" ({self.asked:.1%} asked for)"
        if self.least < self.most:
            line += f": {self.least:.1%} of {self.least_label} to {self.most:.1%} of {self.most_label}"
        if self.missing_labels:
            more = self.missing_labels - len(self.missing)
            names = ", ".join(self.missing) + (f" and {more:,} more" if more else "")
            labels = f"{plural(self.missing_labels, 'label')}: " if self.missing_labels > 1 else ""
            line += f"; no image of {labels}{names}"
        return line


def shares_of(splits: Mapping[str, Mapping[str, int]], asked: Mapping[str, float]) -> tuple[SplitShare, ...]:
    """The shares of these splits, whose images are counted by label; none for a single split. Train only where it has gaps.

    `asked` are the shares that some splits should have.
    """
    total: dict[str, int] = {}
    for counts in splits.values():
        for label, count in counts.items():
            total[label] = total.get(label, 0) + count
    if len(splits) < 2 or not any(total.values()):
        return ()
    shares = [SplitShare.of(split, counts, total, asked.get(split)) for split, counts in splits.items()]
    return tuple(share for share in shares if share.split != "train" or share.missing_labels)
