#!/bin/bash
# Pillow turns a TIFF, but no JPEG, PNG or WebP, by an orientation that stands in the XMP alone.
#
# One would guess: Image.open hands out pixels as they are stored and leaves turning to ImageOps.exif_transpose, in every
# format; and an orientation in XMP is at most a hint.
# What happens: JPEG, PNG and WebP stay as stored, but the TIFF with the same XMP is turned on load. Before the pixels are
# loaded its size is still that of the stored picture; afterwards width and height have changed places.
# Versions: pillow 13.0.0, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check pillow==13.0.0 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - <<'PYTHON'
import sys

import numpy as np
from PIL import Image, PngImagePlugin

XMP = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>"""
stored = (np.arange(40 * 60 * 3) % 251).astype(np.uint8).reshape(40, 60, 3)
picture = Image.fromarray(stored)
text = PngImagePlugin.PngInfo()
text.add_itxt("XML:com.adobe.xmp", XMP.decode())
picture.save("a.jpg", xmp=XMP)
picture.save("a.png", pnginfo=text)
picture.save("a.webp", xmp=XMP, lossless=True)
picture.save("a.tif", tiffinfo={700: XMP})

sizes = {}
for name in ("a.jpg", "a.png", "a.webp", "a.tif"):
    with Image.open(name) as image:
        before = image.size
        image.load()
        sizes[name] = (before, image.size)
    print(f"{name}: size when opened {before}, when loaded {sizes[name][1]}")
turned = bool(np.array_equal(np.asarray(Image.open("a.tif")), np.rot90(stored, -1)))
print(f"the TIFF's pixels are the stored ones turned clockwise: {turned}")
holds = turned and sizes.pop("a.tif") == ((60, 40), (40, 60)) and set(sizes.values()) == {((60, 40), (60, 40))}
sys.exit(not holds)
PYTHON
