"""From one capture to an article, or to the reason why there is none. Pure: no I/O, no clock, never raises on any bytes.

`extract` and `explain` (main.py) are loaded when they are first asked for (PEP 562): what reads pages costs half of a command's
start, and most commands, and the process that only writes down what others read, read none.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipelines.extract.main import explain, extract

__all__ = ["explain", "extract"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module("pipelines.extract.main"), name)
