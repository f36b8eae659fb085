#!/bin/bash
# Hugging Face datasets leaves out the labels of a tar whose first five pictures have none.
#
# One would guess: each picture of a WebDataset tar comes with the files that share its name, and those without one have None;
# or the loader says that samples differ, as it does if the second picture has no label where the first has one.
# What happens: the columns are those of the first five samples, and they alone are compared with each other. A ".json" with
# boxes that begins at the sixth picture (the first ones show no object) is dropped without a word, for all that follow too,
# and the data set has no such column. The other way round, labels that end after six, gives None.
# Versions: datasets 5.2.0, pillow 13.0.0.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check datasets==5.2.0 pillow==13.0.0 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import io
import os
import sys
import tarfile

os.environ.update(HF_HOME=os.path.abspath("cache"), HF_HUB_OFFLINE="1")
import datasets
from PIL import Image

datasets.disable_progress_bars()


def seen(tar, labelled):
    photo = io.BytesIO()
    Image.new("RGB", (8, 8)).save(photo, "png")
    with tarfile.open(tar, "w") as archive:
        for number in range(8):
            for name, content in ((f"{number}.png", photo.getvalue()), (f"{number}.json", b'{"boxes": 1}')):
                if name.endswith("png") or number in labelled:
                    entry = tarfile.TarInfo(name)
                    entry.size = len(content)
                    archive.addfile(entry, io.BytesIO(content))
    try:
        rows = datasets.load_dataset("webdataset", data_files=tar, split="train")
    except ValueError as error:
        print(f"of 8 pictures {len(labelled)} have boxes, number {labelled[0]} to {labelled[-1]}: {error}")
        return "error"
    found = len(rows), sum(row is not None for row in rows["json"]) if "json" in rows.column_names else "no column"
    print(f"of 8 pictures {len(labelled)} have boxes, number {labelled[0]} to {labelled[-1]}: {found[0]} rows, labels: {found[1]}")
    return found


holds = seen("late.tar", [5, 6, 7]) == (8, "no column") and seen("early.tar", [0, 1, 2, 3, 4, 5]) == (8, 6)
holds &= seen("mixed.tar", [0, 1, 2]) == "error"
sys.exit(not holds)
PYTHON
