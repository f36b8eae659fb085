"""The entry point of `imagerecords` and `python -m imagerecords`, with as few imports as possible.

Worker processes import the main module of the process that started them: if it imported the command line, each of them would
need its memory and its time.
"""

import gc
import os
import sys

INTERRUPTED = 130


def main() -> int:
    """Run the command; returns its exit code."""
    try:
        import signal  # not above: Ctrl-C during this import, too, ends the command without a traceback
    except KeyboardInterrupt:
        return INTERRUPTED
    interrupt = signal.getsignal(signal.SIGINT)

    def end_on_signals() -> None:
        signal.signal(signal.SIGTERM, _end)
        if interrupt is signal.default_int_handler:  # a command in a shell's background ignores Ctrl-C
            signal.signal(signal.SIGINT, _end)

    end_on_signals()
    from imagerecords.flows.executors.early import end_early, start_early
    from imagerecords.flows.executors.imports import quick_imports

    with quick_imports():
        start_early(sys.argv[1:])
        from imagerecords.flows.command.app import run
        from imagerecords.flows.executors.no_pandas import keep_pandas_out

        keep_pandas_out()
    signal.signal(signal.SIGINT, interrupt)
    code = run(sys.argv[1:])
    end_on_signals()
    if code:
        end_early()
    gc.freeze()  # Python would look for garbage several times before it ends, in a tenth of a second
    return code


def _end(*_: object) -> None:
    """End at once, without a word: nothing has been written yet, or everything."""
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    sys.exit(main())
