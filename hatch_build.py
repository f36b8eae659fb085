"""hatchling's build hook: the C extension is built where there is a compiler, and left out where there is none."""

import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PLACE = "imagerecords/tasks/images"
NAME = "_jpeg"
OLDEST = 3, 11  # Python; one build is for this and all later ones


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Adds the extension to a wheel, which is then one of this platform; puts it beside its source in an editable install."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the extension before hatchling collects the files."""
        self._folder = Path(tempfile.mkdtemp(prefix="imagerecords-"))
        built = build_extension(Path(self.root, PLACE), self._folder)
        if version == "editable":
            for old in Path(self.root, PLACE).glob(f"{NAME}*.so"):
                old.unlink()
            if built is not None:
                shutil.copy(built, Path(self.root, PLACE, built.name))
        elif built is not None:
            platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
            build_data["pure_python"] = False
            build_data["tag"] = f"cp{OLDEST[0]}{OLDEST[1]}-abi3-{platform}"
            build_data["force_include"][str(built)] = f"{PLACE}/{built.name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what the wheel has a copy of."""
        shutil.rmtree(self._folder, ignore_errors=True)


def build_extension(sources: Path, folder: Path) -> Path | None:
    """The extension of a directory's C files, built in the folder; None where it can't be: imagerecords works without it."""
    if sys.implementation.name != "cpython" or sysconfig.get_config_var("Py_GIL_DISABLED"):
        return None  # they have no stable ABI
    try:
        from setuptools import Distribution, Extension
        from setuptools.command.build_ext import build_ext
        from setuptools.errors import BaseError, CCompilerError
    except ImportError:
        return None
    limited = f"0x{OLDEST[0]:02x}{OLDEST[1]:02x}0000"
    extension = Extension(
        NAME, sorted(map(str, sources.glob("*.c"))), define_macros=[("Py_LIMITED_API", limited)], py_limited_api=True
    )
    if sys.platform != "win32":
        extension.extra_compile_args = ["-g0"]  # no paths of this machine
    command = build_ext(Distribution({"name": NAME, "ext_modules": [extension]}))
    command.build_lib, command.build_temp = str(folder), str(folder / "objects")
    try:
        command.ensure_finalized()
        command.run()
    except (BaseError, CCompilerError, OSError):
        return None
    return next(folder.glob(f"{NAME}.*"), None)
