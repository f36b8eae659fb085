"""Former names of settings are read, and shown nowhere."""

import pytest
from pydantic import ValidationError

from imagerecords.schemas.errors import BadSettings
from imagerecords.schemas.settings import BuildSettings
from imagerecords.schemas.settings_problems import make_settings


def test_the_former_name_of_a_setting_is_read_and_not_shown():
    settings = BuildSettings(output_directory="out", manifest="m.csv")
    assert (settings.image_list, "manifest" in settings.model_dump()) == ("m.csv", False)
    assert "manifest" not in BuildSettings.model_json_schema()["properties"]


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda values: BuildSettings(**values), ValidationError),
        (lambda values: make_settings(BuildSettings, values), BadSettings),
    ],
    ids=["the model", "imagerecords.build"],
)
def test_a_setting_under_both_of_its_names_is_an_error(make, error):
    with pytest.raises(error, match=r"image_list must be given once, got manifest, its former name, too. Drop manifest"):
        make({"output_directory": "out", "image_list": "m.csv", "manifest": "m.csv"})
