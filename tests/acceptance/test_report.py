"""report.html in a real browser: it loads without a complaint; people search, sort, open and pick its pictures, on a phone too.

Needs Debian's chromium and chromium-driver: `make chromium` installs them where it may.
"""

import io
import itertools
import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pytest
from PIL import Image
from selenium import webdriver
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

from imagerecords.tasks.commands.catalogue import read_catalogue
from imagerecords.tasks.commands.diff_page import diff_page
from imagerecords.tasks.commands.locate import Names
from imagerecords.tasks.commands.remove import remove_images
from imagerecords.tasks.storage.folders import open_folder

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver: run `make chromium` as root"
)

# As root there is no sandbox; the rest keeps the browser from calling home.
FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--hide-scrollbars", "--window-size=1200,900"),
)
EVIL = "<img src=x onerror=alert(1)>"
MOST_BYTES = 8_000_000
BOX = [0.1, 0.2, 0.6, 0.7, "cat"]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('browser')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield browser
    browser.quit()


def photo(number, kind="JPEG", size=(160, 120)):
    """The bytes of a picture that is like no other."""
    noise = np.random.default_rng(number).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC).save(file, kind)
    return file.getvalue()


@pytest.fixture(scope="module")
def card(tmp_path_factory, build):
    """The card of a set with planted problems: a leak that is a label conflict too, duplicates, a label missing in a split, a

    label of its own format, rejects, an outlier in size, boxes, and a label whose name is markup.
    """
    root = tmp_path_factory.mktemp("card")
    cats = [photo(number) for number in range(70)]
    files = {("train", "cat", f"{number:03}.jpg"): data for number, data in enumerate(cats)}
    files |= {
        ("train", "cat", "again.jpg"): cats[1],
        ("train", "cat", "empty.jpg"): b"",
        ("train", "cat", "cut.jpg"): cats[1][:-700],
    }
    files |= {("train", "cattle", f"{number}.png"): photo(200 + number, "PNG", size=(90, 60)) for number in range(12)}
    files |= {("train", EVIL, f"{number}.jpg"): photo(300 + number, size=(90, 70)) for number in range(9)}
    files |= {("train", EVIL, "huge.jpg"): photo(50, size=(2600, 1800))}
    files |= {("validation", "cat", "leak.jpg"): cats[3], ("validation", EVIL, "both.jpg"): cats[4]}
    rows = []
    for (split, label, name), data in files.items():
        path = root / split / str(len(label)) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        boxes = [BOX, [0.5, 0.5, 0.9, 0.9]] if (label, name) == ("cat", "007.jpg") else []
        rows.append(json.dumps({"path": str(path.relative_to(root)), "split": split, "label": label, "boxes": boxes}))
    (root / "list.jsonl").write_text("\n".join(rows))
    build(image_list=root / "list.jsonl", output_directory=root / "out", max_rejected_fraction=0.5)
    return root / "out/report.html"


@pytest.fixture(scope="module")
def thousand(tmp_path_factory, build):
    """The card of a thousand labels, of pictures that compress badly."""
    root = tmp_path_factory.mktemp("thousand")
    noise = np.random.default_rng(1)
    for number in range(1000):
        folder = root / f"in/label {number:04}"
        folder.mkdir(parents=True)
        Image.fromarray(noise.integers(0, 256, (128, 128, 3), dtype=np.uint8)).save(folder / "a.jpg", quality=60)
    build(train_directory=root / "in", output_directory=root / "out", train_shards=4)
    return root / "out/report.html"


@pytest.fixture
def opened(browser, card):
    """The browser with the card open, in its ordinary size and theme."""
    open_page(browser, card)
    return browser


def open_page(browser, page, width=1200, scheme=""):
    for kind in ("browser", "performance"):
        browser.get_log(kind)
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 700}
    )
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    browser.get(Path(page).as_uri())
    browser.execute_script("localStorage.clear()")


def visible(browser, css):
    return [element for element in browser.find_elements(By.CSS_SELECTOR, css) if element.is_displayed()]


def tiles(browser):
    """The names of the pictures in the explorer."""
    return [element.text for element in visible(browser, "#tiles .name")]


def found(browser):
    return browser.find_element(By.ID, "found").text


def press(browser, name, within="body"):
    """Click the visible button with this text or name."""
    for button in visible(browser, f"{within} button"):
        if name in (button.text, button.get_attribute("aria-label")):
            browser.execute_script("arguments[0].scrollIntoView({block: 'center'}); arguments[0].click()", button)
            return
    raise AssertionError(f"no button {name}")


def luminance(browser):
    """Of the page's background, 0 to 255."""
    colour = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    return sum(float(part) for part in colour.partition("(")[2].rstrip(")").split(",")[:3]) / 3


@pytest.mark.parametrize("page", ["card", "thousand"])
def test_it_loads_without_a_complaint_and_asks_nobody_for_anything(browser, page, request):
    """A refused style or script, a broken picture and a script's error would all be reported in the console."""
    path = request.getfixturevalue(page)
    open_page(browser, path)
    assert browser.get_log("browser") == []
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = {message["params"]["request"]["url"] for message in messages if message["method"] == "Network.requestWillBeSent"}
    assert {url for url in asked if not url.startswith("data:")} == {path.as_uri()}
    with pytest.raises(Exception, match="no such alert"):
        browser.switch_to.alert.text  # noqa: B018


def test_every_picture_decodes(opened):
    broken = opened.execute_async_script(
        "const done = arguments[0], images = [...document.images];"
        "images.forEach((image) => (image.loading = 'eager'));"
        "Promise.allSettled(images.map((image) => image.decode()))"
        ".then((all) => done([all.length, all.filter((each) => each.status !== 'fulfilled').length]));"
    )
    assert broken[0] > 30
    assert broken[1] == 0


def test_search_finds_labels_and_file_names(opened):
    field = opened.find_element(By.ID, "search")
    field.send_keys("TTLE")
    assert [row.text for row in visible(opened, "#label-rows th")] == ["cattle"]
    assert set(tiles(opened)) == {f"{number}.png" for number in range(12)}
    field.clear()
    field.send_keys("cut.jp")
    assert tiles(opened) == ["cut.jpg"]
    field.clear()
    field.send_keys(EVIL)
    assert len(tiles(opened)) == 11
    field.clear()
    field.send_keys("nothing has this name")
    assert (tiles(opened), found(opened)) == ([], "No picture in this file matches.")
    press(opened, "Clear")
    assert len(visible(opened, "#label-rows th")) == 3


def test_a_split_is_chosen_for_pictures_and_charts(opened):
    Select(opened.find_element(By.ID, "split")).select_by_visible_text("validation")
    assert set(tiles(opened)) == {"leak.jpg", "both.jpg"}
    assert {element.text for element in visible(opened, "#chart-width .top")} == {"2"}
    assert "tone-validation" in opened.find_element(By.ID, "chart-width").get_attribute("class")


def test_a_bar_a_cell_a_point_and_a_name_lead_to_their_pictures_and_back(opened):
    opened.execute_script("document.querySelector('#chart-width .column:last-child').click()")
    assert tiles(opened) == ["huge.jpg"]
    assert found(opened) == "1 of 1 picture in this file."
    press(opened, "↩ Back to where it was")
    assert opened.switch_to.active_element.get_attribute("id") == "chart-width"
    press(opened, "cat in validation: 1 image")
    assert tiles(opened) == ["leak.jpg"]
    press(opened, "cat: 2 rejected")
    assert set(tiles(opened)) == {"empty.jpg", "cut.jpg"}
    point = next(
        each for each in opened.find_elements(By.CSS_SELECTOR, ".point") if "90 × 70" in each.get_attribute("aria-label")
    )
    point.send_keys(Keys.ENTER)
    assert len(tiles(opened)) == 9
    opened.execute_script(
        "[...document.querySelectorAll('#chart-format button')].find((each) => each.textContent.includes('PNG')).click()"
    )
    assert set(tiles(opened)) == {f"{number}.png" for number in range(12)}
    press(opened, "Remove the filter Formats: PNG")
    assert len(tiles(opened)) > 12


def test_pictures_are_sorted_by_any_metric_more_are_shown_and_random_ones(opened):
    sort = Select(opened.find_element(By.ID, "sort"))
    sort.select_by_visible_text("Width")
    press(opened, "Ascending")
    assert tiles(opened)[0] == "huge.jpg"
    assert visible(opened, "#tiles .value")[0].text == "2,600 px"
    assert len(tiles(opened)) == 60
    press(opened, opened.find_element(By.ID, "more").text)
    assert len(tiles(opened)) == 95
    assert not opened.find_element(By.ID, "more").is_displayed()
    sort.select_by_visible_text("File name")
    before = tiles(opened)
    press(opened, "Random")
    assert sort.first_selected_option.text == "Random"
    assert tiles(opened) != before
    names = [option.text for option in sort.options]
    assert {"Brightness", "Sharpness", "Height", "Boxes per image"} <= set(names)


def test_a_picture_opens_large_with_its_boxes_and_all_that_is_known(opened):
    opened.find_element(By.ID, "search").send_keys("007.jpg")
    press(opened, "Open 007.jpg, cat, train")
    viewer = opened.find_element(By.ID, "viewer")
    assert len(viewer.find_elements(By.CSS_SELECTOR, "svg.boxes rect:not(.under)")) == 2
    assert "train-00000-of-00001, record" in viewer.text
    folder = Path(opened.current_url.removeprefix("file://")).parent
    assert f"imagerecords show {folder}/train-00000-of-00001 --record " in viewer.text
    assert "percentile" in viewer.text
    assert "2: cat × 2" in " ".join(viewer.text.split())
    copy = viewer.find_element(By.CSS_SELECTOR, "[aria-label='Copy the path']")
    copy.click()
    WebDriverWait(opened, 10, poll_frequency=0.05).until(lambda _: copy.text == "Copied")
    ActionChains(opened).send_keys(Keys.ESCAPE).perform()
    assert not viewer.is_displayed()


def test_metrics_are_in_words_and_arrows_go_on(opened):
    Select(opened.find_element(By.ID, "sort")).select_by_visible_text("Width")
    press(opened, "Ascending")
    press(opened, f"Open huge.jpg, {EVIL}, train")
    width = [row.text for row in visible(opened, ".measures tr") if row.text.startswith("Width")]
    assert "very wide" in width[0]
    assert "99.5 % percentile" in width[0]
    before = opened.find_element(By.ID, "viewer-title").text
    ActionChains(opened).send_keys(Keys.ARROW_RIGHT).perform()
    assert opened.find_element(By.ID, "viewer-title").text != before
    ActionChains(opened).send_keys(Keys.ARROW_LEFT).perform()
    assert opened.find_element(By.ID, "viewer-title").text == before


def test_problems_come_first_by_severity_each_with_pictures_and_what_to_do(opened):
    overview = [element.text.split("\n") for element in visible(opened, ".overview a")]
    titles = [words[1] for words in overview]
    assert titles[:3] == ["Leaks", "Label conflicts", "Labels missing in a split"]
    assert {"Rejected", "Shortcuts", "Duplicates"} <= set(titles)
    levels = [words[0].lower() for words in overview]
    assert levels == sorted(levels, key=["high", "medium", "low"].index)
    assert all("What to do:" in article.text for article in visible(opened, ".problem"))
    # The image that is both stands in both.
    for key in ("exact-across_splits", "exact-across_labels"):
        assert "both.jpg" in opened.find_element(By.ID, key).text
    assert "cattle: no image in validation" in opened.find_element(By.ID, "missing-labels").text
    assert "cattle: " in opened.find_element(By.ID, "shortcuts").text
    assert "100% of its images are in the format PNG" in opened.find_element(By.ID, "shortcuts").text
    press(opened, "See them among the pictures", "#exact-across_splits")
    assert "leak.jpg" in tiles(opened)
    assert len(tiles(opened)) == 4


def test_picked_pictures_become_the_list_that_remove_takes(opened, card):
    press(opened, "Pick all but the first of each group", "#exact-across_splits")
    press(opened, "2 picked")
    dialog = opened.find_element(By.ID, "picked")
    lines = dialog.find_element(By.ID, "list").get_attribute("value").split()
    assert len(lines) == 2
    known = Names(read_catalogue(open_folder(str(card.parent), {})))
    assert [pc.sum(known.rows(line)).as_py() for line in lines] == [1, 1]
    assert f"imagerecords remove {card.parent} --list picked.txt" in dialog.text
    assert "--exclude picked.txt" in dialog.text
    press(opened, "Pick none", "#picked")
    assert not opened.find_element(By.ID, "show-picked").is_displayed()


def test_the_label_table_is_sorted_by_its_headings(opened):
    def labels():
        return [row.text for row in visible(opened, "#label-rows th")]

    press(opened, "images", "#labels")
    assert labels() == ["cat", "cattle", EVIL]
    opened.execute_script("document.getElementById('by-images').click()")
    assert labels() == [EVIL, "cattle", "cat"]
    assert opened.find_element(By.CSS_SELECTOR, "[aria-sort]").get_attribute("aria-sort") == "ascending"
    assert "6.5 times" in opened.find_element(By.ID, "imbalance").text


def test_charts_say_their_scales_and_an_outlier_does_not_flatten_them(opened):
    chart = opened.find_element(By.ID, "chart-width")
    assert "scale" in chart.text
    assert "striped: all beyond" in chart.text
    assert len(chart.find_elements(By.CSS_SELECTOR, ".column:enabled")) > 2
    assert "both axes log" in opened.find_element(By.ID, "chart-sizes").text


def test_it_is_dark_where_the_system_is_and_where_one_asks_for_it(browser, card):
    open_page(browser, card, scheme="light")
    assert luminance(browser) > 230
    open_page(browser, card, scheme="dark")
    assert luminance(browser) < 40
    theme = Select(browser.find_element(By.ID, "theme"))
    theme.select_by_visible_text("Light")
    assert luminance(browser) > 230
    browser.refresh()
    assert luminance(browser) > 230, "the choice must be remembered"
    Select(browser.find_element(By.ID, "theme")).select_by_visible_text("System")
    assert luminance(browser) < 40


CONTRAST = """
const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
const linear = (part) => part <= 10.31 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4;
const light = (colour) => {
  const [red, green, blue] = parts(colour).map(linear);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};
const ground = (element) => {
  const colour = getComputedStyle(element).backgroundColor;
  return parts(colour)[3] === 0 ? ground(element.parentElement) : colour;
};
const hasText = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
return [...document.querySelectorAll("body *:not(script)")].filter((element) => element.checkVisibility() && hasText(element))
  .map((element) => {
    const style = getComputedStyle(element), ink = element.namespaceURI.endsWith("svg") ? style.fill : style.color;
    const [high, low] = [light(ink), light(ground(element))].sort((a, b) => b - a);
    return [(high + 0.05) / (low + 0.05), element.outerHTML.slice(0, 80)];
  }).filter(([ratio]) => ratio < 4.5);
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_the_contrast_that_wcag_asks_for(browser, card, scheme):
    """4.5 to 1, level AA, for text of any size, in charts too."""
    open_page(browser, card, scheme=scheme)
    assert browser.execute_script(CONTRAST) == []


@pytest.mark.parametrize("width", [320, 390, 800])
@pytest.mark.parametrize("page", ["card", "thousand"])
def test_nothing_scrolls_sideways_on_a_phone(browser, page, width, request):
    open_page(browser, request.getfixturevalue(page), width=width)
    assert browser.execute_script("return document.documentElement.scrollWidth") == width
    inside = "return [...document.querySelectorAll('main *')].filter((each) => each.scrollWidth > each.clientWidth + 1"
    inside += " && ['auto', 'scroll'].includes(getComputedStyle(each).overflowX)).length"
    assert browser.execute_script(inside) == 0, "nothing is hidden in a box that scrolls"


def test_a_phone_shows_every_figure_of_a_split_under_its_name(browser, card):
    open_page(browser, card, width=390)
    cells = visible(browser, "#summary tbody td")
    names = [browser.execute_script("return getComputedStyle(arguments[0], '::before').content", cell) for cell in cells]
    assert names == ['"written"', '"share"', '"rejected"', '"shards"', '"size"'] * (len(cells) // 5)
    assert all(cell.text for cell in cells)


def test_the_keyboard_reaches_every_control_and_one_sees_where_it_is(opened):
    reached = []
    for _ in range(12):
        ActionChains(opened).send_keys(Keys.TAB).perform()
        active = opened.switch_to.active_element
        outline = opened.execute_script("return getComputedStyle(arguments[0]).outlineStyle", active)
        reached.append((active.get_attribute("id") or active.get_attribute("class") or active.tag_name, outline))
    names = [name for name, _ in reached]
    assert names[0] == "skip"
    assert [name for name in names if name in ("theme", "split", "search")] == ["theme", "split", "search"]
    assert {outline for _, outline in reached} == {"solid"}


def test_a_chart_is_one_stop_of_the_keyboard_and_arrows_go_on_in_it(opened):
    bars = opened.find_elements(By.CSS_SELECTOR, "#chart-brightness .column:enabled")
    assert [bar.get_attribute("tabindex") for bar in bars[:2]] == ["0", "-1"]
    bars[0].send_keys(Keys.ARROW_RIGHT)
    assert opened.switch_to.active_element == bars[1]
    bars[1].send_keys(Keys.ENTER)
    assert opened.switch_to.active_element.get_attribute("id") == "pictures-title"


def test_the_structure_and_the_names_reach_those_who_listen(opened):
    landmarks = [len(opened.find_elements(By.CSS_SELECTOR, name)) for name in ("main", "header", "nav[aria-label]", "h1")]
    assert landmarks == [1, 1, 1, 1]
    levels = [int(heading.tag_name[1]) for heading in opened.find_elements(By.CSS_SELECTOR, "h1, h2, h3")]
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    for link in opened.find_elements(By.CSS_SELECTOR, "nav a, .overview a"):
        target = link.get_attribute("href").partition("#")[2]
        assert len(opened.find_elements(By.ID, target)) == 1
    unnamed = "return [...document.querySelectorAll('button, input, select, a, [role=button]')].filter((each) => "
    unnamed += "each.checkVisibility() && !each.textContent.trim() && !each.ariaLabel && !each.labels?.length).length"
    assert opened.execute_script(unnamed) == 0


def test_a_thousand_labels_of_noise_stay_small_each_with_its_picture(browser, thousand):
    assert thousand.stat().st_size < MOST_BYTES
    open_page(browser, thousand)
    assert browser.execute_script("return document.images.length") >= 1000
    assert len(visible(browser, "#label-rows th")) == 20
    press(browser, "Show all 1,000 labels: 980 are not shown")
    assert browser.execute_script("return document.querySelectorAll('#label-rows tr').length") == 1000
    browser.find_element(By.ID, "search").send_keys("label 07")
    assert browser.execute_script("return document.querySelectorAll('#label-rows tr').length") == 100
    assert found(browser) == "60 of 100 pictures in this file."


def test_what_changed_between_two_data_sets_is_a_page_with_pictures(browser, card, tmp_path):
    shutil.copytree(card.parent, tmp_path / "second")
    remove_images(str(tmp_path / "second"), ["validation/3/leak.jpg"], {})
    _, page = diff_page(str(card.parent), str(tmp_path / "second"), {})
    (tmp_path / "diff.html").write_bytes(page)
    open_page(browser, tmp_path / "diff.html", width=390)
    assert browser.get_log("browser") == []
    assert [element.text for element in visible(browser, "main h2")] == [
        *("Changes", "Labels whose number of images changed", "Removed: 1 image")
    ]
    (image,) = visible(browser, "figure img")
    assert image.get_attribute("alt") == "before: cat, validation: leak.jpg"
    assert browser.execute_script("return document.documentElement.scrollWidth") == 390
