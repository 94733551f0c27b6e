"""Public test suites, and measurements of them, that are not part of this repository.

They are looked for in $CONSENTGATE_VECTORS, else beside the repository in ../shared/vectors.
"""

from __future__ import annotations

import json
import os
from calendar import timegm
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("CONSENTGATE_VECTORS") or ROOT.parent / "shared" / "vectors")
BROWSERS = ("actual_chromium", "actual_firefox")
# The browsers were asked, and the frameworks run, on 22 November 2026 from 16 hours UTC.
MEASURED = timegm((2026, 11, 22, 16, 0, 0))

needed = pytest.mark.skipif(
    not FOLDER.is_dir(),
    reason="the public vectors are not there: set CONSENTGATE_VECTORS to their folder",
)


@cache
def load(name: str) -> dict[str, Any]:
    """One of the files, parsed."""
    data = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    assert isinstance(data, dict)
    return data
