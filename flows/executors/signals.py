"""How processes are started: out of Ctrl-C's reach, without the caller's script, and without the modules of its folder.

All that a child may inherit is the whole process's, but for the signal mask, which is a thread's: so each of these lasts only
as long as it must, and may be entered by several threads at a time.
"""

import contextlib
import multiprocessing
import os
import signal
import site
import sys
import threading
from collections.abc import Iterator
from multiprocessing import resource_tracker
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = str(Path(__file__).absolute().parents[__name__.count(".")])  # where this process found imagerecords

_guard = threading.RLock()
_hiding = 0  # blocks of hidden_main that threads are in
_hidden: list[tuple[ModuleType, dict[str, Any]]] = []  # the main module, and what was taken from it


@contextlib.contextmanager
def sigint_blocked() -> Iterator[None]:
    """Processes and threads started in the block, and whatever those start, never see Ctrl-C: they inherit its mask."""
    resource_tracker.ensure_running()  # now, since starting it unblocks the signals
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def hidden_main() -> Iterator[None]:
    """Processes that multiprocessing starts in the block don't import the caller's script as their `__main__`.

    They need nothing of it, since steps are functions of this package. A script without `if __name__ == "__main__"` would build
    all over again in each of them, and one read from standard input has no file at all.
    """
    global _hiding  # noqa: PLW0603
    with _guard:
        _hiding += 1
        if _hiding == 1:
            main = sys.modules["__main__"]
            _hidden.append((main, {name: vars(main).pop(name) for name in ("__file__", "__spec__") if name in vars(main)}))
            main.__spec__ = None
    try:
        yield
    finally:
        with _guard:
            _hiding -= 1
            if not _hiding:
                main, taken = _hidden.pop()
                vars(main).update(taken)


@contextlib.contextmanager
def open_start_method() -> Iterator[None]:
    """Processes that are started in the block don't settle multiprocessing's start method for the caller.

    Starting any process does, and `multiprocessing.set_start_method`, which PyTorch's users call, would fail after a build.
    """
    is_open = multiprocessing.get_start_method(allow_none=True) is None
    try:
        yield
    finally:
        if is_open:
            untyped: Any = multiprocessing
            untyped.set_start_method(None, force=True)


@contextlib.contextmanager
def clean_path() -> Iterator[None]:
    """A Python started in the block doesn't look for modules in the working directory, but where this one found imagerecords.

    multiprocessing starts its servers by `python -c`, for which the working directory comes before the standard library: the
    user's own random.py there would be taken for Python's.
    """
    with _guard:
        before = {name: os.environ.get(name) for name in ("PYTHONSAFEPATH", "PYTHONPATH")}
        os.environ["PYTHONSAFEPATH"] = "1"
        if ROOT not in {*site.getsitepackages(), site.getusersitepackages()}:  # those are on every Python's path, at its end
            os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (before["PYTHONPATH"], ROOT)))
        try:
            yield
        finally:
            for name, value in before.items():
                os.environ.pop(name, None)
                if value is not None:
                    os.environ[name] = value


def environment() -> dict[str, str]:
    """The environment variables of this process, as they are outside any `clean_path`."""
    with _guard:
        return dict(os.environ)
