"""The installed wheel: what it contains, and what the command and the package do with nothing else around."""

import os
import re
import shutil
import stat
import subprocess
import sys
import sysconfig
import zipfile

from imagerecords.schemas.version import VERSION
from tests.acceptance.installed import IMAGES, ROOT


def test_the_wheel_holds_one_package_and_nothing_else(wheel):
    modules = [path for folder in ("flows", "schemas", "tasks", "imagerecords") for path in (ROOT / folder).rglob("*.py")]
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        assert not any(stat.S_ISLNK(entry.external_attr >> 16) for entry in archive.infolist())
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {"imagerecords"}
    expected = {path.relative_to(ROOT).as_posix().removeprefix("imagerecords/") for path in modules}
    assert {name.removeprefix("imagerecords/") for name in names if name.endswith(".py")} == expected
    assert "imagerecords/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_wheel_has_the_extension_where_there_is_a_compiler_and_is_for_every_platform_elsewhere(place, wheel, tmp_path):
    code = "from imagerecords.tasks.images import jpeg_scan; print(jpeg_scan.extension is not None)"
    found = place.run("python", "-c", code).stdout.strip()
    compiler = shutil.which(sysconfig.get_config_var("CC").split()[0])
    assert found == str("-cp311-abi3-" in wheel.name) == str(compiler is not None)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    ran = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"CC": str(tmp_path / "no compiler")})
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (plain,) = tmp_path.glob("*.whl")
    assert plain.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(plain) as archive:
        assert [name for name in archive.namelist() if name.endswith((".so", ".c"))] == []


def test_the_wheel_alone_builds_a_data_set_with_its_data_card_and_audits_it(place):
    ran = place.command()
    assert re.search(rf"^train +{IMAGES} +{IMAGES} +0 ", ran.stdout, re.M), ran.stdout
    assert (place.folder / "out/report.html").exists()  # its template, style and script came with the wheel
    audited = place.run("imagerecords", "audit", "out")
    assert audited.returncode == 0, audited.stdout + audited.stderr


def test_the_wheel_brings_its_version_and_its_flow(place, wheel):
    assert place.run("imagerecords", "--version").stdout.strip() == VERSION == wheel.name.split("-")[1]
    assert place.run("python", "-m", "imagerecords", "--version").stdout.strip() == VERSION
    code = "from imagerecords.flows.build import build_image_dataset as flow; print(flow.name)"
    assert place.run("python", "-c", code).stdout.strip() == "build-image-dataset"


def test_a_users_type_checker_sees_the_types(place):
    """As py.typed says: mypy finds the wheel's annotations."""
    place.write("use.py", "import imagerecords\nreveal_type(imagerecords.build)\nimagerecords.audit(3)\n")
    checker = [sys.executable, "-m", "mypy", "--python-executable", place.bin / "python", "--cache-dir", "cache", "use.py"]
    ran = subprocess.run(list(map(str, checker)), cwd=place.folder, capture_output=True, text=True, env=place.environment)
    assert "BuildSummary" in ran.stdout, ran.stdout + ran.stderr
    assert 'incompatible type "int"' in ran.stdout, ran.stdout


def test_a_working_directory_that_takes_no_files_does_not_matter(place):
    """/proc takes none, not even from root."""
    place.command(cwd="/proc")


def test_an_environment_without_home_does_not_matter(place):
    del place.environment["HOME"]
    place.command()


def test_the_package_reads_what_it_built_without_tensorflow_or_prefect(place):
    place.command()
    code = """
    import sys, imagerecords
    data = imagerecords.open_dataset("out")
    record = data["train"][3]
    print(len(data["train"]), sorted(data.labels), record.label in (1, 2), record.image().mode)
    print([name for name in ("tensorflow", "prefect") if name in sys.modules])
    """
    ran = place.run("python", place.write("read.py", code))
    assert ran.stdout.splitlines() == ["8 ['cat', 'dog'] True RGB", "[]"], ran.stderr
