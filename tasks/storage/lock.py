"""One writer per output: a lock object created exclusively, with a heartbeat; a dead holder's lock is taken over.

Exclusive means O_EXCL on disks and a single PUT with If-None-Match on S3. A build that takes over a stale lock writes its own
and reads it again after a moment: of several that try, the last one to write holds it and the others give up. The same is done
where a server ignores or rejects If-None-Match: there the lock is advisory. It then excludes a second build that starts while
another one is running, and of builds that start within SETTLE_SECONDS all but one.
"""

import contextlib
import errno
import json
import os
import threading
import time
import uuid
from collections.abc import Iterator

from imagerecords.schemas.errors import BadStorage, ImageRecordsError, OutputLocked
from imagerecords.schemas.json_text import parse_json
from imagerecords.schemas.output_files import LOCK
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.storage.exclusive import create_remote
from imagerecords.tasks.storage.folders import Folder
from imagerecords.tasks.storage.lock_holder import Holder
from imagerecords.tasks.storage.s3_upload import put_object

# A lock without a heartbeat for this long is stale, for commands, which have no setting for it.
STALE_SECONDS: float = BuildSettings.model_fields["lock_stale_seconds"].default
SETTLE_SECONDS = 0.5  # how long two builds that take over the same lock may differ in writing it
LONGEST_BEAT = 15.0
DOUBT_SECONDS = 1.5 * LONGEST_BEAT  # a living build gives a heartbeat meanwhile
# A file is in its place, or its file system makes no directories and files (/proc answers ENOENT), or is no longer there.
NO_DIRECTORY = (
    errno.ENOTDIR,
    errno.EEXIST,
    errno.EROFS,
    errno.ENAMETOOLONG,
    errno.ELOOP,
    errno.ENOENT,
    errno.EINVAL,
    errno.ENOSYS,
    errno.ENOTSUP,
    errno.EOPNOTSUPP,
    errno.ENODEV,
    errno.ENXIO,
    errno.ENOTCONN,
    errno.ESTALE,
)
REMOVED = "somebody who removed it"


class Lock:
    """The lock of an output that this process holds."""

    def __init__(self, output: Folder, holder: Holder) -> None:
        self.output = output
        self.holder = holder
        self.advisory = False
        self.lost_to: str | None = None

    @property
    def note(self) -> str | None:
        """A warning about an advisory lock, in one line; None for others."""
        if not self.advisory:
            return None
        return (
            f"the server of {self.output.url} does not support conditional PUTs (If-None-Match: *), so the lock is advisory. "
            "Do not start two builds of this output at the same moment"
        )

    def check(self) -> None:
        """Raise OutputLocked when another build has taken the lock over."""
        if self.lost_to:
            raise OutputLocked(_lost(self.output, self.lost_to))

    def beat(self) -> None:
        """Write a heartbeat, unless the lock is no longer this process's."""
        current = read_holder(self.output)
        if current is None or current.id != self.holder.id:
            self.lost_to = str(current or REMOVED)
        else:
            self.holder = Holder(**(vars(self.holder) | {"beat": time.time()}))
            _write(self.output, _dump(self.holder))


@contextlib.contextmanager
def output_lock(output: Folder, stale_seconds: float) -> Iterator[Lock]:
    """Hold the lock of an output for the length of the block.

    Raises OutputLocked when another build holds it, BadStorage when the output may not be written.
    """
    lock = Lock(output, Holder.here(uuid.uuid4().hex))
    done = threading.Event()

    def beat_until_done() -> None:
        while not done.wait(min(stale_seconds / 4, LONGEST_BEAT)) and not lock.lost_to:
            with contextlib.suppress(
                Exception
            ):  # a temporary error of any client; if it lasts, the lock goes stale, as it should
                lock.beat()

    heart = threading.Thread(target=beat_until_done, name="lock heartbeat", daemon=True)
    made: list[str] = []
    try:  # from before the lock is made: an interrupt may come at any line
        try:
            made = _missing_folders(output)
            _acquire(lock, stale_seconds)
        except PermissionError as error:
            raise BadStorage(
                f"output_directory must be writable, got {type(error).__name__}: {error}: {output.url}. Check the permissions "
                "of the directory, or those of the credentials: PutObject, GetObject, DeleteObject"
            ) from error
        except OSError as error:
            if not output.is_local or error.errno not in NO_DIRECTORY:
                raise
            raise BadStorage(
                f"output_directory must be a directory that can be written, got: {error.strerror}: {output.url}. Choose another"
            ) from error
        heart.start()
        yield lock
    except OSError as error:
        if heart.is_alive() and not isinstance(error, ImageRecordsError) and (taker := _taker(lock)):
            raise OutputLocked(_lost(lock.output, taker)) from error  # which has swept this build's unfinished files
        raise
    finally:
        done.set()
        if heart.is_alive():
            heart.join()
        with contextlib.suppress(Exception):  # a lock that can't be removed goes stale; the error of the block is raised
            current = read_holder(output)
            if current and current.id == lock.holder.id:
                output.remove(LOCK)
            for folder in made:  # they are empty after a build that wrote nothing
                os.rmdir(folder)


def refuse_if_locked(output: Folder, stale_seconds: float) -> Holder | None:
    """The dead holder that the output's lock names, or None; raises OutputLocked when a running build holds the output."""
    holder = read_holder(output)
    if holder and not _is_gone(output, holder, stale_seconds):
        raise OutputLocked(_locked(output, holder, stale_seconds))
    return holder


def _is_gone(output: Folder, holder: Holder, stale_seconds: float) -> bool:
    """Whether a lock's holder is dead; where its heartbeat says nothing, one that beats is waited for."""
    if not holder.is_doubtful(stale_seconds):
        return holder.is_gone(stale_seconds)
    time.sleep(DOUBT_SECONDS)
    current = read_holder(output)
    return current is None or _dump(current) == _dump(holder)


def _taker(lock: Lock) -> str:
    """Who has taken the lock over; empty where nobody has, or that can't be read."""
    try:
        current = read_holder(lock.output)
    except OSError:
        return ""
    return "" if current and current.id == lock.holder.id else str(current or REMOVED)


def refuse_if_lock_lost(output: Folder, build: str) -> None:
    """Raise OutputLocked unless the output's lock still names this build; a build without an id is not checked.

    For steps in workers that outlive their build, since a remote worker can't be killed: they must not write to an output that
    is free again, or another build's. Between this check and the write there is time for one file's rename or upload; to do
    harm, it would have to end after another build has converted and verified the same shard.
    """
    if build and ((holder := read_holder(output)) is None or holder.id != build):
        raise OutputLocked(_lost(output, str(holder or REMOVED)))


def read_holder(output: Folder) -> Holder | None:
    """The holder that an output's lock names, or None.

    A lock that was not written completely (its holder was killed, or is writing now) counts as held since it was created.
    """
    try:
        return Holder(**parse_json(output.read(LOCK)))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
        try:
            made = output.fs.modified(output.join(LOCK)).timestamp()
        except FileNotFoundError:
            return None
        return Holder("unreadable", "an unknown machine", 0, 0.0, made)


def _acquire(lock: Lock, stale_seconds: float) -> None:
    """Make the lock's holder the one that the output names, or raise OutputLocked."""
    output, holder = lock.output, lock.holder
    dead = refuse_if_locked(output, stale_seconds)  # where a server ignores conditions, this is the only check
    data = _dump(holder)
    created = _create(output, data)
    # A server that supports the condition refuses the same PUT a second time.
    lock.advisory = created is None or bool(created and output.is_s3 and _create(output, data) is not False)
    if not created:
        current = read_holder(output)
        others = {holder.id, *([dead.id] if dead else [])}
        if current and current.id not in others and not _is_gone(output, current, stale_seconds):
            raise OutputLocked(_locked(output, current, stale_seconds))
        _write(output, data)
    if not created or lock.advisory:
        time.sleep(SETTLE_SECONDS)
    current = read_holder(output)
    if current is None or current.id != holder.id:
        raise OutputLocked(_locked(output, current, stale_seconds))


def _missing_folders(output: Folder) -> list[str]:
    """The folders that a local lock will need and that are not there yet, the innermost first."""
    folder, made = os.path.dirname(output.join(LOCK)), []
    if output.is_local:
        while not os.path.isdir(folder):
            made.append(folder)
            folder = os.path.dirname(folder)
    return made


def _write(output: Folder, data: bytes) -> None:
    """Write the lock object, in one request where it is remote, unchecked: another build may write it at the same time."""
    if output.is_s3:
        put_object(output.fs, output.join(LOCK), data)
    else:
        output.write(LOCK, data)


def _create(output: Folder, data: bytes) -> bool | None:
    """Create the lock object; False where there is one already, None where the server does not support the condition."""
    path = output.join(LOCK)
    if not output.is_local:
        return create_remote(output, path, data)
    os.makedirs(os.path.dirname(path), exist_ok=True)  # a build that failed just now may have removed its empty folders
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    except FileExistsError:
        return False
    with open(descriptor, "wb") as file:
        file.write(data)
    return True


def _dump(holder: Holder) -> bytes:
    return json.dumps(vars(holder)).encode()


def _lost(output: Folder, to: str) -> str:
    return f"the output's lock was lost to {to}: {output.url}. Let that build finish"


def _locked(output: Folder, holder: Holder | None, stale_seconds: float) -> str:
    return (
        f"another build is writing {output.url}: {holder or REMOVED}. Wait for it to end; if it is dead, its lock is free "
        f"{stale_seconds:g} s after its last heartbeat"
    )
