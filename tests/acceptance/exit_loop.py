"""Many runs of quick commands under load, and how they ended: python -m tests.acceptance.exit_loop RUNS.

Libraries with threads of their own can abort while a process ends, after the right answer and only now and then.
"""

import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

AT_ONCE = 6  # more than the machine has processors, so that threads are interrupted anywhere


def _commands(folder: Path) -> list[list[str]]:
    """The commands, on two small data sets."""
    for number in range(24):
        path = folder / "in" / ("cat", "dog")[number % 2] / f"{number:02d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 30), (number * 10, 255 - number * 10, number)).save(path)
    program = [sys.executable, "-m", "imagerecords"]
    outputs = [str(folder / name) for name in ("a", "b")]
    for output in outputs:
        build = [
            "build",
            "--no-prefect",
            "--executor",
            "threads",
            "--data_directory",
            str(folder / "in"),
            "--output_directory",
            output,
        ]
        subprocess.run([*program, *build], check=True, capture_output=True)
    locate = [*program, "locate", outputs[0], "cat/00.jpg"]
    return [locate, [*program, "diff", *outputs], [*program, "extract", outputs[0], "--label", "cat", "--to", "EXTRACTED"]]


def main() -> int:
    """Run the commands in turn; the exit code is 1 where any of them ended with another than 0."""
    runs = int(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(AT_ONCE) as threads:
        commands = _commands(Path(folder))

        def run(number: int) -> tuple[str, int]:
            command = commands[number % len(commands)]
            words = [word.replace("EXTRACTED", f"{folder}/x{number}") for word in command]
            return command[3], subprocess.run(words, capture_output=True, check=False).returncode

        ends = Counter(threads.map(run, range(runs)))
    for (name, code), count in sorted(ends.items()):
        print(f"{name}: exit code {code}, {count} of {sum(ends.values())} runs")
    return int(any(code for _, code in ends))


if __name__ == "__main__":
    sys.exit(main())
