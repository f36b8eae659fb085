#!/bin/bash
# Pillow takes the orientation out of the EXIF that it is given for an AVIF, so that the JPEG saved next lies on its side.
#
# One would guess: save(path, exif=exif) reads the EXIF and leaves it alone, so that one EXIF can be given to several files: an
# AVIF and a JPEG for readers that know no AVIF, or a hundred crops.
# What happens: AVIF keeps a rotation at another place, and Pillow moves it there by removing the tag from the object that it
# was given. The AVIF is upright; each JPEG, PNG or WebP that is saved with the same object afterwards has no orientation, and
# neither has the next AVIF. With the formats in another order all are upright. An EXIF that is passed as bytes is left alone.
# Nothing warns.
# Versions: pillow 13.0.0.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check pillow==13.0.0 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import sys

from PIL import Image, ImageOps

photo = Image.new("RGB", (96, 64), "blue")


def seen(kinds, as_bytes=False):
    exif = Image.Exif()
    exif[0x0112] = 6
    given = exif.tobytes() if as_bytes else exif
    upright = []
    for number, kind in enumerate(kinds):
        photo.save(f"{number}.{kind}", exif=given)
        upright.append(ImageOps.exif_transpose(Image.open(f"{number}.{kind}")).size == (64, 96))
    print(f"saved in the order {kinds}{', EXIF as bytes' if as_bytes else ''}; upright: {upright}")
    return upright


holds = seen(["jpg", "png", "webp", "avif"]) == [True] * 4
holds &= seen(["avif", "jpg", "png", "webp", "avif"]) == [True, False, False, False, False]
holds &= seen(["avif", "jpg", "png", "webp", "avif"], as_bytes=True) == [True] * 5
sys.exit(not holds)
PYTHON
