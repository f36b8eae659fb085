"""Places that a list of images may name: its writer decides what the build reads, so other hosts must be allowed."""

from collections.abc import Sequence
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.compute as pc

# Their server comes from the settings and the environment; a URL names no more than a bucket or container.
CONFIGURED = frozenset(["s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oci", "oss", "memory"])
LOCAL = frozenset(["file", "local"])
HOST = r"^(?P<host>[A-Za-z][A-Za-z0-9+.:-]*://[^/]*/?)"


def refuse_other_hosts(paths: pa.Array, listed_by: str, allowed: Sequence[str]) -> None:
    """Raise PermissionError when a list names a host other than its own, or, on another machine, a file of this one."""
    home = urlsplit(listed_by)
    is_remote = "://" in listed_by and home.scheme not in LOCAL
    hosts = pc.struct_field(pc.extract_regex(paths, HOST), "host").unique().drop_null().to_pylist()
    for host in sorted(hosts):
        place = urlsplit(host)
        if place.scheme in CONFIGURED or (place.scheme in LOCAL and not is_remote):
            continue
        if (place.scheme, place.netloc) == (home.scheme, home.netloc):
            continue
        outside = pc.starts_with(paths, host)
        for prefix in allowed:
            outside = pc.and_(outside, pc.invert(pc.starts_with(paths, prefix)))
        if (row := pc.index(outside, True).as_py()) >= 0:
            raise PermissionError(
                f"images must lie on the list's own host or in allowed_sources, got {paths[row].as_py()!r}. Pass "
                f"--allowed_sources {host} if the list is to be trusted with it"
            )
