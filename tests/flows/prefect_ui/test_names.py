"""The short names of outputs: fit for artifacts' keys, readable, one per output."""

import re

import pytest

from imagerecords.flows.prefect_ui.names import output_name
from imagerecords.tasks.storage.folders import open_folder


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("/data/records/flowers", "records-flowers-"),
        ("/data/Records of 2026/v1.2", "records-of-2026-v1-2-"),
        ("/" + "long" * 40, "long"),
        ("/データ/花", ""),
        ("memory://a/b", "a-b-"),
    ],
)
def test_a_name_has_the_last_words_of_its_place(url, words):
    name = output_name(open_folder(url, {}))
    assert name.startswith(words)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)
    assert len(name) <= 50


def test_two_outputs_have_two_names():
    names = {output_name(open_folder(url, {})) for url in ("/a/x/y", "/b/x/y", "/b/x/y/", "memory://b/x/y")}
    assert len(names) == 3
