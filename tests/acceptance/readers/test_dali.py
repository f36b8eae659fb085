"""DALI reads what was built, with our index; on the processor, for it needs no GPU to do so."""

import importlib.util

import pytest

if importlib.util.find_spec("nvidia") is None or importlib.util.find_spec("nvidia.dali") is None:
    pytest.skip("DALI is not in the development environment, for it takes a gigabyte: make readers", allow_module_level=True)

ALSO_THE_NAME = '    "image/filename": tfrecord.FixedLenFeature((), tfrecord.string, ""),\n}\nshards'
FOUND = """
def found():
    left = pipeline.epoch_size("train")
    assert left == 57
    while left:
        names, labels, encoded = pipeline.run()
        for number in range(min(left, 8)):
            yield names.at(number).tobytes(), labels.at(number)[0], encoded.at(number).tobytes()
            left -= 1
"""


def test_dali_reads_each_record_once_with_our_index(block, run, expected):
    code = block("DALI").replace("}\nshards", ALSO_THE_NAME)
    returned = '    return fn.decoders.image(record["image/encoded"]), record["image/class/label"]\n'
    assert returned in code
    stored = '    return record["image/filename"], record["image/class/label"], record["image/encoded"]\n'
    assert run(code.replace(returned, stored), FOUND) == expected("train")


def test_the_pages_code_decodes_pictures(ran):
    pictures, labels = ran("DALI")["pipeline"].run()
    assert len(pictures) == len(labels) == 8
    assert {(pictures.at(number).shape[0], pictures.at(number).shape[2]) for number in range(8)} == {(12, 3)}
    assert all(1 <= labels.at(number)[0] <= 3 for number in range(8))
