"""Records by their offsets: files stay open up to a number, whichever threads read."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from imagerecords.schemas.frame import frame
from imagerecords.tasks.records import random_access
from imagerecords.tasks.records.random_access import Place, RandomReader


def write(path, data):
    head, foot, crc = frame(data)
    path.write_bytes(head + data + foot)
    return path.name, Place(0, 0, len(head + data + foot), crc)


def open_files():
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts what is in /proc")
def test_no_more_files_are_open_than_allowed_and_none_afterwards(tmp_path, monkeypatch):
    monkeypatch.setattr(random_access, "OPEN_FILES", 3)
    written = [write(tmp_path / f"{number}", bytes([number])) for number in range(20)]
    reader = RandomReader(str(tmp_path), {})
    before = open_files()
    with ThreadPoolExecutor(4) as threads:
        datas = list(threads.map(lambda each: reader.read(each[0], [each[1]])[0], written * 50))
    assert datas == [bytes([number]) for number in range(20)] * 50
    assert open_files() == before + 3
    reader = None
    assert open_files() == before


@pytest.mark.parametrize("crc", [None, 1])
def test_another_crc_than_expected_is_a_problem_even_of_a_sound_record(tmp_path, crc):
    name, place = write(tmp_path / "file", b"data")
    place = place._replace(crc=crc)
    fault = random_access.frame_problem((tmp_path / name).read_bytes(), place)
    assert (fault is None) == (crc is None)
