"""One writer an output: a lock object created exclusively, with a heartbeat; a dead holder's lock is taken over.

Exclusive means O_EXCL on disks and a single PUT with If-None-Match on S3. Whoever takes over a stale lock writes its own and
looks again after a moment: of several who try, the last one to write holds it and the others see so. The same is done where
a server ignores If-None-Match or refuses to know it: the lock is advisory there. It then excludes a second build that starts
while another one goes on, and of builds that start within SETTLE_SECONDS all but one.
"""

import contextlib
import json
import os
import threading
import time
import uuid
from collections.abc import Iterator

from imagerecords.schemas.errors import BadStorage, OutputLocked
from imagerecords.schemas.output_files import LOCK
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.storage.exclusive import create_remote
from imagerecords.tasks.storage.folders import Folder
from imagerecords.tasks.storage.lock_holder import Holder
from imagerecords.tasks.storage.s3_upload import put_object

# Without a sign of life for so long, a lock is that of a dead holder, where no settings say otherwise.
STALE_SECONDS: float = BuildSettings.model_fields["lock_stale_seconds"].default
SETTLE_SECONDS = 0.5  # how long two builds that take over the same lock may differ in writing it
LONGEST_BEAT = 15.0
DOUBT_SECONDS = 1.5 * LONGEST_BEAT  # a living build gives a heartbeat meanwhile
REMOVED = "somebody who removed it"


class Lock:
    """The lock of an output that this process holds."""

    def __init__(self, output: Folder, holder: Holder) -> None:
        self.output = output
        self.holder = holder
        self.advisory = False
        self.lost: str | None = None

    @property
    def note(self) -> str | None:
        """What is to be told of the lock, in a line."""
        if not self.advisory:
            return None
        return (
            f"the server of {self.output.url} does not keep a PUT from overwriting (If-None-Match: *): the lock is advisory "
            "there. Start no two builds of this output at the same moment"
        )

    def check(self) -> None:
        """Raise OutputLocked when another build has taken the lock over."""
        if self.lost:
            raise OutputLocked(_lost(self.output, self.lost))

    def beat(self) -> None:
        """Give a sign of life, unless the lock is no longer ours."""
        current = read_holder(self.output)
        if current is None or current.id != self.holder.id:
            self.lost = str(current or REMOVED)
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
        while not done.wait(min(stale_seconds / 4, LONGEST_BEAT)) and not lock.lost:
            with contextlib.suppress(
                Exception
            ):  # a passing fault of any client; if it lasts, the lock goes stale, which is right
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
        heart.start()
        yield lock
    finally:
        done.set()
        if heart.is_alive():
            heart.join()
        with contextlib.suppress(Exception):  # a lock that can't be removed goes stale; what ended the block is told
            current = read_holder(output)
            if current and current.id == lock.holder.id:
                output.remove(LOCK)
            for folder in made:  # those of a build that wrote nothing are empty, and leave no trace
                os.rmdir(folder)


def refuse_if_locked(output: Folder, stale_seconds: float) -> None:
    """Raise OutputLocked when a living build holds the output: an early word, before the input is listed."""
    holder = read_holder(output)
    if holder and not _is_gone(output, holder, stale_seconds):
        raise OutputLocked(_locked(output, holder, stale_seconds))


def _is_gone(output: Folder, holder: Holder, stale_seconds: float) -> bool:
    """Whether a lock's holder is dead; where its heartbeat says nothing, one that beats is waited for."""
    if not holder.is_doubtful(stale_seconds):
        return holder.is_gone(stale_seconds)
    time.sleep(DOUBT_SECONDS)
    current = read_holder(output)
    return current is None or _dump(current) == _dump(holder)


def refuse_if_lock_lost(output: Folder, build: str) -> None:
    """Raise OutputLocked unless the output's lock still names this build; a build without an id is let pass.

    For steps in workers that outlive their build, since nobody can kill a remote one: they must not touch an output that is
    free again, or another's. Between this look and the writing there is room for one file's rename or upload; to do harm, it
    would have to end after another build has converted and proved the same shard.
    """
    if build and ((holder := read_holder(output)) is None or holder.id != build):
        raise OutputLocked(_lost(output, str(holder or REMOVED)))


def read_holder(output: Folder) -> Holder | None:
    """The holder that an output's lock names, or None.

    A lock that was never written to its end (its holder was killed there, or is writing now) is held since it was made.
    """
    try:
        return Holder(**json.loads(output.read(LOCK)))
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
    refuse_if_locked(output, stale_seconds)  # where a server ignores conditions, nothing else would
    data = _dump(holder)
    created = _create(output, data)
    # A server that keeps the condition refuses the same PUT a second time.
    lock.advisory = created is None or bool(created and output.is_s3 and _create(output, data) is not False)
    if not created:
        current = read_holder(output)
        if current and current.id != holder.id and not _is_gone(output, current, stale_seconds):
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
    """Write the lock object, in one request where it is remote; it is not looked at, since another build may write it too."""
    if output.is_s3:
        put_object(output.fs, output.join(LOCK), data)
    else:
        output.write(LOCK, data)


def _create(output: Folder, data: bytes) -> bool | None:
    """Create the lock object; False where there is one already, None where the server can't tell."""
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
        f"output_directory must have one build at a time, got a second one: {output.url} is being written by {holder}. "
        f"Wait for it; if it is dead, its lock is free {stale_seconds:g} s after its last sign of life"
    )
