"""Near duplicates stay in one split: at the first build, beside a group pattern, and when a data set grows."""

import io
import random

import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageDraw

from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.discover import discover_images
from imagerecords.tasks.group_near_duplicates import group_near_duplicates


def picture(seed, comment=""):
    """A picture of ellipses, the same for a seed but for the bytes of a comment."""
    chosen = random.Random(seed)
    image = Image.new("RGB", (96, 72), tuple(chosen.randrange(256) for _ in range(3)))
    draw = ImageDraw.Draw(image)
    for _ in range(14):
        x, y, r = chosen.randrange(96), chosen.randrange(72), chosen.randrange(8, 40)
        draw.ellipse((x - r, y - r // 2, x + r, y + r // 2), fill=tuple(chosen.randrange(256) for _ in range(3)))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=90, comment=comment)
    return file.getvalue()


def fill_with_pairs(root, numbers, name):
    for label in ("cat", "dog"):
        (root / label).mkdir(parents=True, exist_ok=True)
        for number in numbers:
            (root / label / f"{name}-{number}.jpg").write_bytes(picture(f"{label}-{number}", name))


def splits_of(output):
    rows = pq.read_table(output / "manifest.parquet", columns=["path", "split"]).to_pylist()
    return {row["path"]: row["split"] for row in rows}


def leaks(splits):
    """Pairs of which the two are in different splits."""
    twins = {path: path.replace("first", "other") for path in splits}
    return [path for path, twin in twins.items() if twin in splits and splits[twin] != splits[path]]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    root = tmp_path_factory.mktemp("pairs") / "in"
    fill_with_pairs(root, range(10), "first")
    fill_with_pairs(root, range(6), "other")
    (root / "cat" / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    return root


def test_near_duplicates_stay_in_one_split_also_when_the_data_set_grows(source, tmp_path, build):
    settings = {"data_directory": source, "validation_fraction": 0.4, "max_rejected_fraction": 1.0}
    summary = build(output_directory=tmp_path / "apart", **settings)
    assert summary.findings.near.across_splits.groups  # else the next lines would prove nothing
    together = settings | {"group_near_duplicates": True, "output_directory": tmp_path / "together", "append": True}
    summary = build(**together)
    before = splits_of(tmp_path / "together")
    assert (summary.findings.near.across_splits.groups, leaks(before)) == (0, [])
    assert set(before.values()) == {"train", "validation"}
    fill_with_pairs(source, range(6, 10), "other")
    build(**together)
    after = splits_of(tmp_path / "together")
    assert (after | before, leaks(after), len(after)) == (after, [], 41)


def test_groups_of_a_pattern_that_share_a_look_become_one(tmp_path):
    folder = tmp_path / "in" / "cat"
    folder.mkdir(parents=True)
    for name, seed in {"ann-1": 1, "ann-2": 2, "bob-1": 2, "bob-2": 3, "eve-1": 4}.items():
        (folder / f"{name}.jpg").write_bytes(picture(seed))
    settings = BuildSettings(
        data_directory=str(tmp_path / "in"), output_directory=str(tmp_path / "out"), group_pattern=r"/(\w+)-"
    )
    images = group_near_duplicates(discover_images(settings), settings).images
    assert images["group"].to_pylist() == ["ann", "ann", "ann", "ann", "eve"]
