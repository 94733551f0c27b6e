"""The types of the scripts, and of what a site's own code may do with them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from web.small import NODE, WEB, assembled

HERE = Path(__file__).parent
COMPILER = NODE / "typescript" / "bin" / "tsc"


@pytest.mark.parametrize("name", ["g.js", "first.js", "t.js"])
def test_the_types_are_right(name: str, tmp_path: Path) -> None:
    """As TypeScript's compiler reads them, with their chunks in place and everything in."""
    if shutil.which("node") is None or not COMPILER.exists():
        pytest.skip("no node or no TypeScript here: make test installs them")
    (tmp_path / name).write_text(assembled(name), "utf-8")
    shutil.copytree(WEB / "vendors", tmp_path / "vendors")
    for file in (WEB / "g.d.ts", HERE / "constant.d.ts"):
        shutil.copy(file, tmp_path)
    files = ["g.d.ts", "constant.d.ts", name]
    if name == "g.js":
        files.append("usage.ts")
        usage = (HERE / "usage.ts").read_text("utf-8")
        (tmp_path / "usage.ts").write_text(usage.replace("../../src/consentgate/pages/web/", "./"))
    if name == "first.js":
        files += [f"vendors/{one.name}" for one in (WEB / "vendors").glob("*.js")]
    settings = json.loads((HERE / "tsconfig.json").read_text("utf-8")) | {"files": files}
    (tmp_path / "tsconfig.json").write_text(json.dumps(settings), "utf-8")
    command = ["node", str(COMPILER), "-p", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.stdout, done.returncode) == ("", 0)
