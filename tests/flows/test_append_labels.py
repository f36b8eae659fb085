"""append: labels keep their ids, and what would make shards of another kind is refused."""

import pytest

from imagerecords.schemas.errors import BadLayout, OutputConflict
from tests.flows.growing import labels, lay_out, manifest

LABEL_ROWS = {
    # name: (labels file or None, input's labels, labels file then, input's labels then, expected or the error's words)
    "sorted before an old one": (None, "bd", None, "abcd", "bdac"),
    "listed at the end": ("db", "bd", "dbca", "abcd", "dbca"),
    "a labels file for the first time": (None, "bd", "bda", "abd", "bda"),
    "a labels file no more": ("db", "bd", None, "abd", "dba"),
    "listed in between": (
        "db",
        "bd",
        "dab",
        "abd",
        "labels file must begin with the data set's labels.*got 'a' instead of 'b'",
    ),
    "listed in another order": ("db", "bd", "bda", "abd", "labels file must begin .* got 'b' instead of 'd'"),
    "a folder gone": (None, "bd", None, "ad", "no images of label 'b'.*--append_missing_labels keep"),
    "a line gone": ("bd", "bd", "ba", "abd", "no images of label 'd'"),
    "folder and line gone": ("bd", "bd", "ba", "ab", "no images of label 'd'"),
    "a folder gone that is listed": ("bd", "bd", "bda", "ab", "no images of label 'd'"),
}


@pytest.mark.parametrize("row", LABEL_ROWS)
def test_labels_are_appended_and_never_renumbered(tmp_path, fill, build, digests, row):
    listed, folders, listed_then, folders_then, expected = LABEL_ROWS[row]
    output = {"output_directory": tmp_path / "out", "append": True}
    build(**output, **lay_out(tmp_path, fill, listed, folders))
    then = lay_out(tmp_path, fill, listed_then, folders_then) | {"unlisted_labels": "ignore"}
    before = digests(tmp_path / "out")
    if expected.isalpha():
        build(**output, **then)
        assert labels(tmp_path / "out") == list(expected)
        return
    with pytest.raises(BadLayout, match=expected):
        build(**output, **then)
    assert digests(tmp_path / "out") == before


KEPT_ROWS = {
    # as above; expected labels, and those that got new images: a, and d where its folder counts
    "a folder gone": (None, "bd", None, "ad", "bda", "ad"),
    "a line gone, its folder still there": ("bd", "bd", "ba", "abd", "bda", "a"),  # no new image of d is taken
    "a folder gone that is listed": ("bd", "bd", "bda", "ab", "bda", "a"),
    "all old ones gone": (None, "bd", None, "a", "bda", "a"),
}


@pytest.mark.parametrize("row", KEPT_ROWS)
def test_a_missing_label_is_kept_on_demand_with_its_id_and_records(tmp_path, fill, build, row):
    listed, folders, listed_then, folders_then, expected, grown_by = KEPT_ROWS[row]
    output = {"output_directory": tmp_path / "out", "append": True}
    build(**output, **lay_out(tmp_path, fill, listed, folders))
    then = lay_out(tmp_path, fill, listed_then, folders_then)
    for folder in then["train_directory"].iterdir():
        if folder.name == "d":
            (folder / "new.jpg").write_bytes((folder / "000.jpg").read_bytes())
    build(**output, **then, unlisted_labels="ignore", append_missing_labels="keep")
    assert labels(tmp_path / "out") == list(expected)
    rows = manifest(tmp_path / "out", "train")
    assert sorted({row["text"] for row in rows}) == sorted(expected)
    assert {row["text"] for row in rows if row["shard"].startswith("train-00001")} == set(grown_by)
    assert {(row["text"], row["label"]) for row in rows} == {(label, expected.index(label) + 1) for label in expected}


DIFFERENCES = {
    "train_directory": ({"train_directory": "other"}, "input of train is .*, was"),
    "a split less": ({"validation_directory": None}, "input of validation is None, was"),
    "divided by fractions": (
        {"train_directory": None, "validation_directory": None, "data_directory": "other"},
        "input of train is None, was",
    ),
    "content": ({"check_pixels": "none"}, "check_pixels is 'none', was 'all'"),
}


@pytest.mark.parametrize("difference", DIFFERENCES)
def test_settings_that_would_make_shards_of_another_kind_are_refused_by_name(grown, fill, build, digests, difference):
    change, words = DIFFERENCES[difference]
    output = grown["output_directory"]
    fill(output.with_name("other"), {"cat": 6, "dog": 7})
    change = {name: output.with_name(value) if value == "other" else value for name, value in change.items()}
    before = digests(output)
    with pytest.raises(OutputConflict, match=f"cannot append, since the data set was built .*{words}"):
        build(**grown | change)
    assert digests(output) == before


def test_another_encoder_is_refused(grown, build, add, monkeypatch):
    from imagerecords.tasks import append

    add(grown["train_directory"], "cat", 1)
    monkeypatch.setattr(append, "ENCODER_VERSION", "a later one")
    with pytest.raises(OutputConflict, match="the encoder's version is 'a later one', was"):
        build(**grown)


@pytest.mark.parametrize("content", [b"", b"garbage"])
def test_a_data_set_whose_plan_cannot_be_read_is_not_appended_to(grown, build, digests, content):
    (grown["output_directory"] / "_build/plan.parquet").write_bytes(content)
    before = digests(grown["output_directory"])
    with pytest.raises(OutputConflict, match="the plan of a data set must be readable"):
        build(**grown)
    assert digests(grown["output_directory"]) == before


def test_shards_without_a_plan_are_not_appended_to(grown, build):
    """A classic build's, for one."""
    (grown["output_directory"] / "_build/plan.parquet").unlink()
    with pytest.raises(OutputConflict, match="of another plan"):
        build(**grown)
