"""The scripts for what is held back, as they are written and as they are sent."""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from consentgate.pages.render import JinjaRenderer, assembled, bare
from tags.site import POLICY

RENDERER = JinjaRenderer(POLICY)
SENT = [RENDERER.tags, bare(assembled("modes.js"))]
COMPILER = Path(__file__).parents[2] / ".venv" / "node" / "node_modules" / "typescript"


def test_it_is_small() -> None:
    """Compressed, the script has at most 1,250 bytes, and the whole style 3,000."""
    sizes = [len(gzip.compress(text.encode(), 9)) for text in (RENDERER.tags, RENDERER.style)]
    assert [sizes[0] <= 1250, sizes[1] <= 3000] == [True, True]


def test_comments_have_lines_of_their_own() -> None:
    """What is sent has no comments left, and no empty lines."""
    for sent in SENT:
        assert [line for line in sent.splitlines() if re.search(r"//|/\*|\*/|^\s*$", line)] == []


def test_nothing_makes_html_or_code_out_of_text() -> None:
    """No word of the script is one by which text becomes HTML, a style or a program."""
    words = r"innerHTML|outerHTML|insertAdjacent|DOMParser|document\.write|cssText|eval|Function\b"
    assert re.findall(words, "".join(SENT)) == []


def test_the_filter_lists_find_nothing() -> None:
    """No name in the page or in an address says what filter lists look for."""
    strings = re.findall(r"\"[^\"]*\"|'[^']*'|`[^`]*`", RENDERER.tags)
    assert [text for text in strings if re.search("cookie|consent", text, re.IGNORECASE)] == []


def test_the_types_are_right() -> None:
    """As TypeScript's compiler reads them."""
    node = shutil.which("node")
    if node is None or not COMPILER.exists():
        pytest.skip("no node or no TypeScript here: make test installs them")
    project = Path(__file__).with_name("tsconfig.json")
    command = [node, str(COMPILER / "bin" / "tsc"), "-p", str(project)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.stdout, done.returncode) == ("", 0)
