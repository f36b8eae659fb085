"""An image is never rejected because the machine is short of memory; what rotating takes is kept."""

import io
import os
import resource
from types import SimpleNamespace

import pytest
from PIL import Image

from imagerecords.schemas.receipt import Reason, Rejected
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.images import memory
from imagerecords.tasks.images.memory import refused_for_memory
from imagerecords.tasks.images.memory_needed import Need, refuse_memory
from imagerecords.tasks.images.process import process_image

SETTINGS = BuildSettings(output_directory="out", train_directory="in")


def picture(kind):
    file = io.BytesIO()
    Image.new("RGBA" if kind == "PNG" else "RGB", (3000, 3000), "red").save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "JPEG2000"])
@pytest.mark.parametrize("spare", [20, 80])  # MiB beyond what the process has
def test_a_sound_image_on_a_machine_short_of_memory_is_written_or_a_fault_of_the_machine(kind, spare):
    data = picture(kind)
    process_image(_small(), SETTINGS)  # all imports are done
    child = os.fork()
    if child == 0:
        with open("/proc/self/statm") as file:
            used = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_AS, (used + (spare << 20),) * 2)
        try:
            process_image(data, SETTINGS)
        except MemoryError:
            os._exit(0)
        except Rejected:
            os._exit(1)
        except BaseException:
            os._exit(2)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def _small():
    file = io.BytesIO()
    Image.new("RGBA", (8, 8), "red").save(file, "PNG")
    return file.getvalue()


def test_a_damaged_image_that_asks_for_any_memory_is_the_images_fault():
    error = Rejected(Reason.CORRUPT, "x")
    error.__cause__ = MemoryError()
    assert not refused_for_memory(error, _small())


@pytest.mark.parametrize(("platform", "calls"), [("linux", [(-1, 128 << 20), (-3, 32 << 20)]), ("darwin", [])])
def test_freed_memory_is_kept_where_the_c_library_is_glibc(monkeypatch, platform, calls):
    asked = []
    monkeypatch.setattr(memory.sys, "platform", platform)
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda _: SimpleNamespace(mallopt=lambda *given: asked.append(given)))
    memory.keep_freed_memory.__wrapped__()
    assert asked == calls
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda _: SimpleNamespace())  # another C library
    memory.keep_freed_memory.__wrapped__()
    assert asked == calls


def test_kept_memory_is_given_back_before_an_image_that_takes_nearly_all(monkeypatch):
    trimmed = []
    monkeypatch.setattr(memory.sys, "platform", "linux")
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda _: SimpleNamespace(malloc_trim=trimmed.append))
    memory.keep_freed_memory()
    allowed = SETTINGS.max_image_memory
    refuse_memory(Need(1.0), 1, allowed // 2, 0, SETTINGS)
    assert trimmed == []
    refuse_memory(Need(1.0), 1, allowed - (150 << 20), 0, SETTINGS)
    assert trimmed == [0]
