"""Whether a Prefect API is configured, without importing Prefect."""

import subprocess
import sys

import pytest

from imagerecords.flows.prefect_api import prefect_api_url

URL = "http://127.0.0.1:4200/api"
PROFILES = f'active = "mine"\n[profiles.mine]\nPREFECT_API_URL = "{URL}"\n[profiles.other]\n[profiles.ephemeral]\n'


@pytest.fixture
def places(tmp_path, monkeypatch):
    """A working directory and a Prefect home, both empty."""
    work, home = tmp_path / "work", tmp_path / "home"
    work.mkdir()
    home.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("PREFECT_HOME", str(home))
    return work, home


@pytest.mark.parametrize(
    ("environment", "files", "expected"),
    [
        ({}, {}, None),
        ({"PREFECT_API_URL": URL}, {}, URL),
        ({"PREFECT_API_URL": ""}, {}, None),  # set to nothing is not set
        ({}, {"home/profiles.toml": PROFILES}, URL),
        ({"PREFECT_PROFILE": "other"}, {"home/profiles.toml": PROFILES}, None),
        ({"PREFECT_PROFILE": "none"}, {"home/profiles.toml": PROFILES}, None),
        ({}, {"work/prefect.toml": f'[api]\nurl = "{URL}"\n'}, URL),
        ({}, {"work/pyproject.toml": f'[tool.prefect.api]\nurl = "{URL}"\n'}, URL),
        ({}, {"home/profiles.toml": "not toml ["}, None),
        ({"PREFECT_API_URL": URL}, {"home/profiles.toml": PROFILES.replace("4200", "1")}, URL),
    ],
)
def test_the_url_is_found_where_prefect_looks(places, tmp_path, monkeypatch, environment, files, expected):  # noqa: PLR0917
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert prefect_api_url() == expected


def test_a_direct_build_never_imports_prefect(data, tmp_path):
    """It costs two seconds."""
    code = (
        "import sys; from imagerecords.flows.cli import run; code = run(sys.argv[1:]); "
        "print([name for name in ('prefect', 'tensorflow') if name in sys.modules]); sys.exit(code)"
    )
    arguments = ["build", "--no-prefect", "--executor", "threads", "--train_directory", data, "--output_directory", "out"]
    ran = subprocess.run([sys.executable, "-c", code, *arguments], cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[-1] == "[]"
