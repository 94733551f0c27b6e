"""The script as it is written and as it is sent."""

from __future__ import annotations

import gzip
import re

from web.standin import POLICY, SOURCE, served

TEXT = SOURCE.read_text("utf-8")
# A policy of four categories as a site of some size has it.
TYPICAL = {
    **POLICY,
    "categories": {
        "preferences": ["1a2b"],
        "analytics": ["1a2b", "0c3d"],
        "marketing": ["77aa"],
        "social": ["90ef"],
    },
    "sold": ["marketing", "social"],
    "style": [
        "g.0123456789abcdef.css",
        "sha384-oqVuAfXRKap7fdgcCY5uykM6+R9GqQ8K/uxy9rx7HNQlGYl1kPzQho1wx4JwY8wC",
    ],
}


def test_it_is_small() -> None:
    """Compressed, with a policy of four categories, the script has at most 5 KiB."""
    assert len(gzip.compress(served(TYPICAL).encode(), 9)) <= 5120


def test_the_constant_has_one_place() -> None:
    """Of the word that the server replaces there is one, in the last line, also among comments."""
    assert TEXT.count("GATE_POLICY") == 1
    assert TEXT.endswith("})(GATE_POLICY);\n")


def test_comments_have_lines_of_their_own() -> None:
    """What is sent has no comments left, and no empty lines."""
    sent = served()
    assert [line for line in sent.splitlines() if re.search(r"//|/\*|\*/|^\s*$", line)] == []


def test_nothing_makes_html_or_code_out_of_text() -> None:
    """No word of the script is one by which text becomes HTML, a style or a program."""
    words = r"innerHTML|outerHTML|insertAdjacent|DOMParser|document\.write|cssText|eval|Function\b"
    assert re.findall(words, served()) == []


def test_the_filter_lists_find_nothing() -> None:
    """No name in the page, in an address or in an event says what filter lists look for."""
    strings = re.findall(r"\"[^\"]*\"|'[^']*'|`[^`]*`", served({}))
    assert [text for text in strings if re.search("cookie|consent", text, re.IGNORECASE)] == []
