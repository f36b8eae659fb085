#!/bin/bash
# A class name that Hugging Face's ClassLabel does not know becomes another class if it is a number.
#
# One would guess: a name that is not in the list of names is an error, as "owl" is with the classes "cat" and "dog".
# What happens: a text that is not among the names but reads as a whole number is taken for a place in the list, counted from
# 0. With the classes "1", "2" and "3" (ratings, say) a stray "0" is stored as "1" without a word; with "10", "20" and "30" a
# "2" becomes "30". "-1" passes as the mark of a row without a label. Only numbers beyond the list are refused.
# Versions: datasets 5.2.0.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check datasets==5.2.0 || { echo "could not install the packages" >&2; exit 2; }

HF_HOME="$work/cache" HF_DATASETS_OFFLINE=1 venv/bin/python - <<'PYTHON'
import sys

import datasets

datasets.disable_progress_bars()


def stored_as(names, label):
    features = datasets.Features({"label": datasets.ClassLabel(names=names)})
    try:
        rows = datasets.Dataset.from_list([{"label": label}], features=features)
    except ValueError:
        found = "refused"
    else:
        place = rows[0]["label"]
        found = names[place] if place >= 0 else "no label"
    print(f"classes {names}, label {label!r}: {found}")
    return found


holds = stored_as(["cat", "dog"], "owl") == "refused"
holds &= stored_as(["1", "2", "3"], "3") == "3"
holds &= stored_as(["1", "2", "3"], "0") == "1"
holds &= stored_as(["10", "20", "30"], "2") == "30"
holds &= stored_as(["1", "2", "3"], "-1") == "no label"
holds &= stored_as(["1", "2", "3"], "4") == "refused"
sys.exit(not holds)
PYTHON
