"""Files that are created only where there is none yet: the lock, and dataset_info.json, whose first writer wins."""

import errno
import os
from typing import Any

from imagerecords.schemas.output_files import SCRATCH
from imagerecords.tasks.storage.folders import Folder
from imagerecords.tasks.storage.s3_upload import put_object
from imagerecords.tasks.storage.whole_files import sync_directory

EXISTS = ("PreconditionFailed", "412", "ConditionalRequestConflict")  # the last: AWS, during another write or deletion


def create_remote(output: Folder, path: str, data: bytes) -> bool | None:
    """Create an object; False where there is one already, None where the server can't say."""
    try:
        if output.is_s3:
            put_object(output.fs, path, data, IfNoneMatch="*")
        else:
            output.fs.pipe_file(path, data, mode="create")
    except FileExistsError:
        return False
    except OSError as error:
        if _is_precondition_failure(error):
            return False
        if error.errno == errno.ENOSYS:
            return None
        raise
    return True


def create_whole(output: Folder, name: str, data: bytes) -> bool:
    """Write a file that appears whole, unless there is one of this name; False where there is, with other content.

    Servers and mounts that know no such condition get it written as any other file.
    """
    path = output.join(name)
    if not output.is_local:
        created = create_remote(output, path, data)
        if created is False and output.exists(name):
            return output.read(name) == data  # the answer to a first attempt may have been lost
        if not created:  # the server can't say, or says "exists" of everything
            output.write(name, data)
        return True
    temporary = f"{SCRATCH}/{name}.{os.getpid()}"
    output.write(temporary, data)
    try:
        os.link(output.join(temporary), path)
    except FileExistsError:
        return output.read(name) == data
    except OSError:  # a file system without hard links
        if output.exists(name):
            return output.read(name) == data
        output.move(temporary, name)
    else:
        output.remove(temporary)
    sync_directory(os.path.dirname(path))
    return True


def _is_precondition_failure(error: OSError) -> bool:
    """s3fs knows a refused If-None-Match only from AWS's wording; other servers' arrive as OSError(EINVAL)."""
    response: dict[str, Any] = getattr(error.__cause__, "response", None) or {}
    return response.get("Error", {}).get("Code") in EXISTS
