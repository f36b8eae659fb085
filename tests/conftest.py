"""Fixtures of all tests: TensorFlow once per process, pictures, label folders, and a build in this process."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from PIL import Image

import tests.digests

# The same examples each time, so that a run fails by a change alone; `--hypothesis-profile=search` draws others.
for name, fixed in (("imagerecords", True), ("search", False)):
    hypothesis_settings.register_profile(
        name, deadline=None, print_blob=True, derandomize=fixed, suppress_health_check=[HealthCheck.too_slow]
    )
hypothesis_settings.load_profile("imagerecords")


@pytest.fixture(scope="session")
def tf():
    """TensorFlow, which takes seconds to import."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    import tensorflow

    return tensorflow


def _pixels(number, size, channels):
    """A smooth picture, which JPEG keeps well, different for each number."""
    width, height = size
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    waves = [np.sin((x * (channel + 1) + y * 2 + number * 0.7) * np.pi) for channel in range(channels)]
    return np.stack([(wave * 100 + 128).astype(np.uint8) for wave in waves], axis=-1)


def _picture(number=0, kind="JPEG", mode="RGB", size=(24, 16), **options):
    channels = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "CMYK": 4, "P": 3, "1": 1}[mode]
    first = "RGB" if mode == "P" else "L" if mode == "1" else mode
    image = Image.frombytes(first, size, _pixels(number, size, channels).tobytes())
    if mode != first:
        image = image.convert(mode)
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@pytest.fixture(scope="session")
def picture():
    """The bytes of a picture: `picture(number, kind="PNG", mode="L", size=(24, 16), **what Pillow's save takes)`."""
    return _picture


@pytest.fixture(scope="session")
def fill():
    """`fill(root, {"cat": 3, "dog": [b"…"]})` makes label folders with this many JPEGs, or with files of these bytes."""

    def fill(root, labels):
        root = Path(root)
        number = 0
        for label, files in labels.items():
            folder = root / label
            folder.mkdir(parents=True)
            for position in range(files) if isinstance(files, int) else range(len(files)):
                number += 1
                data = _picture(number, size=(16 + number % 5, 12)) if isinstance(files, int) else files[position]
                (folder / f"{position:03}.jpg").write_bytes(data)
        return str(root)

    return fill


@pytest.fixture(scope="session")
def digests():
    """`digests(root)` gives the SHA-256 of every file below a folder by its path there."""
    return tests.digests.digests


@pytest.fixture(scope="session")
def build():
    """`build(output_directory=…, train_directory=…, …)` builds without Prefect, on threads by default."""
    from imagerecords.flows.direct import build_directly
    from imagerecords.flows.progress import LineProgress
    from imagerecords.schemas.settings import BuildSettings

    def build(**settings):
        settings = {"executor": "threads", "workers": 2} | {name: _plain(value) for name, value in settings.items()}
        return build_directly(BuildSettings(**settings), LineProgress(lambda _: None, lambda _: None))

    return build


def _plain(value):
    return str(value) if isinstance(value, Path) else value


CLASSIC_SPEC = {"image/encoded": ([], ""), "image/class/label": ([1], -1), "image/class/text": ([], "")}


@pytest.fixture(scope="session")
def read_classic(tf):
    """`read_classic(path)` gives each record of a shard as the classic input pipeline parses it, with its decoded shape."""
    types = {"image/class/label": tf.int64}
    spec = {
        key: tf.io.FixedLenFeature(shape, types.get(key, tf.string), default_value=default)
        for key, (shape, default) in CLASSIC_SPEC.items()
    }
    spec |= {key: tf.io.FixedLenFeature([], tf.int64) for key in ("image/height", "image/width")}
    spec |= {key: tf.io.FixedLenFeature([], tf.string) for key in ("image/filename", "image/format", "image/colorspace")}

    def read(path):
        for serialized in tf.data.TFRecordDataset(str(path)):
            example = tf.io.parse_single_example(serialized, spec)
            record = {key.removeprefix("image/"): value.numpy() for key, value in example.items()}
            record["pixels"] = tf.io.decode_jpeg(example["image/encoded"], channels=3).numpy()
            yield record

    return read


def pytest_xdist_make_scheduler(config, log):
    """Two at a time by file, so that what its tests share is made once; those of one Prefect installation stay together."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            file = nodeid.partition("::")[0]
            return "production" if "/test_production" in file else file

    return ByFile(config, log)
