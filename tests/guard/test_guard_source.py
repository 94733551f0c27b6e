"""The script that runs first as it is written and as it is sent: its size, its types, its words."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from consentgate.pages.render import WEB, JinjaRenderer, assembled, bare
from guard.shop import POLICY

ROOT = Path(__file__).parents[2]
WEB_TESTS = ROOT / "tests" / "web"
COMPILER = ROOT / ".venv" / "node" / "node_modules" / "typescript" / "bin" / "tsc"
GUARD = bare(assembled("first.js", ["modes.js"]))


def test_it_is_small() -> None:
    """Compressed, with what it shares with g.js and without any policy, at most 4,000 bytes."""
    assert len(gzip.compress(GUARD.encode(), 9)) <= 4000


def test_the_constant_has_one_place() -> None:
    """Of the word that the server replaces there is one, in the last line."""
    assert GUARD.count("GATE_POLICY") == 1
    assert GUARD.endswith("})(GATE_POLICY);\n")


def test_chunks_stand_in_their_places() -> None:
    """Each once, and no place is left open; what a policy has no use for is left out."""
    source = (WEB / "first.js").read_text("utf-8")
    assert re.findall(r"^ +/\* (\S+\.js) \*/$", source, re.MULTILINE) == [
        "companion.js",
        "guard.js",
        "modes.js",
    ]
    whole = assembled("first.js")
    assert (whole.count("function companionIn("), whole.count("const blocks =")) == (1, 1)
    assert not re.search(r"^ +/\* \S+\.js \*/$", whole, re.MULTILINE)
    assert "const blocks =" not in assembled("first.js", ["guard.js"])
    assert JinjaRenderer(POLICY).first == GUARD


def test_comments_have_lines_of_their_own() -> None:
    """What is sent has no comments left, and no empty lines."""
    left = [line for line in GUARD.splitlines() if re.search(r"(?<![:\\])//|/\*|\*/|^\s*$", line)]
    assert left == []


def test_nothing_makes_html_or_code_out_of_text() -> None:
    """No word of the script is one by which text becomes HTML, a style or a program."""
    words = (
        r"innerHTML|outerHTML|insertAdjacent|DOMParser|document\.write|cssText|eval|new Function"
    )
    assert re.findall(words, GUARD) == []


def test_its_types_are_right(tmp_path: Path) -> None:
    """The compiler finds nothing, with everything in that a policy can ask for."""
    node = shutil.which("node")
    if node is None or not COMPILER.exists():
        pytest.skip("no node, or no typescript below the virtual environment")
    (tmp_path / "first.js").write_text(assembled("first.js"), "utf-8")
    shutil.copy(WEB / "g.d.ts", tmp_path)
    shutil.copy(WEB_TESTS / "constant.d.ts", tmp_path)
    settings = json.loads((WEB_TESTS / "tsconfig.json").read_text("utf-8"))
    settings["files"] = ["constant.d.ts", "first.js"]
    (tmp_path / "tsconfig.json").write_text(json.dumps(settings), "utf-8")
    done = subprocess.run(
        [node, str(COMPILER), "-p", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("", 0)
