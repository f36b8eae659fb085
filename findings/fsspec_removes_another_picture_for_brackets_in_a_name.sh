#!/bin/bash
# Asked to remove "photo[1].jpg", fsspec removes "photo1.jpg".
#
# One would guess: rm("photo[1].jpg") removes the file of that name, as os.remove does; browsers number downloads of one name
# like that. At most an error says that brackets are a pattern.
# What happens: rm, cat, get and put take a name with brackets for a pattern, even if a file of exactly that name exists. On
# S3 and in memory rm deletes "photo1.jpg" and leaves "photo[1].jpg" (of local files it deletes the right one). cat gives the
# other picture's bytes in all three, and put of "photo[1].jpg" to "sent.jpg" uploads the other one, as "sent.jpg/photo1.jpg".
# Nothing warns. rm_file, cat_file, get_file and put_file take names as they are.
# Versions: fsspec 2026.9.0, s3fs 2026.9.0, against moto 5.2.5.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check fsspec==2026.9.0 s3fs==2026.9.0 'moto[server]==5.2.5' || { echo "could not install the packages" >&2; exit 2; }

AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import os
import sys
from pathlib import Path

import fsspec
from moto.server import ThreadedMotoServer

NAMES = ["photo1.jpg", "photo[1].jpg"]


def seen(name, system, folder):
    """The bytes that cat gives for photo[1].jpg, and the names that are left behind its removal."""
    for picture in NAMES:
        system.pipe_file(f"{folder}/{picture}", picture.encode())
    read = system.cat(f"{folder}/photo[1].jpg")
    read = sorted(read.values()) if isinstance(read, dict) else [read]
    system.rm(f"{folder}/photo[1].jpg")
    system.invalidate_cache()
    left = sorted(os.path.basename(path) for path in system.ls(folder, detail=False))
    print(f"{name}: cat of photo[1].jpg gives {read}, and behind rm of photo[1].jpg there is {left}")
    return read, left


def uploaded(system):
    Path("upload").mkdir()
    for picture in NAMES:
        Path("upload", picture).write_text(picture)
    system.put("upload/photo[1].jpg", "pets/sent.jpg")
    found = {path: system.cat_file(path) for path in system.find("pets")}
    print(f"S3: put of photo[1].jpg to sent.jpg stores {found}")
    return list(found.values()) == [b"photo1.jpg"]


server = ThreadedMotoServer(port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
s3 = fsspec.filesystem("s3", key="example", secret="example", endpoint_url=f"http://127.0.0.1:{port}")
s3.mkdir("photos")
s3.mkdir("pets")
Path("folder").mkdir()
local = seen("local", fsspec.filesystem("file"), str(Path("folder").resolve()))
others = seen("memory", fsspec.filesystem("memory"), "/folder"), seen("S3", s3, "photos")
holds = local == ([b"photo1.jpg"], ["photo1.jpg"]) and all(seen == ([b"photo1.jpg"], ["photo[1].jpg"]) for seen in others)
holds &= uploaded(s3)
server.stop()
sys.exit(not holds)
PYTHON
