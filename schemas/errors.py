"""The errors of imagerecords.

    ImageRecordsError                 exit code 1
    ├── BadInput                      exit code 2: raised before anything is written
    │   ├── BadSettings (ValueError)  a setting is wrong or contradicts another
    │   ├── BadLayout (ValueError)    folders or labels are not as the settings say
    │   ├── BadStorage (OSError)      a bucket or server can't be reached, read or written
    │   └── OutputConflict (FileExistsError)   the output contains another plan's shards
    ├── OutputLocked (BlockingIOError)         another build is writing this output
    ├── CorruptRecord (ValueError)    a TFRecord file does not read back
    ├── ShardFailed (RuntimeError)    a shard could not be converted or validated
    ├── WorkerDied (RuntimeError)     a worker process died while it worked on a shard; retried
    ├── AccountingError (ArithmeticError)    found ≠ written + rejected
    ├── Incomplete                    images were written, but the data set is not complete
    │   ├── OverBudget (ValueError)       too many images rejected, or a label left empty
    │   └── UnwantedDuplicates (ValueError)   duplicates or leaks that the settings say must fail the build
    └── Interrupted (RuntimeError)    exit code 130: stopped from outside

A text on a value is "<what> must be <rule>, got <value>: <file>. <remedy>"; one on an event begins with the event. Every error
takes its text as its only argument, so that it survives the pickling between processes.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imagerecords.schemas.summary import BuildSummary


class ImageRecordsError(Exception):
    """The base of all errors that imagerecords raises; `exit_code` is the command's exit status."""

    exit_code = 1


class BadInput(ImageRecordsError):
    """Settings or input are wrong; nothing was written."""

    exit_code = 2


class BadSettings(BadInput, ValueError):
    """A setting is unknown, out of range, or contradicts another one."""


class BadLayout(BadInput, ValueError):
    """Directories, label folders or the labels file are not as the settings say."""


class BadStorage(BadInput, OSError):
    """A bucket or server can't be reached, or refuses the credentials."""


class OutputConflict(BadInput, FileExistsError):
    """The output directory holds shards of another plan."""


class OutputLocked(ImageRecordsError, BlockingIOError):
    """Another build holds the output's lock, or took it over from this one."""


class CorruptRecord(ImageRecordsError, ValueError):
    """A TFRecord file breaks the format, the feature contract, or disagrees with its receipt."""


class ShardFailed(ImageRecordsError, RuntimeError):
    """One or more shards failed after their last retry; finished shards are reused by the rerun."""


class WorkerDied(ImageRecordsError, RuntimeError):
    """A worker process died while it worked on a shard, or could not start; the text has its exit code or signal.

    `image` is the one at which it died, and `shard` that image's shard; empty where that is not known.
    """

    def __init__(self, text: str, shard: str = "", image: str = "") -> None:
        super().__init__(text)
        self.shard = shard
        self.image = image


class AccountingError(ImageRecordsError, ArithmeticError):
    """Images found, written and rejected do not add up for some split and label."""


class Incomplete(ImageRecordsError):
    """The shards and the manifest were written, but not dataset_info.json: `summary` has the counts when called from Python."""

    summary: "BuildSummary | None" = None


class OverBudget(Incomplete, ValueError):
    """More images were rejected than `max_rejected_fraction` allows, or a label was left without any."""


class UnwantedDuplicates(Incomplete, ValueError):
    """Images are in the data set more than once, or in two splits, and `duplicates` or `leakage` is "fail"."""


class Interrupted(ImageRecordsError, RuntimeError):
    """The build was stopped from outside (Ctrl-C, SIGTERM, cancellation)."""

    exit_code = 130
