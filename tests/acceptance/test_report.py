"""report.html in a real browser: it loads without a complaint, and people can filter it, read it on a phone and in the dark.

Needs Debian's chromium and chromium-driver: `make chromium` installs them where it may.
"""

import itertools
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from selenium import webdriver
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

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
MOST_BYTES = 5_000_000


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


@pytest.fixture(scope="module")
def card(tmp_path_factory, fill, build, picture):
    """The card of a data set of three labels, one with a name that is markup, with a leak and rejects."""
    root = tmp_path_factory.mktemp("card")
    cats = [picture(number, size=(160, 120)) for number in range(20)]
    train = {"cat": [*cats, b"", cats[1][:-700]], "cattle": 15, EVIL: [picture(50), cats[2]]}
    build(
        train_directory=fill(root / "train", train),
        validation_directory=fill(root / "validation", {"cat": cats[3:5], "cattle": 3, EVIL: 1}),
        output_directory=root / "out",
        max_rejected_fraction=0.5,
    )
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


def sheets(browser):
    return [element.text for element in visible(browser, ".sheet h3")]


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


def test_a_label_is_found_by_a_part_of_its_name(opened):
    assert len(sheets(opened)) == 3
    field = opened.find_element(By.ID, "label")
    field.send_keys("CAT")
    assert [text.split()[0] for text in sheets(opened)] == ["cat", "cattle"]
    field.send_keys("tle")
    assert [text.split()[0] for text in sheets(opened)] == ["cattle"]
    assert [row.text.split()[1] for row in visible(opened, "#label-rows tr")] == ["cattle"]
    assert opened.find_element(By.ID, "shown").text == "1 of 3 labels"
    field.send_keys("x")
    assert sheets(opened) == []
    assert "No picture matches the filter." in [element.text for element in visible(opened, ".none")]


def test_markup_in_a_label_is_searched_like_any_other_text(opened):
    opened.find_element(By.ID, "label").send_keys(EVIL)
    assert [text.startswith(EVIL) for text in sheets(opened)] == [True]


def test_a_split_is_chosen_for_pictures_charts_books_and_problems(opened):
    Select(opened.find_element(By.ID, "split")).select_by_visible_text("validation")
    assert {element.text.split(",")[0].split()[0] for element in visible(opened, "#pictures figcaption")} == {"validation"}
    assert [element.text for element in visible(opened, "#labels .chart h3")] == ["validation"]
    assert [element.text.split()[0] for element in visible(opened, "#summary tbody tr")] == ["validation"]
    assert len(visible(opened, "#metrics svg")) == len(visible(opened, "#metrics .chart"))
    assert not visible(opened, "#rejected .case")  # all rejects are of train
    assert visible(opened, "#exact-across_splits .case")
    opened.find_element(By.CSS_SELECTOR, "button[type=reset]").click()
    assert len(visible(opened, "#labels .chart")) == 2
    assert len(visible(opened, "#rejected .case")) == 2


def test_the_label_table_is_put_in_order(opened):
    def labels():
        return [row.text.split()[0] for row in visible(opened, "#label-rows tr")]

    order = Select(opened.find_element(By.ID, "order"))
    order.select_by_visible_text("Most images first")
    assert labels() == ["2", "3", "1"]
    order.select_by_visible_text("Fewest images first")
    assert labels() == ["1", "3", "2"]
    order.select_by_visible_text("By id")
    assert labels() == ["1", "2", "3"]


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


@pytest.mark.parametrize("width", [320, 390, 768])
@pytest.mark.parametrize("page", ["card", "thousand"])
def test_nothing_scrolls_sideways_on_a_phone(browser, page, width, request):
    open_page(browser, request.getfixturevalue(page), width=width)
    assert browser.execute_script("return document.documentElement.scrollWidth") == width


def test_the_keyboard_reaches_every_control_and_one_sees_where_it_is(opened):
    reached = []
    for _ in range(16):
        ActionChains(opened).send_keys(Keys.TAB).perform()
        active = opened.switch_to.active_element
        outline = opened.execute_script("return getComputedStyle(arguments[0]).outlineStyle", active)
        reached.append((active.get_attribute("id") or active.get_attribute("class") or active.tag_name, outline))
    names = [name for name, _ in reached]
    assert names[0] == "skip"
    assert [name for name in names if name in ("theme", "split", "label", "button", "order")] == [
        *("theme", "split", "label", "button", "order")
    ]
    assert {outline for _, outline in reached} == {"solid"}


def test_the_structure_is_told_to_those_who_listen(opened):
    landmarks = [len(opened.find_elements(By.CSS_SELECTOR, name)) for name in ("main", "header", "nav[aria-label]", "h1")]
    assert landmarks == [1, 1, 1, 1]
    levels = [int(heading.tag_name[1]) for heading in opened.find_elements(By.CSS_SELECTOR, "h1, h2, h3")]
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    for link in opened.find_elements(By.CSS_SELECTOR, "nav a, #look a"):
        target = link.get_attribute("href").partition("#")[2]
        assert len(opened.find_elements(By.ID, target)) == 1


def test_a_thousand_labels_of_noise_stay_below_five_megabytes_each_with_its_picture(browser, thousand):
    assert thousand.stat().st_size < MOST_BYTES
    open_page(browser, thousand)
    assert browser.execute_script("return document.querySelectorAll('.sheet').length") == 1000
    browser.find_element(By.ID, "label").send_keys("label 07")
    assert browser.find_element(By.ID, "shown").text == "100 of 1,000 labels"
    assert browser.execute_script("return document.querySelectorAll('.sheet:not([hidden])').length") == 100
