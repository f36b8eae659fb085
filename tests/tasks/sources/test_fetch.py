"""Images read ahead from a store: in the plan's order, within a window of objects and of bytes."""

import errno
import random
import threading
import time

import fsspec
import pytest

from imagerecords import tasks
from imagerecords.schemas.receipt import Reason, Rejected
from imagerecords.tasks.discover import discover_images
from imagerecords.tasks.sources.fetch import fetch_images
from imagerecords.tasks.storage.folders import open_folder

SIZES = [random.Random(number).choice([10, 200, 900, 3000]) for number in range(60)]
LARGEST = max(SIZES)


class Watched:
    """The store's own reader, some calls slower than others; `asked` are the sizes of the files it was asked for so far."""

    def __init__(self, source, s3_reader, reader=tasks.sources.fetch.bulk_reader):
        self.read = reader(source, s3_reader)
        self.asked = []
        self.lock = threading.Lock()

    def __call__(self, name, size, version):
        with self.lock:
            self.asked.append(size)
        time.sleep(random.Random(name).random() / 200)
        return self.read(name, size, version)


@pytest.fixture
def store(tmp_path, monkeypatch):
    """Files of all sizes in memory, and the reader that fetches them; the plan's order is not that of their sizes."""
    fs = fsspec.filesystem("memory")
    for number, size in enumerate(SIZES):
        fs.pipe_file(f"/{tmp_path.name}/cat/{number:02}.jpg", number.to_bytes() * size)
    readers = []

    def watched(source, s3_reader):
        readers.append(Watched(source, s3_reader))
        return readers[-1]

    monkeypatch.setattr(tasks.sources.fetch, "bulk_reader", watched)
    yield f"memory://{tmp_path.name}", readers
    fs.rm(f"/{tmp_path.name}", recursive=True)


def fetched(store, settings):
    """Each image's bytes, with the objects and bytes that were asked for and not worked on yet when it came."""
    url, readers = store
    done = 0
    for position, (image, data) in enumerate(fetch_images(open_folder(url, {}), discover_images(settings).images, settings)):
        asked = list(readers[0].asked)
        yield data, len(asked) - position, sum(asked) - done
        done += image.size


@pytest.mark.parametrize(("objects", "size"), [(1, 10**9), (4, 10**9), (60, 5000), (60, 100), (4, 1000)])
def test_what_is_read_ahead_stays_within_objects_and_bytes_and_in_order(store, make_settings, objects, size):
    settings = make_settings(train_directory=store[0], read_ahead=objects, read_ahead_bytes=size)
    came = list(fetched(store, settings))
    assert [data for data, *_ in came] == [number.to_bytes() * length for number, length in enumerate(SIZES)]
    assert max(count for _, count, _ in came) <= objects
    assert max(held for *_, held in came) <= max(size, LARGEST)  # one that is larger than all that may be held comes alone
    if min(objects, size // LARGEST) > 1:
        assert max(count for _, count, _ in came) > 1, "nothing was read ahead"


def test_what_is_too_large_is_not_read(store, make_settings):
    settings = make_settings(train_directory=store[0], max_bytes=900)
    rejected = [data for data, *_ in fetched(store, settings) if isinstance(data, Rejected)]
    assert {each.reason for each in rejected} == {Reason.TOO_MANY_BYTES}
    assert len(rejected) == SIZES.count(3000)
    assert 3000 not in store[1][0].asked


def test_an_error_of_the_store_names_the_image(store, make_settings, monkeypatch):
    def silent(*_):
        raise TimeoutError(errno.ETIMEDOUT, "no answer")

    monkeypatch.setattr(Watched, "__call__", silent)
    with pytest.raises(TimeoutError, match=r"no answer: '.*cat/00\.jpg'"):
        list(fetched(store, make_settings(train_directory=store[0])))


def test_one_who_stops_early_leaves_no_thread_reading(store, make_settings):
    settings = make_settings(train_directory=store[0], read_ahead=4)
    images = fetched(store, settings)
    next(images)
    images.close()
    time.sleep(0.1)
    assert len(store[1][0].asked) <= 5
