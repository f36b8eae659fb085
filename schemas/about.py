"""What a data set is called: its name, description, license, citation, date and version, as its files for readers have them."""

from typing import Self

from pydantic import BaseModel, ConfigDict

FIRST_VERSION = "1.0.0"


class PlanVersion(BaseModel):
    """The version of the data set of a plan, which has the digest `plan`, with `removed` of its images removed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    plan: str
    removed: int


class About(BaseModel):
    """The content of _build/about.json; a data set of version 0.1.0 has the defaults.

    `version` is that of the plan with the digest `plan`, with `removed` of its images removed; `extended` has those of the
    plans that it extends, the first build first.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = "imagerecords"
    description: str = ""
    license: str = ""
    citation: str = ""
    date_published: str = ""
    version: str = FIRST_VERSION
    plan: str = ""
    removed: int = 0
    extended: tuple[PlanVersion, ...] = ()

    def at(self, plan: str) -> Self | None:
        """The same as of the plan with this digest: its own, or one that it extends; None for any other."""
        if plan == self.plan:
            return self
        for number, earlier in enumerate(self.extended):
            if plan == earlier.plan:
                return self.model_copy(update={**earlier.model_dump(), "extended": self.extended[:number]})
        return None

    def after_append(self, removed: int) -> Self:
        """The same for a data set to which images were added: 1.0.0 becomes 1.1.0; `removed` are removed by now."""
        major, minor, _ = self.version.split(".")
        before = PlanVersion(version=self.version, plan=self.plan, removed=self.removed)
        raised = {"version": f"{major}.{int(minor) + 1}.0", "removed": removed, "extended": (*self.extended, before)}
        return self.model_copy(update=raised)

    def after_removals(self, removed: int) -> Self:
        """The same for a data set from which so many images are removed by now: 1.0.0 becomes 1.0.3 with three more."""
        major, minor, patch = self.version.split(".")
        return self.model_copy(update={"version": f"{major}.{minor}.{int(patch) + max(0, removed - self.removed)}"})
