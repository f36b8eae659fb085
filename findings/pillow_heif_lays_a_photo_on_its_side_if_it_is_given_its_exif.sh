#!/bin/bash
# pillow-heif lays a portrait photo on its side if it is given the photo's EXIF, and saves it upright if not.
#
# One would guess: photo.save(path, exif=photo.getexif()), as one writes it so that nothing of a photo is lost, keeps the photo
# as it is shown; in WebP, PNG and AVIF it does. Without the argument at most the EXIF is missing.
# What happens: with the argument, pixels are saved as they lie in the JPEG, and the orientation, which HEIC keeps at another
# place, is not saved: whoever opens the file finds orientation 1 and the photo on its side. Without the argument pillow-heif
# finds the EXIF by itself and the photo is upright, and so it is with exif=photo.info["exif"], the same EXIF as bytes. No
# warning.
# Versions: pillow-heif 1.8.1, pillow 13.0.0.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check pillow-heif==1.8.1 pillow==13.0.0 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import sys

import pillow_heif
from PIL import Image, ImageOps

pillow_heif.register_heif_opener()
exif = Image.Exif()
exif[0x0112] = 6
photo = Image.new("RGB", (96, 64), "blue")
photo.paste("red", (0, 0, 96, 32))
photo.save("photo.jpg", exif=exif, quality=95)


def seen(path):
    shown = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    right = shown.getpixel((shown.width - 1, shown.height // 2))
    return shown.size, "red on the right" if right[0] > 128 > right[2] else "red elsewhere"


ways = {
    "no argument": lambda image: {},
    'exif=info["exif"]': lambda image: {"exif": image.info["exif"]},
    "exif=getexif()": lambda image: {"exif": image.getexif()},
}
upright = seen("photo.jpg")
print(f"the JPEG, upright: {upright}")
found = {}
for name, more in ways.items():
    for kind in ("heic", "webp", "png", "avif"):
        image = Image.open("photo.jpg")
        image.save(f"copy.{kind}", **more(image))
        found[name, kind] = seen(f"copy.{kind}")
    print(f"saved with {name}: HEIC {found[name, 'heic']}, WebP {found[name, 'webp']}")
nothing, as_bytes, as_object = ways
holds = found[nothing, "heic"] == found[as_bytes, "heic"] == upright and found[as_object, "heic"][0] == (96, 64)
holds &= all(found[name, kind] == upright for name in (as_bytes, as_object) for kind in ("webp", "png", "avif"))
sys.exit(not holds)
PYTHON
