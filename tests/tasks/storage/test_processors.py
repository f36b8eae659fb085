"""Workers are as many as the processors that the process may use."""

import os

import pytest

from imagerecords.tasks.storage import processors
from imagerecords.tasks.storage.processors import usable_processors


@pytest.fixture
def system(tmp_path, monkeypatch):
    """A system of 16 processors, and writers of its control groups."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)), raising=False)
    monkeypatch.setattr(processors, "CGROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(processors, "OWN_CGROUPS", tmp_path / "own")

    def write(own, files):
        (tmp_path / "own").write_text(own)
        for name, text in files.items():
            (tmp_path / "cgroup" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "cgroup" / name).write_text(text)

    return write


@pytest.mark.parametrize(
    ("own", "files", "count"),
    [
        ("0::/\n", {}, 16),
        ("0::/\n", {"cpu.max": "max 100000\n"}, 16),
        ("0::/\n", {"cpu.max": "200000 100000\n"}, 2),
        ("0::/pod/container\n", {"pod/cpu.max": "300000 100000\n", "pod/container/cpu.max": "max 100000\n"}, 3),
        ("0::/\n", {"cpu.max": "50000 100000\n"}, 1),  # half a processor
        (
            "5:cpu,cpuacct:/job\n4:memory:/job\n",
            {"cpu/job/cpu.cfs_quota_us": "400000\n", "cpu/job/cpu.cfs_period_us": "100000\n"},
            4,
        ),
        ("5:cpu,cpuacct:/job\n", {"cpu/job/cpu.cfs_quota_us": "-1\n", "cpu/job/cpu.cfs_period_us": "100000\n"}, 16),
        ("5:cpu:/not/seen/in/the/container\n", {"cpu/cpu.cfs_quota_us": "100000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 1),
    ],
)
def test_a_quota_of_a_control_group_limits_the_processors(system, own, files, count):
    system(own, files)
    assert usable_processors() == count


def test_a_cpu_set_limits_them_too(system, monkeypatch):
    system("0::/\n", {"cpu.max": "800000 100000"})
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5}, raising=False)
    assert usable_processors() == 2


def test_systems_without_control_groups_have_all_of_theirs(monkeypatch, tmp_path):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(processors, "OWN_CGROUPS", tmp_path / "nothing")
    assert usable_processors() == os.cpu_count()
