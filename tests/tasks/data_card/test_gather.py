"""The data card as a whole: the same for the same data set, true to its manifest, harmless whatever the input is called."""

import base64
import gzip
import hashlib
import html
import json
import re
import shutil
from html.parser import HTMLParser

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from imagerecords.schemas.data_card import Picture
from imagerecords.schemas.errors import BadLayout, OutputLocked, OverBudget
from imagerecords.schemas.example import encode_example
from imagerecords.schemas.frame import frame
from imagerecords.tasks.data_card.gather import find_picture_shortcuts, make_report, put_report
from imagerecords.tasks.data_card.rows import read_rows
from imagerecords.tasks.storage.folders import open_folder
from imagerecords.tasks.storage.lock import output_lock

EVIL = "<img src=x onerror=alert(1)>"
EVIL_FILE = '"><script>alert(2)<!--.jpg'


class Page(HTMLParser):
    """A page's elements, each with its attributes and the text right in it."""

    def __init__(self, page):
        super().__init__()
        self.elements, self._open = [], []
        self.feed(page.decode())

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes), []))
        if tag not in ("meta", "link", "img", "input", "br"):
            self._open.append(self.elements[-1])

    def handle_endtag(self, tag):
        assert self._open.pop()[0] == tag, "the page's elements must nest"

    def handle_data(self, data):
        if self._open:
            self._open[-1][2].append(data)

    def all(self, tag):
        return [(attributes, "".join(texts)) for name, attributes, texts in self.elements if name == tag]


@pytest.fixture(scope="module")
def odd(tmp_path_factory, fill, build, picture):
    """A data set with what a card has to show: leaks, label conflicts, rejects, names that are markup."""
    root = tmp_path_factory.mktemp("odd")
    cats, evils = [picture(number, size=(40, 30)) for number in range(6)], [picture(9, size=(300, 20)), picture(10)]
    train = {"cat": [*cats, cats[0], b"", b"text", picture(8, size=(200, 200))[:-300]], EVIL: [*evils, cats[2]]}
    (root / "train").mkdir()
    fill(root / "train", train)
    (root / "train/cat/000.jpg").rename(root / f"train/cat/{EVIL_FILE}")
    build(
        train_directory=root / "train",
        validation_directory=fill(root / "validation", {"cat": [cats[3]], EVIL: [picture(11)]}),
        output_directory=root / "out",
        train_shards=2,
        max_rejected_fraction=0.5,
    )
    return root


@pytest.fixture(scope="module")
def page(odd):
    return Page((odd / "out/report.html").read_bytes())


def test_the_command_writes_the_bytes_that_the_build_wrote(odd):
    assert make_report(str(odd / "out"), {}) == (odd / "out/report.html").read_bytes()


@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_the_same_data_set_has_the_same_page_wherever_and_however_it_was_built(tmp_path, odd, build, executor):
    build(
        train_directory=odd / "train",
        validation_directory=odd / "validation",
        output_directory=tmp_path / "elsewhere",
        train_shards=2,
        max_rejected_fraction=0.5,
        executor=executor,
        workers=1,
        retries=0,
    )
    assert (tmp_path / "elsewhere/report.html").read_bytes() == (odd / "out/report.html").read_bytes()


def test_nothing_of_the_machine_is_on_the_page(odd):
    text = re.sub(r'"data:[^"]*"', "", (odd / "out/report.html").read_text())
    assert str(odd) not in text
    assert "tmp" not in text


def test_text_from_outside_is_text_on_the_page(odd, page):
    """A label, a file's name, and the title that a chart's bar has."""
    assert {attributes["src"].partition(",")[0] for attributes, _ in page.all("img")} == {"data:image/jpeg;base64"}
    assert len(page.all("script")) == 2  # the data and the script
    raw = (odd / "out/report.html").read_text()
    assert EVIL not in raw
    assert "<script>alert" not in raw
    assert any(EVIL in text for _, text in page.all("figcaption"))
    assert any(EVIL_FILE in text for _, text in page.all("figcaption"))
    assert [1, EVIL, [3, 1], 0] in data(page)["labels"]


def test_the_policy_lets_in_nothing_but_the_pages_own_style_and_script(page):
    (policy,) = (attributes["content"] for attributes, _ in page.all("meta") if "http-equiv" in attributes)
    for tag in ("style", "script"):
        ((_, text),) = [each for each in page.all(tag) if "type" not in each[0]]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in policy
    styled = [
        attributes for _, attributes, _ in page.elements if "style" in attributes or any(n.startswith("on") for n in attributes)
    ]
    assert styled == []


def test_every_picture_has_a_text_for_screen_readers(page):
    assert page.all("img")
    assert all(attributes.get("alt") for attributes, _ in page.all("img"))


def test_every_form_control_has_a_label(page):
    labelled = {attributes["for"] for attributes, _ in page.all("label")}
    controls = {attributes["id"] for tag in ("select", "input") for attributes, _ in page.all(tag)}
    assert controls == labelled == {"split", "search", "theme"}


def data(page):
    """What the page's script draws from."""
    (text,) = (text for attributes, text in page.all("script") if "type" in attributes)
    return json.loads(text)


def problems(page):
    return {attributes["href"]: text for attributes, text in page.all("a")}.keys()


def cases(page, key):
    """The pictures of each case of a problem, as (split, label)."""
    content = data(page)
    (problem,) = (each for each in content["problems"] if each["key"] == key)
    named = [(content["splits"][picture[1]], picture[2]) for picture in content["pictures"]]
    return [[named[picture] for picture in pictures] for _, pictures, _ in problem["cases"]]


def test_findings_and_rejects_are_among_the_problems_the_most_severe_first(odd, page):
    text = html.unescape(re.sub(r"<[^>]*>", " ", (odd / "out/report.html").read_text()))
    assert {"#rejected", "#exact-across_splits", "#exact-across_labels", "#exact-within", "#extreme_aspect_ratio"} <= problems(
        page
    )
    assert "1 empty file, 1 not an image, 1 truncated" in text
    assert [("train", 2), ("validation", 2)] in cases(page, "exact-across_splits")
    assert sorted(cases(page, "exact-across_labels")[0]) == [("train", 1), ("train", 2)]
    assert [("train", 2), ("train", 2)] in cases(page, "exact-within")
    severities = [
        attributes["class"] for attributes, _ in page.all("a") if attributes.get("class") in ("high", "medium", "low")
    ]
    assert severities == sorted(severities, key=["high", "medium", "low"].index)
    assert len(set(severities)) == 3


def test_every_image_of_a_small_data_set_is_on_the_page_with_its_figures(odd, page):
    content = data(page)
    rows = pq.read_table(odd / "out/manifest.parquet").to_pylist()
    shown = {(content["splits"][picture[1]], picture[0]): picture for picture in content["pictures"]}
    written = [row for row in rows if row["status"] == "written"]
    assert len(shown) == len(rows)
    keys = [key for key, *_ in content["metrics"]]
    for row in written:
        picture = shown[row["split"], row["path"]]
        assert (content["shards"][picture[3]], picture[4]) == (row["shard"], row["record"])
        assert picture[9][keys.index("width")] == row["width"]
        assert 0 < picture[10][keys.index("width")] < 100


def test_a_rejected_image_that_still_opens_is_shown_and_one_that_is_gone_is_not(tmp_path, odd):
    shutil.copytree(odd / "out", tmp_path / "out")
    before = make_report(str(tmp_path / "out"), {})
    cut = odd / "train/cat/009.jpg"
    data = cut.read_bytes()
    cut.unlink()
    try:
        after = make_report(str(tmp_path / "out"), {})
    finally:
        cut.write_bytes(data)
    assert len(Page(before).all("img")) == len(Page(after).all("img")) + 1


def test_removed_images_are_not_shown(tmp_path, odd):
    """Even where the input still has it: removal is for pictures that must not be seen."""
    shutil.copytree(odd / "out", tmp_path / "out")
    table = pq.read_table(tmp_path / "out/manifest.parquet")
    rows = [row | ({"reason": "removed"} if row["reason"] == "truncated" else {}) for row in table.to_pylist()]
    before = Page(make_report(str(tmp_path / "out"), {})).all("img")
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), tmp_path / "out/manifest.parquet")
    after = Page(make_report(str(tmp_path / "out"), {})).all("img")
    assert len(after) == len(before) - 1


def test_over_budget_the_card_is_written_and_says_why(tmp_path, odd, build):
    with pytest.raises(OverBudget):
        build(train_directory=odd / "train", output_directory=tmp_path / "out")
    text = html.unescape((tmp_path / "out/report.html").read_text())
    assert "Not complete" in text
    assert "at most 5.0% of the train images may be rejected, got 3 of 13" in text
    assert not (tmp_path / "out/dataset_info.json").exists()


def test_without_a_report_there_is_none_and_an_old_one_goes(tmp_path, fill, build):
    source = fill(tmp_path / "in", {"cat": 3})
    build(train_directory=source, output_directory=tmp_path / "out")
    assert (tmp_path / "out/report.html").exists()
    build(train_directory=source, output_directory=tmp_path / "out", report=False)
    assert not (tmp_path / "out/report.html").exists()


def test_the_settings_shown_are_those_that_determine_the_bytes(page):
    names = [text for _, text in page.all("dt")]
    assert {"seed", "check_pixels", "train_shards", "digest"} <= set(names)
    assert not {"workers", "executor", "output_directory", "train_directory", "storage_options"} & set(names)


def test_a_folder_without_manifest_is_read_from_its_records(tmp_path, small):
    for shard in small.glob("*-of-*"):
        shutil.copy(shard, tmp_path)
    page = Page(make_report(str(tmp_path), {}))
    rows = pq.read_table(small / "manifest.parquet", filters=[("status", "=", "written")])
    numbers = [text for _, text in page.all("dd")]
    assert numbers[:3] == [str(rows.num_rows), "0", "2"]
    assert [label for _, label, *_ in data(page)["labels"]] == ["cat", "dog"]
    assert len(page.all("img")) >= rows.num_rows


def test_a_folder_of_compressed_files_is_counted_and_shown_without_pictures(tmp_path, small):
    """No record of theirs can be read from its offset."""
    for shard in small.glob("*-of-*"):
        (tmp_path / shard.name).write_bytes(gzip.compress(shard.read_bytes()))
    page = Page(make_report(str(tmp_path), {}))
    rows = pq.read_table(small / "manifest.parquet", filters=[("status", "=", "written")])
    assert [text for _, text in page.all("dd")][:3] == [str(rows.num_rows), "0", "2"]
    assert not page.all("img")


def test_broken_records_of_a_folder_without_manifest_are_reported(tmp_path, small):
    data = bytearray((small / "train-00000-of-00003").read_bytes())
    data[40] ^= 1
    (tmp_path / "mine.tfrecord").write_bytes(data)
    text = html.unescape(make_report(str(tmp_path), {}).decode())
    assert "1 corrupt" in text
    assert "corrupt: the CRC of the data is wrong" in text
    assert "mine.tfrecord record 0" in text


def test_records_without_image_or_label_are_counted_all_the_same(tmp_path):
    head, tail, _ = frame(b"")
    (tmp_path / "text-train.tfrecord-00000-of-00001").write_bytes((head + tail) * 3)
    page = Page(make_report(str(tmp_path), {}))
    assert [text for _, text in page.all("dd")][:3] == ["3", "0", "1"]


def test_labels_that_are_texts_alone_are_counted_each(tmp_path, picture):
    """As FiftyOne writes classifications."""
    parts = []
    for number, label in enumerate((b"dog", b"cat", b"dog", None)):
        features = {"filename": b"%d.jpg" % number, "image_bytes": picture(number)}
        data = encode_example(features if label is None else features | {"label": label})
        before, after, _ = frame(data)
        parts += [before, data, after]
    (tmp_path / "tf.records-00000-of-00001").write_bytes(b"".join(parts))
    rows = read_rows(open_folder(str(tmp_path), {})).narrow.to_pylist()
    assert [(row["label"], row["text"]) for row in rows] == [(2, "dog"), (1, "cat"), (2, "dog"), (0, "no label")]
    page = make_report(str(tmp_path), {}).decode()
    assert "cat" in page
    assert "no label" in page


def test_a_folder_of_empty_shards_has_a_card_too(tmp_path):
    (tmp_path / "train-00000-of-00001").write_bytes(b"")
    assert b"Data card" in make_report(str(tmp_path), {})


def test_a_manifest_of_an_older_version_is_enough(tmp_path, odd):
    """It has no metrics, and nothing is found by them."""
    shutil.copytree(odd / "out", tmp_path / "out")
    table = pq.read_table(tmp_path / "out/manifest.parquet")
    older = [name for name in table.column_names if name not in ("brightness", "contrast", "sharpness", "dhash", "boxes")]
    pq.write_table(table.select(older), tmp_path / "out/manifest.parquet")
    page = Page(make_report(str(tmp_path / "out"), {}))
    assert "#rejected" in problems(page)
    assert "#exact-within" not in problems(page)


def test_a_damaged_manifest_is_named(tmp_path):
    (tmp_path / "manifest.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(BadLayout, match=r"manifest\.parquet must be readable, got .*move it away"):
        make_report(str(tmp_path), {})


def test_a_folder_without_records_is_refused(tmp_path):
    with pytest.raises(BadLayout, match=r"must hold TFRecord files .*got none"):
        make_report(str(tmp_path), {})


def test_a_file_is_no_folder(small):
    with pytest.raises(BadLayout, match="a folder for a data card"):
        make_report(str(small / "train-00000-of-00003"), {})


def test_a_foreign_folder_gets_one_file_and_no_other(tmp_path):
    (tmp_path / "train-00000-of-00001").write_bytes(b"")
    put_report(str(tmp_path), {}, b"page")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "train-00000-of-00001"]


def test_no_card_is_put_where_a_build_is_at_work(tmp_path):
    folder = open_folder(str(tmp_path), {})
    with output_lock(folder, 120), pytest.raises(OutputLocked):
        put_report(str(tmp_path), {}, b"page")
    assert not (tmp_path / "report.html").exists()


def test_a_label_of_one_camera_or_without_colour_is_a_shortcut():
    """The manifest does not have these: the pictures say."""
    shown = [Picture(f"{n}.jpg", "train", 1, "cat", "data:", camera="Canon", is_grey=True) for n in range(10)]
    shown += [Picture(f"{n}.jpg", "train", 2, "dog", "data:", camera="Nikon" if n % 2 else "") for n in range(20)]
    found = [(each.label, each.key, each.name) for each in find_picture_shortcuts(shown)]
    assert found == [(1, "camera", "Canon"), (1, "colour", "grey"), (2, "colour", "colour")]
    assert find_picture_shortcuts([]) == []


def test_the_card_has_the_name_that_was_given(tmp_path, fill, picture, build):
    about = {"name": "house_pets", "description": "Cats & dogs.", "license": "CC-BY-4.0", "version": "2.1.0"}
    fill(tmp_path / "in", {"cat": [picture(1)]})
    build(data_directory=tmp_path / "in", output_directory=tmp_path / "named", report=True, **about)
    page = (tmp_path / "named" / "report.html").read_text()
    assert "<h1>Data card of house_pets 2.1.0</h1>" in page
    assert "<p>Cats &amp; dogs.</p>" in page
    assert "<dt>license</dt><dd>CC-BY-4.0</dd>" in page
    assert make_report(str(tmp_path / "named"), {}) == page.encode()


def test_with_folds_all_of_them_are_training_images(tmp_path, fill, picture, build):
    fill(
        tmp_path / "in", {"cat": [picture(number) for number in range(6)], "dog": [picture(number) for number in range(6, 18)]}
    )
    build(data_directory=tmp_path / "in", output_directory=tmp_path / "folds", report=True, folds=3)
    page = Page((tmp_path / "folds/report.html").read_bytes())
    (few,) = (problem for problem in data(page)["problems"] if problem["key"] == "few-images")
    assert [note for note, _, _ in few["cases"]] == ["cat: 6 training images"]
    assert {attributes["class"] for attributes, _ in page.all("span") if "fold" in attributes.get("class", "")} == {
        f"dot tone-fold_{number}" for number in range(3)
    }
