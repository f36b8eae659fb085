"""The flow's parameters: each setting once, and the same settings back."""

import pytest
from prefect.exceptions import ParameterTypeError

from imagerecords.flows.build import build_image_dataset
from imagerecords.flows.prefect_ui.parameters import ALL, GROUP_OF, parameters_from, settings_from
from imagerecords.schemas.errors import BadSettings
from imagerecords.schemas.settings import MAIN_SETTINGS, BuildSettings

GIVEN = BuildSettings(
    data_directory="in",
    output_directory="out",
    validation_fraction=0.25,
    test_fraction=0.1,
    jpeg_quality=90,
    exclude_labels=("a", "b"),
    duplicates="drop",
    retries=0,
    storage_options={"endpoint_url": "http://127.0.0.1:1"},
)


def test_each_setting_is_a_parameter_or_in_one_group():
    assert sorted([*MAIN_SETTINGS, *GROUP_OF]) == sorted(BuildSettings.model_fields)


def test_parameters_give_the_settings_back():
    given = parameters_from(GIVEN)
    assert given["validation_fraction"] == 0.25
    assert given["split_settings"] == {"test_fraction": 0.1}
    assert "check_settings" not in given, "what has its default is left out"
    assert settings_from(given) == settings_from(build_image_dataset.validate_parameters(given)) == GIVEN


@pytest.mark.parametrize("all_of_them", [GIVEN, GIVEN.model_dump(), GIVEN.model_dump(exclude_defaults=True)])
def test_settings_take_all_of_them_by_name(all_of_them):
    assert settings_from(build_image_dataset.validate_parameters({ALL: all_of_them})) == GIVEN


def test_settings_that_are_not_given_by_name_are_refused_with_the_line_to_write():
    with pytest.raises(ParameterTypeError, match=r"Write build_image_dataset\(settings=…\)"):
        build_image_dataset.validate_parameters({"train_directory": GIVEN})


def test_settings_win_over_the_other_parameters():
    given = {"train_directory": "t", "workers": 2, ALL: {"output_directory": "o", "workers": 3, "tensorflow_check": "all"}}
    settings = settings_from(given | {"check_settings": {"tensorflow_check": "sample", "min_side": 9}})
    assert (settings.workers, settings.tensorflow_check, settings.min_side) == (3, "all", 9)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({ALL: {"output_directory": "o", "train_shard": 1}}, "train_shard is not a setting; did you mean train_shards?"),
        ({"train_directory": "t"}, "output_directory must be given, got none. Pass it as a parameter of the run"),
        ({ALL: {"output_directory": "o"}}, "the input must be"),
    ],
)
def test_what_is_unknown_or_missing_is_named(given, message):
    with pytest.raises(BadSettings, match=message.replace("?", r"\?")):
        settings_from(given)


def test_a_deployments_form_describes_every_parameter():
    assert all(field["description"] for field in build_image_dataset.parameters.properties.values())
    assert (
        build_image_dataset.description
        == "Build a verified TFRecord data set from labelled images, and report what became of each."
    )
