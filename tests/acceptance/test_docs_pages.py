"""Pages of docs/ whose commands print what they show, and whose Python code runs."""

import shutil

import pytest

import imagerecords
from tests.acceptance.docs_pages import wrong_steps
from tests.acceptance.installed import ROOT


@pytest.mark.parametrize("page", ["coming-from.md", "command-line.md"])
def test_the_commands_of_a_page_print_what_it_shows(digits, page):
    assert wrong_steps((ROOT / "docs" / page).read_text(), digits()) == []


def test_the_commands_on_finished_data_sets_print_what_the_page_shows(digits):
    folder = digits()
    sources = {f"{split}_directory": folder / "data" / split for split in ("train", "validation")}
    out, damaged = folder / "out", folder / "damaged"
    imagerecords.build(**sources, output_directory=out, train_shards=4, validation_shards=2, report=False, progress=False)
    for copy in (damaged, folder / "before", folder / "after"):
        shutil.copytree(out, copy)
    shard = damaged / "train-00001-of-00004"
    data = bytearray(shard.read_bytes())
    data[20] ^= 1  # in the data of record 0
    data[7312 + 8] ^= 1  # in the length's CRC of record 7
    shard.write_bytes(data)
    (damaged / "validation-00001-of-00002").unlink()
    (folder / "takedown").write_text("train/three/0013.png\n")
    page = (ROOT / "docs/finished-data-sets.md").read_text()
    before, diff = page.split("## diff")
    assert wrong_steps(before, folder) == []
    shutil.rmtree(folder / "after")
    shutil.copytree(out, folder / "after")
    assert wrong_steps(diff, folder) == []
