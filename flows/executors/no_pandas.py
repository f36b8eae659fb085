"""Keeps pyarrow from importing pandas, which it does at its first array where pandas is installed.

The import costs each process 0.3 to 0.5 s and 60 MB, and no step uses data frames.
"""

import sys
from typing import Any

import pyarrow as pa


class _Blocker:
    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        """Refuse pandas; other finders find all other modules."""
        if name == "pandas":
            raise ImportError(f"imagerecords keeps pyarrow from importing {name}")


def keep_pandas_out() -> None:
    """Make pyarrow's only attempt to import pandas fail; other code can still import it."""
    blocker: Any = _Blocker()
    sys.meta_path.insert(0, blocker)
    try:
        pa.array([None])
    finally:
        sys.meta_path.remove(blocker)
