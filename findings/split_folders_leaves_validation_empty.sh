#!/bin/bash
# split-folders shares nine pictures of a class out 80:10:10 and leaves validation empty.
#
# One would guess: equal shares come out equal or one apart: 7, 1 and 1 of nine pictures; and over a hundred classes validation
# and test are about as large.
# What happens: the shares of training and validation are rounded down, class by class, and all that is left goes to the test
# set: 7, 0 and 2. With ten classes of nine pictures there are 70, 0 and 20: no validation at all, and more than twice the
# test set that was asked for. Nothing warns, the empty class folders are made. (With ten pictures a class it is 8, 1 and 1.)
# Versions: split-folders 0.6.1.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check split-folders==0.6.1 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import os
import pathlib
import sys

import splitfolders


def shares(pictures):
    for label in range(10):
        os.makedirs(f"{pictures}/class{label}")
        for number in range(pictures):
            pathlib.Path(f"{pictures}/class{label}/{number}.jpg").write_bytes(b"picture")
    splitfolders.ratio(str(pictures), output=f"split{pictures}", seed=1, ratio=(0.8, 0.1, 0.1))
    split = pathlib.Path(f"split{pictures}")
    found = {name: len(list((split / name).glob("*/*.jpg"))) for name in ("train", "val", "test")}
    print(f"10 classes of {pictures}, 80:10:10: {found}")
    return list(found.values())


sys.exit(not (shares(10) == [80, 10, 10] and shares(9) == [70, 0, 20]))
PYTHON
