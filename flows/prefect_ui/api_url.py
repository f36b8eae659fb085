"""The URL of the Prefect API that a build would report to: asked of Prefect, which is not imported where nothing can name one.

Prefect reads a dozen places by rules of its own (case, aliases, quotes and references in .env, which profiles file, which
profile), and they change from version to version. So only this much is decided here: whether any of these places can hold a URL
at all. Too many suspects cost the two seconds of importing Prefect; the answer is always Prefect's.
"""

import os
import tomllib
from collections.abc import Iterator
from pathlib import Path

from imagerecords.schemas.errors import BadSettings

# The variables that can hold a URL: it alone, or all settings of the API as JSON.
URLS = {"PREFECT_API_URL", "PREFECT_API"}
PROFILE = "PREFECT_PROFILE"  # may be "local", which Prefect brings, with a URL


def prefect_api_url() -> str | None:
    """The API's URL, None when none is configured. Raises BadSettings when Prefect can't read its settings."""
    if not any(_suspects()):
        return None
    try:
        from prefect.settings import get_current_settings

        return get_current_settings().api.url or None
    except Exception as error:  # Prefect's own, pydantic's or tomllib's, at its import
        raise BadSettings(
            f"Prefect's settings must be readable, got {type(error).__name__}: {error}. Correct them (environment, .env, "
            "prefect.toml, pyproject.toml or profile)"
        ) from error


def _suspects() -> Iterator[bool]:
    """Whether each of the places where Prefect looks may hold a URL, or lead to one."""
    yield PROFILE in os.environ or any(name.upper() in URLS for name in os.environ)
    yield "prefect" in _text(Path(".env")).lower()
    yield Path("prefect.toml").exists()
    yield _has_prefect_table(_text(Path("pyproject.toml")))
    yield any(name in _text(_profiles_path()) for name in URLS)


def _profiles_path() -> Path:
    """The profiles file, where it is not named by one of the other suspects."""
    if path := os.environ.get("PREFECT_PROFILES_PATH"):
        return Path(path)
    return Path(os.environ.get("PREFECT_HOME") or os.path.expanduser("~/.prefect")) / "profiles.toml"


def _has_prefect_table(project: str) -> bool:
    try:
        return "prefect" in tomllib.loads(project).get("tool", {})
    except tomllib.TOMLDecodeError:
        return True  # Prefect reads it too, and has words for it


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
