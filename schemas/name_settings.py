"""The settings of what a data set is called."""

from pydantic import BaseModel, Field


class NameSettings(BaseModel):
    """What the data set is called, in dataset_info.json, croissant.json, README.md and the data card.

    With append, and where the same build runs again, what is not given stays.
    """

    name: str | None = Field(
        None,
        pattern=r"^[A-Za-z][A-Za-z0-9_]*$",
        description="Its name, of letters, digits and underscores; default: imagerecords.",
    )
    description: str | None = Field(None, description="What it shows, in a sentence or more.")
    license: str | None = Field(None, description="Its license: an identifier (cc-by-4.0) or the URL of its text.")
    citation: str | None = Field(None, description="How to cite it, e.g. an entry of BibTeX.")
    date_published: str | None = Field(None, pattern=r"^\d{4}-\d\d-\d\d$", description="When it was published, as 2026-11-28.")
    version: str | None = Field(
        None,
        pattern=r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$",
        description="Its version, three numbers; default: 1.0.0; each append raises the second, each removed image the third.",
    )
