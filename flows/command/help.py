"""The commands' help: settings by group, options with underscores as in the docs."""

from collections.abc import Iterable
from typing import Any

from attrs import evolve
from cyclopts.help import DefaultFormatter, HelpEntry, HelpPanel
from rich.console import Console, ConsoleOptions

from imagerecords.schemas.settings import BuildSettings

OTHERS = "Options"


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
        self._default.render_usage(console, options, " ".join(_words(words)))

    def _group(self, entry: HelpEntry) -> str:
        names = (name.removeprefix("--") for name in entry.positive_names)
        return next((self._groups[name] for name in names if name in self._groups), OTHERS)


def _spelled(entry: HelpEntry) -> HelpEntry:
    return evolve(entry, positive_names=tuple(_words(entry.positive_names)), negative_names=tuple(_words(entry.negative_names)))


def _words(words: Iterable[str]) -> Iterable[str]:
    """Options with underscores; only the hyphen of `--no-` stays."""
    for word in words:
        prefix = "--no-" if word.startswith("--no-") else "--" if word.startswith("--") else ""
        yield prefix + (word[len(prefix) :].replace("-", "_") if prefix else word)
