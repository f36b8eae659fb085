"""How many processors this process may use: those of its CPU set, within the quota of its control groups."""

import os
from collections.abc import Iterator
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUPS = Path("/proc/self/cgroup")


def usable_processors() -> int:
    """The number of processors, at least 1; limited by `taskset`, cpusets, `docker --cpus` and Kubernetes."""
    affinity = getattr(os, "sched_getaffinity", None)
    count = len(affinity(0)) if affinity else os.cpu_count() or 1
    return max(1, min([count, *(round(quota) for quota in _quotas())]))


def _quotas() -> Iterator[float]:
    """The CPU quotas of this process's control groups and of those above them, in processors."""
    for folder in _folders():
        quota, period = _read(folder / "cpu.max").split(" ") if _read(folder / "cpu.max") else ("max", "0")
        if quota == "max":  # no quota in version 2; that of version 1 lies in two files
            quota, period = _read(folder / "cpu.cfs_quota_us") or "max", _read(folder / "cpu.cfs_period_us")
        if quota.isdecimal() and period.isdecimal() and int(period):
            yield int(quota) / int(period)


def _folders() -> Iterator[Path]:
    """The folders of this process's control groups, version 2 or the cpu controller of version 1, up to the root."""
    for line in _read(OWN_CGROUPS).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        root = CGROUPS / (controllers and "cpu")
        place = root / path.lstrip("/")
        yield from (folder for folder in (place, *place.parents) if folder == root or root in folder.parents)


def _read(path: Path) -> str:
    """A file's text without surrounding space; empty where it can't be read."""
    try:
        return path.read_text().strip()
    except OSError:
        return ""
