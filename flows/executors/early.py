"""The fork server of a build that the command line asks for, started before the settings are read.

Its imports take as long as those of the command itself, and the other processor does them meanwhile.
"""

import contextlib
import os
from collections.abc import Sequence

from imagerecords.flows.executors.fork_server import PRELOAD, kill_fork_server, start_fork_server

# Where any of these is in an argument, the build has perhaps no worker processes, or they need other imports too.
OTHERWISE = ("--executor", "--config", "--help", "s3")
ENVIRONMENT = "IMAGERECORDS_"


def start_early(arguments: Sequence[str]) -> None:
    """Start the fork server for a build whose arguments do not say that it is of no use; an error is left to the build."""
    if arguments[:1] != ["build"] or any(name.startswith(ENVIRONMENT) for name in os.environ):
        return
    if not any(word in argument for argument in arguments for word in OTHERWISE):
        with contextlib.suppress(OSError):
            start_fork_server([PRELOAD])


def end_early() -> None:
    """End the fork server of a command that has failed, perhaps during its imports: it holds standard error open."""
    with contextlib.suppress(OSError):
        kill_fork_server()
