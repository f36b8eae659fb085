"""The entry point of `imagerecords` and `python -m imagerecords`, with as few imports as possible.

Worker processes import the main module of the process that started them: if it imported the command line, each of them would
need its memory and its time.
"""

import gc
import signal
import sys


def main() -> int:
    """Run the command; returns its exit code."""
    interrupt = signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C during the imports ends it without a traceback
    from imagerecords.flows.executors.early import end_early, start_early
    from imagerecords.flows.executors.imports import quick_imports

    with quick_imports():
        start_early(sys.argv[1:])
        from imagerecords.flows.command.app import run
        from imagerecords.flows.executors.no_pandas import keep_pandas_out

        keep_pandas_out()
    signal.signal(signal.SIGINT, interrupt)
    code = run(sys.argv[1:])
    if code:
        end_early()
    gc.freeze()  # Python would look for garbage several times before it ends, in a tenth of a second
    return code


if __name__ == "__main__":
    sys.exit(main())
