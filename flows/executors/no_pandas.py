"""pyarrow without pandas: it imports pandas at the first array that it makes, wherever pandas is installed.

That is 0.3 to 0.5 s and 60 MB of each process, for nothing: no step here makes or takes a data frame.
"""

import sys
from typing import Any

import pyarrow as pa


class _Blocker:
    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        """Refuse pandas, and leave all else to the other finders."""
        if name == "pandas":
            raise ImportError(f"{name} is not wanted by imagerecords")


def keep_pandas_out() -> None:
    """Hide pandas from pyarrow, which looks for it once per process; other code can still import it."""
    blocker: Any = _Blocker()
    sys.meta_path.insert(0, blocker)
    try:
        pa.array([None])
    finally:
        sys.meta_path.remove(blocker)
