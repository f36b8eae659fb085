"""Console blocks of the docs: their commands are run again, and what they print is compared with what the page shows."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
# What differs between two runs or two machines.
VARYING = [
    (r"\b[0-9a-f]{64}\b|\bdigest [0-9a-f]+…", "<digest>"),
    (r"[\d,.]+ s, [\d,]+ images/s", "<time>"),
    (r"[\d,]+ bytes|at byte \d+", "<bytes>"),
    (r"sha256=?\s*\w+|crc32c=?\s*\w+", "<sum>"),
]


def console_steps(page: str) -> list[tuple[str, str]]:
    """The commands of a page's console blocks, in order, each with the output that the page shows."""
    steps = []
    for block in re.findall(r"^```console\n(.*?)^```$", page, re.M | re.S):
        for step in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command = re.match(r"(?:.*\\\n)*.*\n", step)[0]
            steps.append((command.replace("\\\n", " ").strip(), step[len(command) :]))
    return steps


def masked(output: str) -> str:
    """Output without what varies, and without spaces at the ends of lines."""
    for pattern, word in VARYING:
        output = re.sub(pattern, word, output)
    return "\n".join(line.rstrip() for line in output.splitlines())


def run_step(command: str, folder: Path) -> str:
    """What a command prints on standard output, in the folder, without Prefect."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "IMAGERECORDS_"))}
    environment |= {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "200"}
    environment |= {"PREFECT_HOME": str(folder / ".prefect")}
    return subprocess.run(["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True).stdout
