"""Pages of docs/ whose commands print what they show, and whose Python code runs."""

import pytest

from tests.acceptance.docs_pages import wrong_steps
from tests.acceptance.installed import ROOT


@pytest.mark.parametrize("page", ["coming-from.md", "command-line.md"])
def test_the_commands_of_a_page_print_what_it_shows(digits, page):
    assert wrong_steps((ROOT / "docs" / page).read_text(), digits()) == []
