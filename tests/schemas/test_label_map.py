"""TensorFlow's label_map.pbtxt as a labels file."""

from imagerecords.schemas.label_map import read_label_map

TUTORIAL = """item {
  id: 2
  name: 'dog'
}

item {
  id: 1   # the first
  name: "cat"
}
"""
OPEN_IMAGES = """item {
  name: "/m/01yrx"
  id: 1
  display_name: "Cat"
}
item { name: "/m/0bt9lr", id: 2, display_name: "Dog {small}" }"""


def test_labels_have_the_ids_of_the_map():
    assert read_label_map(TUTORIAL, "f") == ({"cat": 1, "dog": 2}, [])


def test_an_item_that_is_named_by_a_mid_goes_by_its_display_name():
    assert read_label_map(OPEN_IMAGES, "f") == ({"Cat": 1, "Dog {small}": 2}, [])


def test_what_is_wrong_is_named_with_its_item():
    assert read_label_map("", "f")[1] == ["label map must have items, got none: f"]
    assert "f, item 1" in read_label_map("item { id: 1 }", "f")[1][0]
    assert "f, item 2" in read_label_map("item { id: 1 name: 'a' } item { id: 1 name: 'b' }", "f")[1][0]
    assert "got none for 1" in read_label_map("item { id: 0 name: 'a' } item { id: 2 name: 'b' }", "f")[1][0]
