from .building import audit, build, plan
from .dataset import Dataset, Split, open_dataset
from .record import Box, Record
from .schemas.audit import Audit, AuditProblem
from .schemas.errors import (
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
from .schemas.progress import ProgressUpdate
from .schemas.settings import BuildSettings
from .schemas.summary import BuildSummary, PlanSummary

__version__: str

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
