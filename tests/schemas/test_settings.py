"""The settings: every rule with its message, no secrets, frozen, described."""

import pytest
from pydantic import ValidationError

from imagerecords.schemas.settings import CONTENT_SETTINGS, BuildSettings, planned_content

BASE = {"output_directory": "out", "train_directory": "in"}
LISTED = {"output_directory": "out", "image_list": "m.csv"}
DATA = {"output_directory": "out", "data_directory": "in"}
SECRET = "hunter2-not-to-be-shown"


def complaint(**settings):
    """The text of the error that settings raise."""
    with pytest.raises(ValidationError) as caught:
        BuildSettings(**settings)
    return str(caught.value)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"output_directory": "out"}, "got neither"),
        (BASE | {"data_directory": "in"}, "got both"),
        (BASE | {"image_list": "m.csv"}, "got both split directories and image_list"),
        ({"output_directory": "out", "image_list": "m.csv", "label_studio": "e.json"}, "got both image_list and label_studio"),
        (LISTED | {"image_list": "m.txt"}, "image_list must be a .csv, .tsv, .jsonl, .ndjson or .parquet file, got .txt"),
        (LISTED | {"recursive": True}, "recursive must go with directories, got image_list"),
        (LISTED | {"group_pattern": "a"}, "exactly one (group)"),
        ({"output_directory": "out", "label_studio": "e.zip"}, "label_studio must be a .json, .csv or .tsv file"),
        ({"output_directory": "out", "image_list": "m.csv", "annotators": "latest"}, "annotators must go with label_studio"),
        ({"output_directory": "out", "image_list": "memory://m.csv"}, "executor must be threads for memory://"),
        (BASE | {"invalid_boxes": "keep"}, "invalid_boxes"),
        ({"train_directory": "in"}, "output_directory"),
        (BASE | {"validation_fraction": 0.1}, "validation_fraction and test_fraction must go with data_directory"),
        (BASE | {"test_fraction": 0.1}, "must go with data_directory"),
        (
            DATA | {"validation_fraction": 0.5, "test_fraction": 0.5},
            "validation_fraction + test_fraction must be below 1, got 1",
        ),
        (DATA | {"validation_fraction": 1}, "validation_fraction"),
        (DATA | {"validation_fraction": -0.1}, "validation_fraction"),
        (DATA | {"validation_fraction": float("nan")}, "validation_fraction"),
        (BASE | {"group_pattern": "(a)"}, "group_pattern must go with data_directory"),
        (DATA | {"group_pattern": "("}, "group_pattern must be a regular expression, got '('"),
        (DATA | {"group_pattern": "a"}, "exactly one (group), got 0"),
        (DATA | {"group_pattern": "(a)(b)"}, "exactly one (group), got 2"),
        ({"output_directory": "memory://out", "train_directory": "in"}, "executor must be threads for memory://"),
        ({"output_directory": "out", "train_directory": "memory://in"}, "executor must be threads for memory://"),
        (BASE | {"train_shards": 5, "layout_threads": 2}, "train_shards must be a multiple of layout_threads (2), got 5"),
        (BASE | {"test_shards": 3, "layout_threads": 2}, "test_shards must be a multiple of layout_threads (2), got 3"),
        (BASE | {"append": True, "overwrite": True}, "append must go without overwrite"),
        (BASE | {"append_missing_labels": "keep"}, "append_missing_labels must go with append"),
        (BASE | {"append": True, "append_missing_labels": "drop"}, "append_missing_labels"),
        (BASE | {"layout_threads": 0}, "layout_threads"),  # ZeroDivisionError in the classic script
        (BASE | {"train_shards": 0}, "train_shards"),
        (BASE | {"train_shards": 100_000}, "train_shards"),  # the name has five digits
        (BASE | {"train_shards": "many"}, "train_shards"),
        (BASE | {"workers": 0}, "workers"),
        (BASE | {"retries": -1}, "retries"),
        (BASE | {"max_rejected_fraction": 1.5}, "max_rejected_fraction"),
        (BASE | {"max_rejected_fraction": float("nan")}, "max_rejected_fraction"),  # nothing is over a budget of NaN
        (BASE | {"lock_stale_seconds": 0}, "lock_stale_seconds"),
        (BASE | {"check_pixels": "some"}, "check_pixels"),
        (BASE | {"tensorflow_check": "yes"}, "tensorflow_check"),
        (BASE | {"executor": "ray"}, "executor"),
        (BASE | {"unlisted_labels": "drop"}, "unlisted_labels"),
        (BASE | {"train_shard": 8}, "train_shard"),  # unknown, though nearly a setting
    ],
)
def test_each_rule_names_its_setting(settings, words):
    assert words in complaint(**settings)


def test_all_problems_are_reported_together():
    text = complaint(output_directory="out", validation_fraction=0.6, test_fraction=0.6, storage_options={"secret": "s"})
    assert "got neither" in text
    assert "must be below 1" in text
    assert "credential" in text


@pytest.mark.parametrize(
    "options",
    [
        {"key": SECRET},
        {"secret": SECRET},
        {"aws_secret_access_key": SECRET},
        {"AWS_SESSION_TOKEN": SECRET},
        {"token": SECRET},
        {"password": SECRET},
        {"account_key": SECRET},
        {"sas_token": SECRET},
        {"private_key": SECRET},
        {"client_kwargs": {"aws_secret_access_key": SECRET}},
        {"config_kwargs": {"s3": {"deep": {"password": SECRET}}}},
        {"endpoint_url": f"https://user:{SECRET}@minio.example"},
        {"client_kwargs": {"proxy": f"http://user:{SECRET}@proxy.example:3128"}},
        {"accounts": [{"password": SECRET}]},  # lists are a depth too
        {"pairs": ({"token": SECRET},)},
        {"mirrors": [f"https://user:{SECRET}@minio.example"]},
        {"key": SECRET.encode()},  # what a Python caller may pass
        {"client_kwargs": {"headers": {"Authorization": f"Bearer {SECRET}"}}},  # fsspec's http takes it so
        {"connection_string": f"AccountName=a;AccountKey={SECRET}"},  # adlfs takes it so
    ],
)
def test_a_credential_in_the_storage_options_is_refused_and_not_shown(options):
    text = complaint(**BASE, storage_options=options)
    assert "credential" in text
    assert SECRET not in text


@pytest.mark.parametrize(
    "setting",
    [
        "output_directory",
        "train_directory",
        "validation_directory",
        "test_directory",
        "labels_file",
        "synsets_file",
        "bounding_boxes",
        "image_list",
        "label_studio",
    ],
)
def test_a_credential_in_any_url_is_refused_and_not_shown(setting):
    text = complaint(**(BASE | {setting: f"s3://AKIA123:{SECRET}@bucket/prefix"}))
    assert "credential" in text
    assert SECRET not in text


@pytest.mark.parametrize(
    "url",
    [
        f"ftp://user:{SECRET}@host/x",
        f"simplecache::ftp://user:{SECRET}@host/x",  # fsspec chains file systems
        f"https://account.blob.core.windows.net/c/x?sv=2024&sig={SECRET}",  # a shared access signature is the key itself
        f"https://bucket.s3.amazonaws.com/x?X-Amz-Signature={SECRET}",
    ],
)
def test_a_credential_of_any_form_in_a_url_is_refused_and_not_shown(url):
    text = complaint(**(BASE | {"train_directory": url}))
    assert "credential" in text
    assert SECRET not in text


def test_a_credential_in_the_data_directory_is_refused_and_not_shown():
    text = complaint(**(DATA | {"data_directory": f"s3://a:{SECRET}@bucket"}))
    assert "credential" in text
    assert SECRET not in text


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"endpoint_url": "http://127.0.0.1:9000"},
        {"anon": True, "client_kwargs": {"region_name": "eu-central-1"}},
        {"profile": "research"},
        {"requester_pays": True, "key": None},  # asks for nobody's secret
    ],
)
def test_options_without_credentials_are_taken(options):
    assert BuildSettings(**BASE, storage_options=options).storage_options == options


@pytest.mark.parametrize(
    "url", ["s3://bucket/a:b@c", "abfs://container@account.dfs.core.windows.net/x", "/data/a:b@c", "file:///tmp/x", "out"]
)
def test_urls_without_credentials_are_taken(url):
    assert BuildSettings(**(BASE | {"output_directory": url})).output_directory == url


def test_a_secret_of_an_unknown_setting_is_not_shown():
    assert SECRET not in complaint(**BASE, aws_secret_access_key=SECRET)
    assert SECRET not in complaint(**BASE, storage_options=SECRET)


def test_settings_are_frozen():
    settings = BuildSettings(**BASE)
    with pytest.raises(ValidationError, match="frozen"):
        settings.seed = 1


def test_each_field_is_described_in_the_schema():
    properties = BuildSettings.model_json_schema()["properties"]
    assert properties.keys() == BuildSettings.model_fields.keys()
    assert [name for name, field in properties.items() if len(field.get("description", "")) < 20] == []


def test_settings_survive_the_json_that_prefect_stores():
    settings = BuildSettings(**DATA, validation_fraction=0.1, train_shards=8, storage_options={"a": {"b": 1}})
    assert BuildSettings.model_validate_json(settings.model_dump_json()) == settings


def test_the_defaults_that_bind_users_data_have_not_changed():
    settings = BuildSettings(**BASE)
    assert (settings.seed, settings.layout_threads, settings.max_rejected_fraction) == (12345, 1, 0.05)
    assert (settings.train_shards, settings.check_pixels, settings.unlisted_labels) == ("auto", "all", "error")


def test_the_directories_are_given_by_split():
    settings = BuildSettings(output_directory="out", test_directory="c", train_directory="a")
    assert settings.directories() == {"train": "a", "test": "c"}
    assert BuildSettings(**DATA).directories() == {"data": "in"}


def test_a_build_from_a_list_has_no_directories():
    settings = BuildSettings(**LISTED, validation_fraction=0.1, group_pattern="(a)")
    assert (settings.listed_by, settings.directories()) == ("image_list", {})
    assert BuildSettings(output_directory="out", label_studio="E.JSON").listed_by == "label_studio"
    assert BuildSettings(**BASE).listed_by is None


def test_only_settings_that_change_a_shard_are_content():
    """Speed, budget and where the work is done must not make finished shards worthless."""
    free = ["workers", "executor", "retries", "read_ahead", "max_rejected_fraction", "tensorflow_check", "storage_options"]
    assert not set(free) & set(CONTENT_SETTINGS)
    assert BuildSettings(**BASE, check_pixels="none").content() != BuildSettings(**BASE).content()


# Each setting of images with a value that is not its default: it changes which images are written, or how they look.
IMAGE_SETTINGS = {
    "max_pixels": 1_000_000,
    "max_image_memory": 500_000_000,
    "max_bytes": 1_000_000,
    "min_side": 16,
    "max_aspect": 4.0,
    "exif": "keep",
    "icc": "keep",
    "alpha_background": "black",
    "animated": "reject",
    "resize_shorter_side": 256,
    "jpeg_quality": 95,
    "jpeg_subsampling": "4:4:4",
    "partial_blocks": "trim",
    "metadata": "strip",
}


@pytest.mark.parametrize("name", IMAGE_SETTINGS)
def test_a_setting_of_images_is_content(name):
    changed, default = BuildSettings(**BASE, **{name: IMAGE_SETTINGS[name]}), BuildSettings(**BASE)
    assert changed.content() != default.content()
    assert changed.fingerprint_content() != default.fingerprint_content()


def test_fingerprints_tell_all_values_of_a_setting_with_another_default_apart():
    values = ["source", 1, 99, 100]
    assert len({str(BuildSettings(**BASE, jpeg_quality=value).fingerprint_content()) for value in values}) == len(values)
    values = ["source", "4:2:0", "4:4:4"]
    assert len({str(BuildSettings(**BASE, jpeg_subsampling=value).fingerprint_content()) for value in values}) == len(values)


# The content settings of a plan that version 0.1.0 made with its defaults.
PLANNED_BY_0_1_0 = {
    "alpha_background": "white",
    "animated": "first",
    "check_pixels": "all",
    "exif": "bake",
    "icc": "convert",
    "jpeg_quality": 100,
    "jpeg_subsampling": "4:2:0",
    "max_aspect": None,
    "max_bytes": None,
    "max_pixels": 178_956_970,
    "min_side": None,
    "resize_shorter_side": None,
}


def test_the_defaults_of_0_1_0_are_those_of_today_for_a_plan_that_has_them():
    now = BuildSettings(**BASE)
    assert planned_content(PLANNED_BY_0_1_0, now.content()) == now.content()
    assert now.fingerprint_content() == sorted(PLANNED_BY_0_1_0.items())
    asked = BuildSettings(**BASE, jpeg_quality=100, jpeg_subsampling="4:2:0")
    assert planned_content(PLANNED_BY_0_1_0, asked.content()) == asked.content()
    other = BuildSettings(**BASE, jpeg_quality=90)
    assert planned_content(PLANNED_BY_0_1_0, other.content()) != other.content()
    assert planned_content(asked.content(), now.content()) != now.content()  # a plan of today means what it says


@pytest.mark.parametrize("colour", ["drop", "white", "#c0ffee", "rgb(1, 2, 3)", "hsl(0, 100%, 50%)"])
def test_a_background_is_a_colour_or_drop(colour):
    assert BuildSettings(**BASE, alpha_background=colour).alpha_background == colour


@pytest.mark.parametrize(
    ("colour", "words"),
    [
        ("wheat white", "a colour"),
        ("", "a colour"),
        ("#ff", "a colour"),
        ("#ff00ff80", "opaque"),
        ("rgba(1, 2, 3, 4)", "opaque"),
    ],
)
def test_a_background_that_is_no_opaque_colour_is_refused(colour, words):
    assert words in complaint(**BASE, alpha_background=colour)


@pytest.mark.parametrize(
    "change",
    [
        {"max_pixels": 178_956_971},
        {"max_pixels": 0},
        {"max_image_memory": 149_999_999},
        {"min_side": 0},
        {"max_aspect": 0.9},
        {"jpeg_quality": 101},
        {"exif": "drop"},
    ],
)
def test_a_setting_of_images_out_of_range_is_refused(change):
    (name,) = change
    assert name in complaint(**BASE, **change)


def test_storage_options_from_a_command_line_are_what_they_say():
    """Every value is a text there, at any depth; names of profiles stay texts."""
    given = {
        "anon": "true",
        "client_kwargs": {"verify": "false", "region_name": "1"},
        "config_kwargs": {"connect_timeout": "5"},
    }
    settings = BuildSettings(output_directory="out", train_directory="in", storage_options=given | {"profile": "007"})
    assert settings.storage_options == {
        "anon": True,
        "client_kwargs": {"verify": False, "region_name": "1"},
        "config_kwargs": {"connect_timeout": 5},
        "profile": "007",
    }


def test_a_signature_version_is_no_credential():
    options = {"config_kwargs": {"signature_version": "s3v4"}}
    assert BuildSettings(output_directory="out", train_directory="in", storage_options=options).storage_options == options
