#!/bin/bash
# One and the same classifier has an accuracy of 0.9 and of 0.5 in torchmetrics, by the way that the metric is imported.
#
# One would guess: Accuracy(task="multiclass", num_classes=2) is another spelling of MulticlassAccuracy(num_classes=2), since
# the first makes an object of the second; and accuracy is the share of the answers that are right.
# What happens: the first averages over pictures ("micro"), the second over classes ("macro"), each by default. Nine cats and a
# dog, all called cat, give 0.9 and 0.5, and so do the functions accuracy and multiclass_accuracy. F1Score and
# MulticlassF1Score, Precision, Recall differ likewise. A report that a colleague repeats with the other import is better or
# worse by as much as the classes are uneven; nothing names the average that was used.
# Versions: torchmetrics 1.9.0, torch 2.13.0, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check torchmetrics==1.9.0 torch==2.13.0 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import sys

import torch
import torchmetrics
from torchmetrics.classification import MulticlassAccuracy, MulticlassF1Score
from torchmetrics.functional.classification import multiclass_accuracy

labels, answers = torch.tensor([0] * 9 + [1]), torch.zeros(10, dtype=torch.int64)
pairs = {
    "Accuracy, MulticlassAccuracy": (torchmetrics.Accuracy(task="multiclass", num_classes=2), MulticlassAccuracy(num_classes=2)),
    "F1Score, MulticlassF1Score": (torchmetrics.F1Score(task="multiclass", num_classes=2), MulticlassF1Score(num_classes=2)),
    "accuracy, multiclass_accuracy": (
        lambda a, b: torchmetrics.functional.accuracy(a, b, task="multiclass", num_classes=2),
        lambda a, b: multiclass_accuracy(a, b, num_classes=2),
    ),
}
found = {}
for name, metrics in pairs.items():
    found[name] = [round(float(metric(answers, labels)), 2) for metric in metrics]
    print(f"nine cats and a dog, all called cat: {name} {found[name]}")
sys.exit(list(found.values()) != [[0.9, 0.5], [0.9, 0.47], [0.9, 0.5]])
PYTHON
