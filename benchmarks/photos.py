"""The photos that the benchmark's images are cut from, out of three Debian packages: 73 MB, nothing is installed."""

import os
import shutil
import subprocess
from pathlib import Path

PACKAGES = ("mate-backgrounds", "lomiri-wallpapers-16.04", "lomiri-wallpapers-20.04")

# What is to be seen on which photo, by the photo's file name without ending.
LABELS = {
    "bird_on_tree": ("Kleiber_by_Lukas_Baubkus",),
    "bridge": ("Bridge_by_Sander_Klootwijk",),
    "brushes": ("Picture_1A_by_freespace",),
    "clock": ("greentock_by_Peter_Nerlich",),
    "dandelion": ("seeding_by_Clements_Engelhardt", "TwoWings"),
    "dogs": ("friends_by_Aitzol_Berasategi",),
    "dragonfly": ("Dragonfly_by_Bolly",),
    "dune": ("Dune",),
    "fig": ("Picture_0B_by_freespace",),
    "grass": ("GreenMeadow",),
    "ladybird": ("LadyBird",),
    "leaf": ("Blinds", "RainDrops"),
    "mountain": ("aitzgorri_by_Aitzol_Berasategi", "picosdeeuropa_by_Aitzol_Berasategi"),
    "red_flower": ("FreshFlower", "Garden"),
    "storm": ("Storm",),
    "stream": ("life_by_Aitzol_Berasategi",),
    "sunset": ("sunset_by_Aitzol_Berasategi",),
    "water": ("Aqua",),
    "wine": ("Wine_by_Jakkub_Mede",),
    "yellow_flower": ("YellowFlower",),
}


def fetch_photos(directory: Path) -> dict[str, Path]:
    """The photos by name, unpacked below `directory`; a package that is there already is not fetched again."""
    directory.mkdir(parents=True, exist_ok=True)
    for package in PACKAGES:
        if not (directory / package).is_dir():
            _unpack(package, directory)
    wanted = {name for names in LABELS.values() for name in names}
    found = {path.stem: path for path in sorted(directory.rglob("*.jpg")) if path.stem in wanted and not path.is_symlink()}
    if missing := sorted(wanted - found.keys()):
        raise SystemExit(
            f"error: the packages must hold the photos {missing}: {directory}. Another release may have renamed them"
        )
    return found


def _unpack(package: str, directory: Path) -> None:
    """Download a package and unpack it; its directory gets its name only when all is there."""
    scratch = directory / f"{package}.unpacking"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    _download(package, scratch)
    (archive,) = scratch.glob("*.deb")
    subprocess.run(["dpkg", "-x", archive, scratch], check=True)
    archive.unlink()
    scratch.rename(directory / package)


def _download(package: str, directory: Path) -> None:
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        raise SystemExit("error: the photos come from Debian packages: apt-get and dpkg must be there (Debian or Ubuntu)")
    first = _apt("download", package, directory=directory)
    if first.returncode == 0:
        return
    update = _apt("update", directory=directory)
    again = _apt("download", package, directory=directory)
    if again.returncode == 0:
        return
    reason = "apt-get update failed too"
    if update.returncode == 0:
        reason = "apt-get update went well and did not help: is the package in this release (Debian's main)?"
    elif os.geteuid() != 0:
        reason = "its lists seem to be missing, and apt-get update needs root: run `sudo apt-get update` once, then this again"
    raise SystemExit(f"error: apt-get download {package} failed; {reason}\n{(again.stderr or update.stderr).strip()}")


def _apt(*words: str, directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["apt-get", "-qq", *words], cwd=directory, capture_output=True, text=True, check=False)
