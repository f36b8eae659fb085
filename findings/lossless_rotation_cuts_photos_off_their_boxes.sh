#!/bin/bash
# Photos that jhead, exiftran or jpegtran rotated "without loss" have lost a strip, or show it at the wrong edge.
#
# One would guess: a lossless rotation by the EXIF orientation gives the pixels of the upright photo, so that boxes drawn on the
# photo as it was shown still fit; photos whose sides are no multiple of 16 are refused or re-encoded.
# What happens: JPEGs are made of blocks, and the rest at the right or lower edge cannot go to the left or top. jhead cuts it
# off, exiftran and jpegtran leave it at the edge where it was. A photo of 203 by 109, rotated by 180 degrees, is 192 by 96 by
# jhead; by the others it has its size, with strips of 11 and 13 pixels exchanged. In all three everything else has moved by as
# much: an object that was shown at (143, 69) is at (132, 56). Rotated clockwise (6) it moves by 13 in x, anticlockwise (8) by
# 11 in y. They report success, and set the orientation to 1, so that nothing shows where the pixels were.
# Versions: Debian's jhead 1:3.06.0.1-6, exiftran 2.10-4+b1, libjpeg-turbo-progs 1:2.1.5-2 (it prints those that it used);
# pillow 13.0.0, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check pillow==13.0.0 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }
apt-get download jhead exiftran libjpeg-turbo-progs >apt.txt 2>&1 || { cat apt.txt >&2; echo "could not get the packages: run apt-get update" >&2; exit 2; }
for package in *.deb; do
  dpkg-deb -f "$package" Package Version | paste -sd' '
  dpkg-deb -x "$package" debian
done
PATH=$work/debian/usr/bin:$PATH

venv/bin/python - <<'PYTHON'
import subprocess
import sys

import numpy as np
from PIL import Image, ImageOps

photo = np.zeros((109, 203, 3), np.uint8)
photo[..., 0], photo[..., 1] = np.arange(203), np.arange(109)[:, None] * 2
photo[20:40, 30:60] = 255
TOOLS = {
    "jhead": lambda degrees: ["jhead", "-autorot", "rotated.jpg"],
    "exiftran": lambda degrees: ["exiftran", "-a", "-i", "rotated.jpg"],
    "jpegtran": lambda degrees: ["jpegtran", "-rotate", degrees, "-outfile", "rotated.jpg", "photo.jpg"],
}


def seen(image):
    white = np.argwhere(np.asarray(image).min(2) > 230)
    return image.size, tuple(white.min(0)[::-1].tolist())


found = {}
for orientation, degrees in ((3, "180"), (6, "90"), (8, "270")):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(photo).save("photo.jpg", quality=95, subsampling="4:2:0", exif=exif)
    upright = seen(ImageOps.exif_transpose(Image.open("photo.jpg")))
    for tool, command in TOOLS.items():
        Image.open("photo.jpg").save("rotated.jpg", quality="keep", exif=exif)
        subprocess.run(command(degrees), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        size, place = seen(Image.open("rotated.jpg"))
        found[orientation, tool] = size, tuple(b - a for a, b in zip(upright[1], place))
        print(f"orientation {orientation}, upright {upright[0]} with an object at {upright[1]}; {tool}: {size}, object at {place}")
moved = {3: (-11, -13), 6: (-13, 0), 8: (0, -11)}
sizes = {3: (192, 96), 6: (96, 203), 8: (109, 192)}
holds = all(found[o, "jhead"] == (sizes[o], moved[o]) for o in moved)
holds &= all(found[o, tool] == ((203, 109) if o == 3 else (109, 203), moved[o]) for o in moved for tool in ("exiftran", "jpegtran"))
sys.exit(not holds)
PYTHON
