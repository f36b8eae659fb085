"""The URL of the Prefect API that a build would report to. Prefect finds it, and is imported only where there can be one.

Prefect reads a dozen places by its own rules (case, aliases, quotes and references in .env, which profiles file, which
profile), and the rules change from version to version. So this module only checks whether any of these places may contain a
URL. A false alarm costs the two seconds of importing Prefect; the answer is always Prefect's.
"""

import os
import tomllib
from collections.abc import Iterator
from pathlib import Path

from imagerecords.schemas.errors import BadSettings

# The variables that may contain a URL: the URL itself, or all settings of the API as JSON.
URLS = {"PREFECT_API_URL", "PREFECT_API"}
PROFILE = "PREFECT_PROFILE"  # may be "local", a built-in profile with a URL


def prefect_api_url() -> str | None:
    """The API's URL, None when none is configured. Raises BadSettings when Prefect can't read its settings."""
    if not any(_possible_places()):
        return None
    try:
        from prefect.settings import get_current_settings

        return get_current_settings().api.url or None
    except Exception as error:  # Prefect's own, pydantic's or tomllib's, at its import
        raise BadSettings(
            f"Prefect can't read its settings: {type(error).__name__}: {error}. Correct them (environment, .env, "
            "prefect.toml, pyproject.toml or profile)"
        ) from error


def _possible_places() -> Iterator[bool]:
    """Whether each of the places that Prefect reads may contain a URL, or name a file that does."""
    yield PROFILE in os.environ or any(name.upper() in URLS for name in os.environ)
    yield "prefect" in _text(Path(".env")).lower()
    yield Path("prefect.toml").exists()
    yield _has_prefect_table(_text(Path("pyproject.toml")))
    yield any(name in _text(_profiles_path()) for name in URLS)


def _profiles_path() -> Path:
    """The profiles file, unless .env or another file names it."""
    if path := os.environ.get("PREFECT_PROFILES_PATH"):
        return Path(path)
    return Path(os.environ.get("PREFECT_HOME") or os.path.expanduser("~/.prefect")) / "profiles.toml"


def _has_prefect_table(project: str) -> bool:
    try:
        return "prefect" in tomllib.loads(project).get("tool", {})
    except tomllib.TOMLDecodeError:
        return True  # Prefect reads it too, and reports the error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
