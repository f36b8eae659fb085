"""The walk through local folders."""

import os
import tempfile
from pathlib import Path

import pytest

from imagerecords.schemas.errors import BadLayout
from imagerecords.tasks.sources.walk import walk_files
from imagerecords.tasks.storage.folders import open_folder

NOBODY = 65534


def test_a_folder_that_may_not_be_read_is_named():
    with tempfile.TemporaryDirectory() as root:  # not tmp_path: nobody but its owner may enter that
        Path(root).chmod(0o755)
        (Path(root) / "dog").mkdir(mode=0)
        folder = open_folder(root, {})
        if os.getuid() == 0:
            os.seteuid(NOBODY)
        try:
            with pytest.raises(BadLayout, match=r"must be readable, got Permission denied: .*/dog\."):
                walk_files(folder, "")
        finally:
            os.seteuid(os.getuid())
