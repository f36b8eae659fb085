#!/bin/bash
# Numbered pictures melt into one webdataset sample per class.
#
# One would guess: a tar of cat.0.jpg, cat.1.jpg, ... (the names of the well-known cats-and-dogs set) gives one sample per
# picture, as a tar of cat_0.jpg, cat_1.jpg, ... does: the extension of a file is what follows its last dot.
# What happens: the sample's key ends at the first dot and the rest is the field. Ten pictures become two samples, "cat" and
# "dog", with the fields 0.jpg to 4.jpg and no field jpg. With the classes taking turns in the tar it is ten samples with just
# two keys, each picture in a field of another name.
# Versions: webdataset 1.0.2, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check webdataset==1.0.2 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - <<'PYTHON'
import io
import sys
import tarfile

import webdataset


def samples(names):
    with tarfile.open("pictures.tar", "w") as tar:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = len(name)
            tar.addfile(info, io.BytesIO(name.encode()))
    read = webdataset.WebDataset("pictures.tar", shardshuffle=False)
    found = [(sample["__key__"], sorted(name for name in sample if not name.startswith("__"))) for sample in read]
    print(f"{names[0]}, {names[1]} ...: {len(names)} pictures, {len(found)} samples, the first is {found[0]}")
    return found


plain = samples([f"{label}_{n}.jpg" for label in ("cat", "dog") for n in range(5)])
dotted = samples([f"{label}.{n}.jpg" for label in ("cat", "dog") for n in range(5)])
turns = samples([f"{label}.{n}.jpg" for n in range(5) for label in ("cat", "dog")])
fields = [f"{n}.jpg" for n in range(5)]
holds = len(plain) == 10 and all(found == ["jpg"] for _, found in plain)
holds &= dotted == [("cat", fields), ("dog", fields)]
holds &= turns == [(label, [name]) for name in fields for label in ("cat", "dog")]
sys.exit(not holds)
PYTHON
