"""Pillow's own test images: no crash, no hang, every image counted, and the guarantees for each image written."""

import io
import multiprocessing
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from PIL import Image

from imagerecords.schemas.receipt import Reason, Rejected
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.audit.folder import audit_folder
from imagerecords.tasks.images.process import RgbJpeg, process_image
from tests.acceptance.torture_set import torture_directory

DEADLINE = 120  # seconds an image may take on a busy machine; the slowest takes two on an idle one
AT_LEAST = 1_000
SETTINGS = BuildSettings(output_directory="unused", train_directory="unused")


def judge(path: str) -> RgbJpeg | tuple[Reason, str]:
    """What becomes of a file; in a worker process."""
    try:
        return process_image(Path(path).read_bytes(), SETTINGS)
    except Rejected as rejected:
        return rejected.reason, rejected.message


@pytest.fixture(scope="module")
def files() -> list[Path]:
    directory = torture_directory()
    if not directory.exists():
        pytest.skip(f"the torture set is not there, or make torture could not fetch it: {directory}")
    return sorted(path for path in directory.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def outcomes(files: list[Path]) -> dict[Path, RgbJpeg | tuple[Reason, str]]:
    """What became of each file; one at which a worker crashes or hangs fails here, and the pool's end ends its workers."""
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        results = {path: pool.apply_async(judge, (str(path),)) for path in files}
        return {path: result.get(timeout=DEADLINE) for path, result in results.items()}


def test_every_file_has_one_outcome(files, outcomes, capsys):
    assert len(files) > AT_LEAST
    table = Counter()
    for path, outcome in outcomes.items():
        if isinstance(outcome, RgbJpeg):
            done = "unchanged" if outcome.encoded == path.read_bytes() else "re-encoded"
            table[outcome.source_format, done] += 1
        else:
            reason, message = outcome
            assert isinstance(reason, Reason)
            assert message
            table[path.suffix.lower().removeprefix(".").upper() or "no ending", reason.value] += 1
    with capsys.disabled():
        print(f"\n{'format':12}outcome")
        for (kind, done), count in sorted(table.items()):
            print(f"{kind:12}{done:16}{count:5}")
    assert sum(count for (_, done), count in table.items() if done in {"unchanged", "re-encoded"}) > AT_LEAST * 3 // 4


def test_each_written_image_decodes_to_what_is_recorded(tf, outcomes):
    broken = []
    for path, jpeg in outcomes.items():
        if not isinstance(jpeg, RgbJpeg):
            continue
        shape = tuple(tf.io.decode_jpeg(jpeg.encoded, channels=3).shape)
        with Image.open(io.BytesIO(jpeg.encoded)) as image:
            image.load()
            seen = (image.mode, image.size)
        if shape != (jpeg.height, jpeg.width, 3) or seen != ("RGB", (jpeg.width, jpeg.height)):
            broken.append((path.name, shape, seen, jpeg.height, jpeg.width))
        assert jpeg.encoded.startswith(b"\xff\xd8")
    assert broken == []


def test_a_build_of_them_balances_its_books(files, tmp_path, build):
    """Found by the flow's own steps in worker processes, and read back by audit."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "torture").symlink_to(torture_directory())
    summary = build(
        train_directory=tmp_path / "in",
        output_directory=tmp_path / "out",
        recursive=True,
        ignore=(),
        executor="processes",
        train_shards=4,
        max_rejected_fraction=1,
    )
    (train,) = summary.splits
    assert train.found == train.written + sum(train.rejected.values()) == len(files)
    manifest = pq.read_table(tmp_path / "out/manifest.parquet").to_pylist()
    assert len(manifest) == len(files)
    assert Counter(row["reason"] for row in manifest if row["reason"]) == train.rejected
    assert all(row["message"] for row in manifest if row["reason"])
    assert audit_folder(str(tmp_path / "out"), {}).problems == ()
