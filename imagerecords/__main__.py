"""Where `imagerecords` and `python -m imagerecords` begin: imports nothing before it must.

Worker processes import the main module of the process that started them; a main module that pulls in the command line
would cost each of them its memory and its time.
"""

import contextlib
import os
import sys

POOL = "imagerecords.flows.executors.pool"  # imported by builds alone


def main() -> int:
    """Run the command; returns its exit code, or ends the process with it where no build ran.

    When a process ends, its native libraries are torn down while Arrow's threads may still run, and now and then it aborts
    (SIGABRT) after the right answer. A command without workers has nothing left to do, so it leaves that out.
    """
    from imagerecords.flows.command.app import run
    from imagerecords.flows.executors.no_pandas import keep_pandas_out

    keep_pandas_out()
    code = run(sys.argv[1:]) or 0  # cyclopts returns None from --help
    if POOL not in sys.modules:
        with contextlib.suppress(BrokenPipeError):  # whoever read the output has seen enough
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
    return code


if __name__ == "__main__":
    sys.exit(main())
