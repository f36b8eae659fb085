#!/bin/bash
# A video that a phone took upright lies on its side in PyAV, and is upright in OpenCV, decord and one half of imageio.
#
# One would guess: the frames of a video are turned as players show them by each reader, or by none of them, at least within
# one library: imageio reads videos by two plugins.
# What happens: phones store portrait videos in landscape with a rotation beside them, as they do photos. OpenCV, decord and
# imageio's plugin "FFMPEG" turn the frames; PyAV and imageio's plugin "pyav" hand them out as stored, without a word. So one
# file gives 240 rows of 320 or 320 rows of 240, by imageio's plugin alone. Boxes drawn on frames of the one do not fit frames
# of the other, and a data set of frames of both has its people in two positions.
# Versions: av 18.1.0, imageio 2.38.1, imageio-ffmpeg 0.8.1, decord 0.6.0, opencv-python-headless 5.0.0.93, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check av==18.1.0 imageio==2.38.1 imageio-ffmpeg==0.8.1 decord==0.6.0 opencv-python-headless==5.0.0.93 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import subprocess
import sys

import av
import cv2
import decord
import imageio.v3 as imageio
import imageio_ffmpeg

ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "error"]
subprocess.run([*ffmpeg, "-f", "lavfi", "-i", "testsrc=s=320x240:d=0.5:r=10", "-pix_fmt", "yuv420p", "stored.mp4"], check=True)
subprocess.run([*ffmpeg, "-display_rotation", "90", "-i", "stored.mp4", "-c", "copy", "phone.mp4"], check=True)


def by_pyav(path):
    with av.open(path) as video:
        return next(video.decode(video=0)).to_ndarray(format="rgb24")


readers = {
    "OpenCV": lambda path: cv2.VideoCapture(path).read()[1],
    "decord": lambda path: decord.VideoReader(path)[0].asnumpy(),
    "imageio, FFMPEG": lambda path: imageio.imread(path, index=0, plugin="FFMPEG"),
    "imageio, pyav": lambda path: imageio.imread(path, index=0, plugin="pyav"),
    "PyAV": by_pyav,
}
found = {name: [read(path).shape[:2] for path in ("stored.mp4", "phone.mp4")] for name, read in readers.items()}
for name, (stored, phone) in found.items():
    print(f"{name}: {stored} without a rotation, {phone} with one")
turned, left = [(240, 320), (320, 240)], [(240, 320), (240, 320)]
holds = all(found[name] == turned for name in ("OpenCV", "decord", "imageio, FFMPEG"))
sys.exit(not (holds and found["PyAV"] == found["imageio, pyav"] == left))
PYTHON
