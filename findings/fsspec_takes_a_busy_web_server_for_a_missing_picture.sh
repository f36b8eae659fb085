#!/bin/bash
# fsspec says that a picture does not exist when a web server is busy, broken or refuses it.
#
# One would guess: exists() is False and info() raises FileNotFoundError where the server answers 404. 403, 429, 500 and 503,
# and a server that cannot be reached, are other errors, as they are for cat_file().
# What happens: over HTTP all of them are "not found" to exists(), isfile(), size() and info(). A builder of data sets that
# skips images which do not exist leaves out a tenth of them when the server limits its rate for a minute, and nothing
# distinguishes them from dead links. cat_file() of the same address names the status.
# Versions: fsspec 2026.9.0, aiohttp 3.14.5.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check fsspec==2026.9.0 aiohttp==3.14.5 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import http.server
import socket
import sys
import threading

import aiohttp
import fsspec


class Server(http.server.BaseHTTPRequestHandler):
    def answer(self):
        self.send_response(int(self.path.strip("/").split(".")[0]))
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_HEAD = answer

    def log_message(self, *values):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
with socket.socket() as unused:
    unused.bind(("127.0.0.1", 0))
    closed_port = unused.getsockname()[1]
web = fsspec.filesystem("http")


def error(call, address):
    try:
        call(address)
    except aiohttp.ClientResponseError as error:
        return error.status
    except (aiohttp.ClientError, OSError) as error:
        return type(error).__name__
    return "none"


def seen(name, address):
    found = web.exists(address), error(web.info, address), error(web.cat_file, address)
    print(f"{name}: exists() is {found[0]}, error of info() {found[1]}, of cat_file() {found[2]}")
    return found


answers = [200, 404, 403, 429, 500, 503]
found = {code: seen(code, f"http://127.0.0.1:{server.server_port}/{code}.jpg") for code in answers}
found["no server"] = seen("no server", f"http://127.0.0.1:{closed_port}/cat.jpg")
missing = "FileNotFoundError"
holds = found[200][0] is True and found[404] == (False, missing, missing)
holds &= all(found[code] == (False, missing, code) for code in (403, 429, 500, 503))
holds &= found["no server"][:2] == (False, missing) and found["no server"][2] != missing
sys.exit(not holds)
PYTHON
