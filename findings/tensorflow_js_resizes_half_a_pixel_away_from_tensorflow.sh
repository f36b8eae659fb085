#!/bin/bash
# TensorFlow.js resizes pictures half a pixel away from where TensorFlow, which trained the model, does.
#
# One would guess: tf.image.resizeBilinear in a browser gives a model the pixels that tf.image.resize gave it in training;
# both call it bilinear, and both are TensorFlow's.
# What happens: TensorFlow counts from the centres of pixels, TensorFlow.js from their upper left corners unless its fourth
# argument, halfPixelCenters, is true. A ramp from 0 to 7, halved, is 0.5, 2.5, 4.5, 6.5 in Python and 0, 2, 4, 6 in
# JavaScript. What a network sees is shifted to the lower right, at half the size by half a pixel of the larger picture, at a
# quarter by 1.5 pixels, and the boxes that it returns with it. resizeNearestNeighbor does likewise. With halfPixelCenters
# both agree to the last digit.
# Versions: @tensorflow/tfjs-core and tfjs-backend-cpu 4.22.0, tensorflow-cpu 2.21.0, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check tensorflow-cpu==2.21.0 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }
npm install --silent --no-audit --no-fund @tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-backend-cpu@4.22.0 || { echo "could not install the packages" >&2; exit 2; }

cat >resize.js <<'JAVASCRIPT'
const tf = require('@tensorflow/tfjs-core');
require('@tensorflow/tfjs-backend-cpu');

async function main() {
  await tf.setBackend('cpu');
  const ramp = tf.tensor4d([0, 1, 2, 3, 4, 5, 6, 7], [1, 1, 8, 1]);
  const found = {};
  for (const width of [4, 2]) {
    for (const half of [false, true]) {
      const name = half ? 'halfPixelCenters' : 'default';
      found[`bilinear ${width} ${name}`] = Array.from(await tf.image.resizeBilinear(ramp, [1, width], false, half).data());
      found[`nearest ${width} ${name}`] = Array.from(await tf.image.resizeNearestNeighbor(ramp, [1, width], false, half).data());
    }
  }
  require('fs').writeFileSync('javascript.json', JSON.stringify(found));
}
main();
JAVASCRIPT
node resize.js >node.txt 2>&1 || { cat node.txt >&2; exit 2; }

TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES=-1 venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import json
import sys

import numpy as np
import tensorflow as tf

ramp = np.arange(8, dtype=np.float32).reshape(1, 1, 8, 1)
javascript = json.load(open("javascript.json"))
expected = {"bilinear 4": [0, 2, 4, 6], "nearest 4": [0, 2, 4, 6], "bilinear 2": [0, 4], "nearest 2": [0, 4]}
holds = True
for name, numbers in expected.items():
    method, width = name.split()
    python = tf.image.resize(ramp, (1, int(width)), method=method).numpy().ravel().tolist()
    default, half = javascript[f"{name} default"], javascript[f"{name} halfPixelCenters"]
    print(f"0 to 7 resized to {width}, {method}: Python {python}, JavaScript {default}, with halfPixelCenters {half}")
    holds &= default == numbers and half == python and python != default
sys.exit(not holds)
PYTHON
