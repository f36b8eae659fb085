"""The code blocks of README.md and of pages in docs/, run as a reader would; what varies between two runs is masked."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.acceptance.running import clean_environment
from tests.markdown import blocks

# What differs between two runs or two machines.
VARYING = [
    (r"\b[0-9a-f]{64}\b", "<digest>"),
    (r"[\d,.]+ s, [\d,]+ images/s", "<time>"),
    (r"[\d,]+ bytes|at byte \d+|\"bytes\": \d+", "<bytes>"),
]
PROGRESS = ("imagerecords: running ", "imagerecords: convert: ", "imagerecords: validate: ")


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def console_steps(text):
    """The commands of a console block, each with the output that the page shows."""
    for step in re.split(r"^\$ ", text, flags=re.M)[1:]:
        command = re.match(r"(?:.*\\\n)*.*\n", step)[0]
        yield command, step[len(command) :]


def steps(page):
    """What a page's console and python blocks run, in order: language, code and the output shown (None: not shown)."""
    for kind, text in blocks(page):
        if kind == "console":
            yield from (("console", command, output) for command, output in console_steps(text))
        elif kind == "python":
            yield "python", text, None


def masked(output):
    """Output without what varies, without progress, and without spaces at the ends of lines."""
    for pattern, word in VARYING:
        output = re.sub(pattern, word, output)
    return "\n".join(line.rstrip() for line in output.splitlines() if not line.startswith(PROGRESS))


def run(arguments, folder):
    """Run a program in a folder as a reader of the docs would; what it prints, as a terminal would show it."""
    environment = clean_environment(folder.parent / ".prefect") | {  # one database for all tests here: making it takes seconds
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "200",
        "PYTHONUNBUFFERED": "1",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    }
    return subprocess.run(
        arguments, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300
    )


def wrong_steps(page, folder):
    """Of a page's blocks, run in a folder in their order, those that print otherwise than shown, or fail: code and output."""
    wrong = []
    for kind, code, shown in steps(page):
        done = run(["bash", "-c", code] if kind == "console" else [sys.executable, "-c", code], folder)
        if masked(done.stdout) != masked(shown) if kind == "console" else done.returncode:
            wrong.append((code, done.stdout))
    return wrong
