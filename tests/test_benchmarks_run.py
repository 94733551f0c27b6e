"""The benchmarks still run: a quick round, whose figures mean nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "exchange.py"
TIMED = {"no cookies either way", "consent cookie, 3 Set-Cookie, 1 dropped"}


def test_a_quick_round_measures_what_has_a_target(tmp_path: Path) -> None:
    """Each figure has a name, a positive value and a unit; those with a target say if it is met."""
    file = tmp_path / "figures.json"
    parts = ("--only", "nothing", "--only", "three", "--only", "hostile")
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--quick", *parts, "--json", str(file)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode in (0, 1), done.stderr) == (True, "")
    figures = json.loads(file.read_text("utf-8"))["figures"]
    assert {one["group"] for one in figures} >= TIMED
    assert all(one["name"] and one["unit"] for one in figures)
    targets = [one for one in figures if one["target"] is not None]
    assert targets
    assert all(isinstance(one["passed"], bool) for one in targets)
