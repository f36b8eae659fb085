#!/bin/bash
# OpenCV turns a sideways JPEG, PNG and WebP upright, and leaves an AVIF on its side.
#
# One would guess: imread shows pictures upright in each format that stores a rotation, or in none; so that photos that were
# converted from JPEG to AVIF come out as the JPEGs did.
# What happens: OpenCV obeys the EXIF orientation of JPEG, PNG and WebP. In AVIF the rotation is a property of the container
# ("irot"), which is part of how the picture is to be shown; OpenCV does not look at it. The same photo is upright from three
# files and lies on its side from the fourth, with width and height exchanged against boxes that were drawn on the upright one.
# libvips rotates AVIF alone of these without being asked. Pillow rotates none until ImageOps.exif_transpose, and then all four.
# Versions: opencv-python-headless 5.0.0.93, pillow 13.0.0, pyvips 3.2.0 with pyvips-binary 8.18.7, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check opencv-python-headless==5.0.0.93 pillow==13.0.0 pyvips==3.2.0 pyvips-binary==8.18.7 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import sys

import cv2
import pyvips
from PIL import Image, ImageOps

SIDEWAYS = 6
exif = Image.Exif()
exif[0x0112] = SIDEWAYS
photo = Image.new("RGB", (60, 40), (10, 200, 30))


def sizes(extension):
    name = f"photo.{extension}"
    photo.save(name, exif=exif)
    height, width = cv2.imread(name).shape[:2]
    vips = pyvips.Image.new_from_file(name)
    picture = Image.open(name)
    found = (width, height), (vips.width, vips.height), picture.size, ImageOps.exif_transpose(picture).size
    print(f"{name}: OpenCV {found[0]}, libvips {found[1]}, Pillow {found[2]}, with exif_transpose {found[3]}")
    return found


stored, upright = (60, 40), (40, 60)
holds = all(sizes(extension) == (upright, stored, stored, upright) for extension in ("jpg", "png", "webp"))
holds &= sizes("avif") == (stored, upright, stored, upright)
sys.exit(not holds)
PYTHON
