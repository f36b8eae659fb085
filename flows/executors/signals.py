"""How processes are started: without Ctrl-C, the caller's script and the modules of the working directory.

Only the signal mask belongs to a thread; everything else that a child inherits belongs to the whole process. So each of these
blocks is as short as possible, and several threads may be in one.
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
_hidden: list[tuple[ModuleType, dict[str, Any]]] = []  # the main module, and the attributes hidden from it


@contextlib.contextmanager
def sigint_blocked() -> Iterator[None]:
    """Block Ctrl-C for processes and threads started in the block, and for their children: they inherit the mask."""
    resource_tracker.ensure_running()  # now, since starting it unblocks the signals
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def hidden_main() -> Iterator[None]:
    """Keep processes that multiprocessing starts in the block from importing the caller's script as their `__main__`.

    They don't need it, since steps are functions of this package. A script without `if __name__ == "__main__"` would start the
    build again in each of them, and a script read from standard input has no file.
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
    """Leave multiprocessing's start method open, although processes are started in the block.

    Starting any process fixes it, and `multiprocessing.set_start_method`, which PyTorch's users call, would fail after a build.
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
    """Make a Python started in the block import modules from where this one found imagerecords, not from the working directory.

    multiprocessing starts its servers by `python -c`, which searches the working directory before the standard library: a
    user's random.py there would replace Python's.
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
    """The environment variables of this process, without the changes of `clean_path`."""
    with _guard:
        return dict(os.environ)
