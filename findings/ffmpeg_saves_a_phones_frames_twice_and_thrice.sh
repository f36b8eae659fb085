#!/bin/bash
# ffmpeg saves 43 pictures of a video that has 30 frames, so that the twentieth picture is not the twentieth frame.
#
# One would guess: "ffmpeg -i video.mp4 %03d.png" writes each frame once, so that the number of the file is the number of the
# frame in PyAV, OpenCV and decord, by which annotations of videos count.
# What happens: phones and screen recorders write videos of a changing rate (less light, longer frames). ffmpeg makes it a
# fixed rate: frames that were shown longer are saved two and three times. Of 30 frames with the middle ten at a third of the
# rate come 43 files; the twentieth is frame 14, counted from 0, and labels by number belong to another picture from the first
# change of rate on. Duplicates fall into training and test. All that says so is "dup=13" in the line of statistics. -fps_mode
# passthrough saves each once.
# Versions: imageio-ffmpeg 0.8.1 (ffmpeg 9.0.2), av 18.1.0, opencv-python-headless 5.0.0.93, decord 0.6.0, pillow 13.0.0, numpy
# 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check imageio-ffmpeg==0.8.1 av==18.1.0 opencv-python-headless==5.0.0.93 decord==0.6.0 pillow==13.0.0 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import glob
import os
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


for number in range(30):
    Image.new("RGB", (64, 64), (10 + number * 8,) * 3).save(f"{number:02d}.png")


def shown(frame):
    return round((float(np.asarray(frame).mean()) - 10) / 8)


with open("list.txt", "w") as file:
    for number in range(30):
        file.write(f"file {number:02d}.png\nduration {0.1 if 10 <= number < 20 else 1 / 30:.4f}\n")
h264 = ["-pix_fmt", "yuv420p", "-c:v", "libx264", "-qp", "0"]
ffmpeg("-f", "concat", "-i", "list.txt", "-fps_mode", "passthrough", *h264, "video.mp4")


def saved(folder, *settings):
    os.mkdir(folder)
    ffmpeg("-i", "video.mp4", *settings, f"{folder}/%03d.png")
    return [shown(Image.open(path).convert("RGB")) for path in sorted(glob.glob(f"{folder}/*.png"))]


by_default, passed = saved("default"), saved("passed", "-fps_mode", "passthrough")
with av.open("video.mp4") as video:
    by_av = [shown(frame.to_ndarray(format="rgb24")) for frame in video.decode(video=0)]
capture, by_opencv = cv2.VideoCapture("video.mp4"), []
while (read := capture.read())[0]:
    by_opencv.append(shown(read[1]))
by_decord = [shown(frame.asnumpy()) for frame in decord.VideoReader("video.mp4")]
print(f"frames in PyAV, OpenCV, decord: {len(by_av)}, {len(by_opencv)}, {len(by_decord)}")
print(f"{len(by_default)} pictures of ffmpeg show the frames {by_default}")
print(f"{len(passed)} with -fps_mode passthrough")
holds = by_av == by_opencv == by_decord == passed and len(by_av) == 30 and len(by_default) == 43 and by_default[19] == 14
sys.exit(not holds)
PYTHON
