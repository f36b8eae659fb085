#!/bin/bash
# OpenCV 4.12 shows the frames of an HD video in other colours than OpenCV 5, PyAV, decord and ffmpeg do.
#
# One would guess: the readers of one video agree on the colour of a pixel to a level or two, as all of them use FFmpeg's
# libraries; the file says which of the two formulas for colours (BT.601 of SD, BT.709 of HD) it was written with.
# What happens: OpenCV 4.12 takes the formula of SD for each video. An orange of (200, 60, 40) in HD is (186, 46, 41) there, and
# (199, 58, 39) to the others; in an SD file all say (200, 59, 39). Nearly every camera and phone writes BT.709, so a network
# that was trained on frames of OpenCV 4.12 and runs on those of 5, of ffmpeg or PyAV, sees colours that are shifted by up to 14
# levels, and the version of OpenCV is often chosen by another package. Greys are the same, so that a picture in black and
# white does not show it. Nothing warns.
# Versions: opencv-python-headless 4.12.0.88 and 5.0.0.93, av 18.1.0, decord 0.6.0, imageio-ffmpeg 0.8.1, pillow 13.0.0, numpy
# 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check opencv-python-headless==5.0.0.93 av==18.1.0 decord==0.6.0 imageio-ffmpeg==0.8.1 pillow==13.0.0 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }
python3 -m venv four
four/bin/pip install -qq --disable-pip-version-check opencv-python-headless==4.12.0.88 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import json
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


READ = "import cv2, json, sys; print(json.dumps(cv2.VideoCapture(sys.argv[1]).read()[1][:128, :128, ::-1].tolist()))"
Image.new("RGB", (1280, 720), (200, 60, 40)).save("orange.png")
h264 = ["-frames:v", "5", "-pix_fmt", "yuv420p", "-c:v", "libx264", "-qp", "0", "-color_range", "tv"]
found = {}
for name, matrix, tag in (("hd", "bt709", "bt709"), ("sd", "bt601", "smpte170m")):
    scale = f"scale=out_color_matrix={matrix}:out_range=tv"
    ffmpeg("-loop", "1", "-i", "orange.png", "-vf", scale, *h264, "-colorspace", tag, f"{name}.mp4")
    ffmpeg("-i", f"{name}.mp4", "-frames:v", "1", "frame.png")
    with av.open(f"{name}.mp4") as video:
        by_av = next(video.decode(video=0)).to_ndarray(format="rgb24")
    frames = {
        "ffmpeg": np.asarray(Image.open("frame.png").convert("RGB")),
        "PyAV": by_av,
        "decord": decord.VideoReader(f"{name}.mp4")[0].asnumpy(),
        "OpenCV 5": cv2.VideoCapture(f"{name}.mp4").read()[1][..., ::-1],
        "OpenCV 4.12": np.array(json.loads(subprocess.check_output(["four/bin/python", "-c", READ, f"{name}.mp4"]))),
    }
    found[name] = {reader: frame[100, 100].astype(int) for reader, frame in frames.items()}
    print(f"(200, 60, 40) in {name}: { {reader: pixel.tolist() for reader, pixel in found[name].items()} }")
off = {name: {reader: int(abs(pixel - (200, 60, 40)).max()) for reader, pixel in readers.items()} for name, readers in found.items()}
holds = max(off["sd"].values()) <= 3 and off["hd"].pop("OpenCV 4.12") > 10 and max(off["hd"].values()) <= 3
sys.exit(not holds)
PYTHON
