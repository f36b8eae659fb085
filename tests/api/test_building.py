"""imagerecords.build, plan and audit: the commands' work, settings and errors, from Python."""

import logging
from pathlib import Path

import pytest

import imagerecords
from imagerecords.flows.notebook import NotebookProgress


@pytest.fixture
def data(tmp_path, fill):
    return fill(tmp_path / "data", {"cat": 5, "dog": 5})


def settings(data, tmp_path, **more):
    return {"train_directory": data, "output_directory": tmp_path / "out", "executor": "threads", "train_shards": 2} | more


def test_a_build_returns_its_summary_and_takes_paths(data, tmp_path):
    summary = imagerecords.build(progress=False, **settings(Path(data), tmp_path))
    assert (summary.splits[0].written, summary.labels, summary.runner) == (10, 2, "direct")
    assert (tmp_path / "out/dataset_info.json").exists()


def test_a_plan_writes_nothing_and_says_what_a_build_does(data, tmp_path):
    plan = imagerecords.plan(**settings(data, tmp_path))
    assert plan.splits[0].labels == {"cat": 5, "dog": 5}
    assert plan.splits[0].shards == 2
    assert not (tmp_path / "out").exists()


def test_a_plan_lists_what_would_stop_a_build(tmp_path, data):
    plan = imagerecords.plan(**settings(data, tmp_path, labels_file=tmp_path / "none.txt"))
    assert "none.txt" in plan.errors[0]


def test_an_audit_returns_the_problems(data, tmp_path):
    imagerecords.build(progress=False, **settings(data, tmp_path))
    assert imagerecords.audit(tmp_path / "out").problems == ()
    shard = tmp_path / "out/train-00001-of-00002"
    whole = bytearray(shard.read_bytes())
    whole[100] ^= 1
    shard.write_bytes(whole)
    problems = imagerecords.audit(str(tmp_path / "out"), pixels=True).problems
    assert {problem.file for problem in problems} == {"train-00001-of-00002"}


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"train_dir": "x"}, "train_dir is not a setting; did you mean train_directory?"),
        ({"zzz": 1}, "zzz is not a setting"),
        ({"jpeg_quality": 101}, "jpeg_quality must be a whole number from 1 to 100 or source, got 101$"),
        ({"validation_fraction": "much"}, "validation_fraction must be a number from 0 to below 1, got 'much'$"),
    ],
)
@pytest.mark.parametrize("function", [imagerecords.build, imagerecords.plan])
def test_a_wrong_setting_is_named(data, tmp_path, function, wrong, text):
    with pytest.raises(imagerecords.BadSettings, match=text):
        function(**settings(data, tmp_path, **wrong))
    assert not (tmp_path / "out").exists()


def test_a_wrong_option_of_an_audit_is_named(tmp_path):
    with pytest.raises(imagerecords.BadSettings, match=r"workers must be a whole number from 1 to 1,024, got 0$"):
        imagerecords.audit(tmp_path, workers=0)
    with pytest.raises(imagerecords.BadLayout):
        imagerecords.audit(tmp_path)
    with pytest.raises(imagerecords.BadSettings, match="credential"):
        imagerecords.audit("s3://bucket/x", storage_options={"secret": "x"})


def test_an_incomplete_data_sets_error_has_the_summary(data, tmp_path):
    for name in ("000.jpg", "001.jpg"):
        (tmp_path / "data/cat" / name).write_bytes(b"no image")
    with pytest.raises(imagerecords.OverBudget) as caught:
        imagerecords.build(progress=False, **settings(data, tmp_path))
    assert caught.value.summary.splits[0].rejected == {"not_an_image": 2}
    assert isinstance(caught.value, imagerecords.Incomplete)


def test_a_callable_is_called_with_the_progress(data, tmp_path):
    updates = []
    imagerecords.build(progress=updates.append, **settings(data, tmp_path))
    assert {update.phase for update in updates} == {"convert", "validate"}
    last = updates[-1]
    assert (last.shards_done, last.shards, last.images_done, last.images) == (2, 2, 10, 10)
    assert next(update.images_done for update in updates if update.phase == "convert") == 0


def test_notes_are_passed_to_the_callable_or_logged_and_never_lost(data, tmp_path, caplog):
    (tmp_path / "data/dog/copy.jpg").write_bytes((tmp_path / "data/dog/000.jpg").read_bytes())
    updates = []
    imagerecords.build(progress=updates.append, **settings(data, tmp_path, duplicates="drop"))
    assert any(update.note and "duplicates: 1 of 11" in update.note for update in updates)
    with caplog.at_level(logging.INFO, "imagerecords"):
        imagerecords.build(progress=False, **settings(data, tmp_path, duplicates="drop"))
    assert "duplicates: 1 of 11" in caplog.text


def test_true_prints_lines_on_standard_error_and_false_nothing(data, tmp_path, capfd):
    imagerecords.build(**settings(data, tmp_path))
    out, err = capfd.readouterr()
    assert out == ""
    assert "imagerecords: convert: 2 of 2 shards, 10 of 10 images" in err
    imagerecords.build(progress=False, **settings(data, tmp_path))
    assert capfd.readouterr() == ("", "")


def test_the_environment_gives_no_setting(data, tmp_path, monkeypatch):
    monkeypatch.setenv("IMAGERECORDS_TRAIN_SHARDS", "5")
    assert imagerecords.build(progress=False, **settings(data, tmp_path)).splits[0].shards == 2


def test_results_show_as_tables_in_a_notebook_with_names_escaped(tmp_path, fill):
    data = fill(tmp_path / "data", {"<b>cat": 2})
    plan = imagerecords.plan(**settings(data, tmp_path, train_shards=1))
    assert '<td style="text-align:left">&lt;b&gt;cat</td><td style="text-align:right">2</td>' in plan._repr_html_()
    summary = imagerecords.build(progress=False, **settings(data, tmp_path, train_shards=1))
    assert summary._repr_html_().startswith("<table><thead><tr><th>split</th>")
    assert summary.digest in summary._repr_html_()


def test_a_notebooks_bar_has_the_notes_and_the_counts(monkeypatch):
    progress = NotebookProgress(lambda summary: None)
    drawn = []
    monkeypatch.setattr(progress, "_draw", lambda: drawn.append(progress._html()))
    progress.note("a <note>")
    progress.begin("convert", 2, 10)
    progress.advance(4)
    progress.end()
    assert drawn[0] == "<div>a &lt;note&gt;</div>"
    assert '<progress value="4" max="10">' in drawn[-1]
    assert "4 of 10 images" in drawn[-1]
