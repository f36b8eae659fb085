"""Whether a Prefect API is configured, found out without importing Prefect, which takes two seconds."""

import os
import tomllib
from pathlib import Path
from typing import Any

URL = "PREFECT_API_URL"


def prefect_api_url() -> str | None:
    """The API's URL from the places where Prefect looks: environment, prefect.toml, pyproject.toml, the active profile."""
    if url := os.environ.get(URL):
        return url
    project = _toml(Path("prefect.toml")), _toml(Path("pyproject.toml")).get("tool", {}).get("prefect", {})
    for settings in project:
        if url := settings.get("api", {}).get("url"):
            return str(url)
    home = Path(os.environ.get("PREFECT_HOME", "~/.prefect")).expanduser()
    profiles = _toml(Path(os.environ.get("PREFECT_PROFILES_PATH", home / "profiles.toml")).expanduser())
    active = os.environ.get("PREFECT_PROFILE", profiles.get("active"))
    url = profiles.get("profiles", {}).get(active, {}).get(URL)
    return str(url) if url else None


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except (OSError, ValueError):
        return {}
