#!/bin/bash
# decord gives a cut video frames that it does not have: the last one, again and again.
#
# One would guess: len(VideoReader(path)) is the number of frames, as many as PyAV and ffmpeg decode; a frame that is not there
# is an error.
# What happens: a video that was cut without re-encoding ("ffmpeg -ss 0.5 -c copy", as players and phones cut) keeps the frames
# before the cut back to the last key frame, marked as not to be shown. decord counts these, shows the first frame behind the
# cut as its first, and fills the end with copies of the last one: of 75 frames it makes 90. Pictures that are taken from the
# whole of its length are doubles at the end. Up to a quarter of the frames it does so in silence. OpenCV says 90 as well, and
# stops reading after 75. PyAV gives 75.
# Versions: decord 0.6.0, av 18.1.0, opencv-python-headless 5.0.0.93, imageio-ffmpeg 0.8.1, pillow 13.0.0, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check decord==0.6.0 av==18.1.0 opencv-python-headless==5.0.0.93 imageio-ffmpeg==0.8.1 pillow==13.0.0 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import subprocess
import sys

import av
import cv2
import decord
import imageio_ffmpeg
import numpy as np
from PIL import Image


def ffmpeg(*settings):
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "error", *settings], check=True)


for number in range(90):
    Image.new("RGB", (64, 64), (10 + number * 2,) * 3).save(f"{number:02d}.png")


def shown(frame):
    return round((float(np.asarray(frame).mean()) - 10) / 2)


ffmpeg("-framerate", "30", "-i", "%02d.png", "-pix_fmt", "yuv420p", "-c:v", "libx264", "-g", "30", "-qp", "0", "whole.mp4")
ffmpeg("-ss", "0.5", "-i", "whole.mp4", "-c", "copy", "cut.mp4")
with av.open("cut.mp4") as video:
    by_av = [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]
capture, by_opencv = cv2.VideoCapture("cut.mp4"), 0
said = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
while capture.read()[0]:
    by_opencv += 1
reader = decord.VideoReader("cut.mp4")
by_decord = [reader[number].asnumpy() for number in range(len(reader))]
copies = sum(np.array_equal(frame, by_decord[-1]) for frame in by_decord) - 1
first = [shown(by_av[0]), shown(by_decord[0])]
print(f"90 frames cut at half a second: PyAV {len(by_av)}; OpenCV says {said} and reads {by_opencv}")
print(f"decord {len(by_decord)}, of which {copies} repeat the last; first shown (PyAV, decord): frame {first}")
sys.exit(not (len(by_av) == by_opencv == 75 and said == len(by_decord) == 90 and copies >= 15 and first[0] == first[1]))
PYTHON
