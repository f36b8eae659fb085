"""imagerecords as a library: build a data set, plan one, audit one, open one.

    import imagerecords

    summary = imagerecords.build(train_directory="photos/train", output_directory="out")
    data = imagerecords.open_dataset("out")
    data["train"][3].label

Prefect is not imported here; the flow is `imagerecords.flows.build.build_image_dataset`. What `__all__` lists is the public
API: other modules may change with any version.
"""

from imagerecords.building import audit, build, plan
from imagerecords.dataset import Dataset, Split, open_dataset
from imagerecords.record import Box, Record
from imagerecords.schemas.audit import Audit, AuditProblem
from imagerecords.schemas.errors import (
    BadInput,
    BadLayout,
    BadSettings,
    BadStorage,
    CorruptRecord,
    ImageRecordsError,
    Incomplete,
    Interrupted,
    OutputConflict,
    OutputLocked,
    OverBudget,
    ShardFailed,
    UnwantedDuplicates,
    WorkerDied,
)
from imagerecords.schemas.progress import ProgressUpdate
from imagerecords.schemas.settings import BuildSettings
from imagerecords.schemas.summary import BuildSummary, PlanSummary
from imagerecords.schemas.version import VERSION

__version__ = VERSION

__all__ = [
    "Audit",
    "AuditProblem",
    "BadInput",
    "BadLayout",
    "BadSettings",
    "BadStorage",
    "Box",
    "BuildSettings",
    "BuildSummary",
    "CorruptRecord",
    "Dataset",
    "ImageRecordsError",
    "Incomplete",
    "Interrupted",
    "OutputConflict",
    "OutputLocked",
    "OverBudget",
    "PlanSummary",
    "ProgressUpdate",
    "Record",
    "ShardFailed",
    "Split",
    "UnwantedDuplicates",
    "WorkerDied",
    "__version__",
    "audit",
    "build",
    "open_dataset",
    "plan",
]
