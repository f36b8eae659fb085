#!/bin/bash
# img2dataset lays portrait photos on their side for good, and makes 16-bit grey ones white.
#
# One would guess: a downloader that resizes photos turns them upright by their EXIF orientation, as browsers show them, or
# keeps the orientation in the new file.
# What happens: pixels are decoded as they lie in the file, resized, and written as a JPEG without EXIF. A phone's portrait
# photo is a landscape with its person sideways, and no later step can see that. resize_mode="no", which sounds as if the file
# was kept, does it too; only disable_all_reencoding keeps file and orientation. A 16-bit grey PNG of value 0x1234, dark grey,
# is white in the data set.
# Versions: img2dataset 1.47.0, albumentations 1.4.24, opencv-python-headless 4.14.0.94, pillow 12.3.0, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check img2dataset==1.47.0 albumentations==1.4.24 opencv-python-headless==4.14.0.94 pillow==12.3.0 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

cat >check.py <<'PYTHON'
import functools
import http.server
import os
import sys
import threading

import numpy as np
from img2dataset import download
from PIL import Image


class Server(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *values):
        pass


def downloaded(folder, **options):
    shared = {"url_list": "urls.txt", "output_folder": folder, "image_size": 60, "output_format": "files", "thread_count": 1}
    output = os.dup(1)
    os.dup2(2, 1)
    try:
        download(**shared, processes_count=1, **options)
    finally:
        os.dup2(output, 1)
    portrait, dark = (Image.open(f"{folder}/00000/00000000{number}.jpg") for number in (0, 1))
    grey = dark.getpixel((dark.width // 2, dark.height // 2))
    found = portrait.size, portrait.getexif().get(0x0112), grey
    print(f"{options}: the portrait is {found[0]} with the orientation {found[1]}, the dark grey is {grey}")
    return found


# Workers of img2dataset import this file.
if __name__ == "__main__":
    os.makedirs("web")
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (300, 200), (10, 200, 30)).save("web/portrait.jpg", exif=exif)
    Image.fromarray(np.full((200, 300), 0x1234, np.uint16)).save("web/dark.png")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Server, directory="web"))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with open("urls.txt", "w") as file:
        file.write("".join(f"http://127.0.0.1:{server.server_port}/{name}\n" for name in ("portrait.jpg", "dark.png")))
    print("shown upright the portrait is (200, 300)")
    holds = downloaded("smaller", resize_mode="keep_ratio") == ((90, 60), None, 255)
    holds &= downloaded("no_resize", resize_mode="no") == ((300, 200), None, 255)
    holds &= downloaded("untouched", disable_all_reencoding=True) == ((300, 200), 6, 0x1234)
    sys.exit(not holds)
PYTHON
venv/bin/python check.py 2>errors.txt || { status=$?; cat errors.txt >&2; exit "$status"; }
