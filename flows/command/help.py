"""The commands' help: settings by group, options with underscores as in the docs."""

import ast
import re
from collections.abc import Iterable
from typing import Any

from attrs import evolve
from cyclopts.help import DefaultFormatter, HelpEntry, HelpPanel
from rich.console import Console, ConsoleOptions

from imagerecords.schemas.settings import BuildSettings

OTHERS = "Options"
MAPPING = "--storage_options"
WORDS = {"STR": "TEXT", "INT": "NUMBER", "FLOAT": "NUMBER"}  # of Python's types
OPTIONAL = "[ARGS]", "[PLACE]"  # of doctor, which alone has an argument that may be missing


class GroupedHelp:
    """A formatter for cyclopts that shows a panel per group of settings, and one of the other options last."""

    def __init__(self) -> None:
        self._default = DefaultFormatter()
        self._groups = {name: title for title, names in BuildSettings.groups().items() for name in names}

    def __call__(self, console: Console, options: ConsoleOptions, panel: HelpPanel) -> None:
        """Print a panel, or the panels that its options are divided into."""
        if panel.format == "command":
            self._default(console, options, panel)
            return
        entries = [_spelled(entry) for entry in panel.entries]
        if not any("--output_directory" in entry.positive_names for entry in entries):  # not a build's settings
            self._default(console, options, panel.copy(entries=entries))
            return
        for title in (*BuildSettings.groups(), OTHERS):
            own = [entry for entry in entries if self._group(entry) == title]
            if own:
                self._default(console, options, panel.copy(title=title, entries=own))

    def render_usage(self, console: Console, options: ConsoleOptions, usage: Any) -> None:
        """Print the usage line, its options spelled the same way."""
        words = str(usage).split(" ")
        self._default.render_usage(console, options, " ".join(_typed(word) for word in _words(words)).replace(*OPTIONAL))

    def _group(self, entry: HelpEntry) -> str:
        names = (name.removeprefix("--").removesuffix(".KEY") for name in entry.positive_names)
        return next((self._groups[name] for name in names if name in self._groups), OTHERS)


def _spelled(entry: HelpEntry) -> HelpEntry:
    """The entry in words of the shell: no types and defaults of Python, no option that empties a list that is empty."""
    default = _default(str(entry.default)) if entry.default is not None else None
    negative = [name for name in _words(entry.negative_names) if default or not name.startswith("--empty_")]
    return evolve(
        entry,
        positive_names=tuple(f"{name}.KEY" if name == MAPPING else name for name in _words(entry.positive_names)),
        negative_names=tuple(negative),
        metavar="TEXT" if "--storage-options" in entry.positive_names else _typed(entry.metavar or ""),
        default=default,
    )


def _typed(metavar: str) -> str:
    """A type as in the docs: `STR|STR...` is TEXT|TEXT…."""
    return re.sub(r"\b(STR|INT|FLOAT)\b", lambda found: WORDS[found[0]], metavar)


def _default(text: str) -> str | None:
    """A default as one would type it; None for what is empty and a flag that is not set."""
    if text in ("()", "{}", "False"):
        return None
    if text == "True":
        return "yes"
    if text.startswith("("):
        return " ".join(map(str, ast.literal_eval(text)))
    return text


def _words(words: Iterable[str]) -> Iterable[str]:
    """Options with underscores; only the hyphen of `--no-` stays."""
    for word in words:
        prefix = "--no-" if word.startswith("--no-") else "--" if word.startswith("--") else ""
        yield prefix + (word[len(prefix) :].replace("-", "_") if prefix else word)
