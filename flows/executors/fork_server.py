"""multiprocessing's fork server: started once per process, for all of its pools; killed; and how it or a child of it ended."""

import contextlib
import os
import signal
import time
from multiprocessing import forkserver

from imagerecords.flows.executors.signals import clean_path, open_start_method, sigint_blocked

PRELOAD = "imagerecords.flows.executors.preload"
# multiprocessing's exit code of a process whose real one was lost with the fork server.
UNKNOWN = 255
SECONDS_TO_END = 0.5  # between a fork server's closed connection and its end


def start_fork_server(modules: list[str] | None = None) -> None:
    """Start multiprocessing's servers where they do not run yet, with these modules; returns before their imports are done.

    A fork server ignores Ctrl-C only after its imports, so it inherits a mask that blocks it.
    """
    if modules is not None:
        forkserver.set_forkserver_preload(modules)
    with clean_path(), sigint_blocked(), open_start_method():
        forkserver.ensure_running()


def kill_fork_server() -> None:
    """Kill the fork server, where one runs; its workers have ended."""
    if pid := _fork_server_pid():
        os.kill(pid, signal.SIGKILL)


def _fork_server_pid() -> int | None:
    pid: int | None = getattr(getattr(forkserver, "_forkserver", None), "_forkserver_pid", None)
    return pid


def fork_server_end() -> str:
    """How the fork server died, "" when it runs or Python does not report it."""
    pid = _fork_server_pid()
    until = time.monotonic() + SECONDS_TO_END
    with contextlib.suppress(OSError):
        while pid and time.monotonic() < until:
            # Not reaped here: multiprocessing does that when it starts the next one.
            if ended := os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG):
                code = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
                return f"its fork server died: {describe_exit(code)}"
            time.sleep(0.01)
    return ""


def describe_exit(code: int | None) -> str:
    """The text for an exit code, such as "exit code -11 (SIGSEGV)"."""
    if code is None or code == UNKNOWN:
        return "exit code unknown"
    if code >= 0:
        return f"exit code {code}" + ("; its own output is above" if code == 1 else "")
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"exit code {code} ({name})" + (": killed, perhaps out of memory" if code == -signal.SIGKILL else "")
