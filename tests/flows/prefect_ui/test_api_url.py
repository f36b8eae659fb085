"""Which Prefect API a build reports to: the one that Prefect names, without importing Prefect where nothing names one."""

import json
import os
import subprocess
import sys

import pytest

URL = "http://127.0.0.1:4200/api"
OTHER = "http://127.0.0.1:4299/api"
PROFILES = f"""
active = "mine"
[profiles.mine]
PREFECT_API_URL = "{URL}"
[profiles.other]
PREFECT_LOGGING_LEVEL = "INFO"
"""
AT_HOME = "home/.prefect/profiles.toml"
# Variables, files (in the working directory, but for AT_HOME), the URL; {root} is the folder above the working directory.
ROWS = [
    ({}, {}, None),
    # the environment
    ({"PREFECT_API_URL": URL}, {}, URL),
    ({"prefect_api_url": URL}, {}, URL),
    ({"PREFECT_API_URL": ""}, {}, None),  # set to nothing is not set
    ({"PREFECT_API": f'{{"url": "{URL}"}}'}, {}, URL),
    ({"PREFECT_API_KEY": "pnu_1"}, {}, None),
    ({"API_URL": URL, "URL": URL}, {}, None),
    # .env
    ({}, {".env": f"PREFECT_API_URL={URL}\n"}, URL),
    ({}, {".env": f"export prefect_api_url = '{URL}'  # ours\n"}, URL),
    ({"HOST": "127.0.0.1"}, {".env": 'PREFECT_API_URL="http://${HOST}:4200/api"\n'}, URL),
    ({}, {".env": f"# PREFECT_API_URL={URL}\nPREFECT_LOGGING_LEVEL=INFO\n"}, None),
    ({"PREFECT_API_URL": OTHER}, {".env": f"PREFECT_API_URL={URL}\n"}, OTHER),
    ({"PREFECT_API_URL": ""}, {".env": f"PREFECT_API_URL={URL}\n"}, None),  # nothing wins over the .env
    ({}, {".env": "PREFECT_PROFILES_PATH={root}/elsewhere.toml\n", "../elsewhere.toml": PROFILES}, URL),
    ({}, {".env": "PREFECT_HOME={root}/elsewhere\n", "../elsewhere/profiles.toml": PROFILES}, None),  # not where Prefect looks
    ({}, {".env": "PREFECT_PROFILE=mine\n", AT_HOME: PROFILES.replace('"mine"', '"other"')}, None),
    # prefect.toml and pyproject.toml
    ({}, {"prefect.toml": f'[api]\nurl = "{URL}"\n'}, URL),
    ({}, {"prefect.toml": f'api.url = "{URL}"\n', "pyproject.toml": f'[tool.prefect.api]\nurl = "{OTHER}"\n'}, URL),
    ({}, {"prefect.toml": 'profiles_path = "{root}/elsewhere.toml"\n', "../elsewhere.toml": PROFILES}, URL),
    ({}, {"pyproject.toml": f'[tool.prefect.api]\nurl = "{URL}"\n'}, URL),
    ({}, {"pyproject.toml": '[project]\ndependencies = ["prefect"]\n[tool.ruff]\n'}, None),
    ({"PREFECT_API_URL": OTHER}, {"pyproject.toml": f'[tool.prefect.api]\nurl = "{URL}"\n'}, OTHER),
    # profiles
    ({}, {AT_HOME: PROFILES}, URL),
    ({"PREFECT_PROFILE": "other"}, {AT_HOME: PROFILES}, None),
    ({"PREFECT_PROFILE": "none"}, {AT_HOME: PROFILES}, None),
    ({"PREFECT_PROFILE": "local"}, {AT_HOME: PROFILES}, None),
    ({"PREFECT_PROFILE": "local"}, {}, URL),  # Prefect's own profile of that name, as long as there is no profiles file
    ({"PREFECT_HOME": "{root}/elsewhere"}, {"../elsewhere/profiles.toml": PROFILES}, URL),
    ({"PREFECT_HOME": "{root}/elsewhere", "PREFECT_PROFILE": "local"}, {}, None),
    ({"PREFECT_PROFILES_PATH": "{root}/elsewhere.toml"}, {"../elsewhere.toml": PROFILES}, URL),
    ({"PREFECT_PROFILES_PATH": "{root}/none.toml"}, {AT_HOME: PROFILES}, None),
    ({"PREFECT_API_URL": OTHER}, {AT_HOME: PROFILES}, OTHER),
    ({}, {".env": f"PREFECT_API_URL={OTHER}\n", AT_HOME: PROFILES}, OTHER),
    ({"PREFECT_TEST_MODE": "1"}, {AT_HOME: PROFILES}, None),
]
# Prefect's settings are made when it is imported; this makes them again for each row, as its import would.
ASK = """
import json, os, sys
from pathlib import Path
from prefect.context import refresh_global_settings_context
from prefect.settings import get_current_settings
from imagerecords.flows.prefect_ui.api_url import prefect_api_url

before = dict(os.environ)
profiles = Path.home() / ".prefect/profiles.toml"
profiles.parent.mkdir(parents=True, exist_ok=True)
for folder, variables, text in json.loads(sys.argv[1]):
    os.environ.clear()
    os.environ.update(before, **variables)
    os.chdir(folder)
    profiles.write_text(text) if text else profiles.unlink(missing_ok=True)
    refresh_global_settings_context()
    print(json.dumps([get_current_settings().api.url or None, prefect_api_url()]))
"""


def run_python(code, *arguments, folder):
    """A Python with its own home directory and no settings."""
    without_settings = {name: value for name, value in os.environ.items() if not name.upper().startswith("PREFECT")}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env=without_settings | {"HOME": str(folder / "home")},
        capture_output=True,
        text=True,
    )


def lay_out(root, variables, files):
    """The row as ASK takes it, with its files in place; the home directory's is put there when the row is read."""
    (root / "work").mkdir(parents=True)
    for name, text in files.items():
        if name != AT_HOME:
            path = root / "work" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace("{root}", str(root)))
    variables = {name: value.replace("{root}", str(root)) for name, value in variables.items()}
    return str(root / "work"), variables, files.get(AT_HOME, "")


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """The answers of Prefect and of prefect_api_url, for each row."""
    folder = tmp_path_factory.mktemp("rows")
    rows = [lay_out(folder / str(number), variables, files) for number, (variables, files, _) in enumerate(ROWS)]
    ran = run_python(ASK, json.dumps(rows), folder=folder)
    assert ran.returncode == 0, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


@pytest.mark.parametrize("number", range(len(ROWS)), ids=[str(row) for row in ROWS])
def test_the_url_is_the_one_that_prefect_names(answers, number):
    assert answers[number] == [ROWS[number][2]] * 2


@pytest.mark.parametrize("name", ["prefect.toml", "pyproject.toml"])
def test_settings_that_prefect_cannot_read_are_named(name, tmp_path):
    (tmp_path / name).write_text("not toml [")
    ran = run_python("from imagerecords.flows.prefect_ui.api_url import prefect_api_url; prefect_api_url()", folder=tmp_path)
    assert "BadSettings: Prefect can't read its settings:" in ran.stderr
    assert name in ran.stderr


NAMES_NO_URL = {
    "pyproject.toml": '[project]\nname = "mine"\ndependencies = ["prefect"]\n',
    ".env": "AWS_REGION=eu-central-1\n",
    "home/.prefect/profiles.toml": 'active = "other"\n[profiles.other]\nPREFECT_LOGGING_LEVEL = "INFO"\n',
}


@pytest.mark.parametrize("files", [{}, NAMES_NO_URL], ids=["nothing", "files without a URL"])
def test_a_direct_build_never_imports_prefect(data, tmp_path, files):
    """It costs two seconds."""
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    code = (
        "import sys; from imagerecords.flows.command.app import run; code = run(sys.argv[1:]); "
        "print([name for name in ('prefect', 'tensorflow') if name in sys.modules]); sys.exit(code)"
    )
    arguments = ["build", "--executor", "threads", "--train_directory", data, "--output_directory", "out"]
    ran = run_python(code, *arguments, folder=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[-1] == "[]"
