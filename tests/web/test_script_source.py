"""The script as it is written and as it is sent."""

from __future__ import annotations

import gzip
import re

import pytest

from consentgate.pages.render import VENDORS
from web.small import SENT, WEB, assembled, made, possible
from web.standin import POLICY, served

SMALL = sorted((WEB / "small").rglob("*.js"))
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
    """Compressed, with a policy of four categories, the script of the banner has at most 5 KiB."""
    assert len(gzip.compress(served(TYPICAL).encode(), 9)) <= 5120


def test_all_of_it_is_small() -> None:
    """Compressed one by one, all scripts of a site that uses all of them have at most 8 KiB.

    Without what the policy has to say for itself: names of cookies are as many as a site has.
    """
    texts = {name: (WEB / "small" / name).read_text() for name in ("first.js", "g.js", "t.js")}
    google = (WEB / "small" / "vendors" / "google.js").read_text().strip()
    texts["first.js"] = texts["first.js"].replace(VENDORS, f"{{google:{google}}}")
    assert sum(len(gzip.compress(text.encode(), 9)) for text in texts.values()) <= 8192


def test_what_is_sent_is_made_of_the_sources() -> None:
    """All of it, and nothing else; `make scripts` makes it anew."""
    if not possible():
        pytest.skip("no node or no terser here: make test installs them")
    folder = WEB / "small"
    sent = {str(one.relative_to(folder)): one.read_text() for one in folder.rglob("*.js")}
    assert sent == made()


@pytest.mark.parametrize("name", [name for name in SENT if name != "t.js"])
def test_the_constant_has_one_place(name: str) -> None:
    """Of the word that the server replaces there is one, in the last line, also when sent."""
    for text in ((WEB / "small" / name).read_text(), assembled(*SENT[name])):
        assert text.count("GATE_POLICY") == 1
        assert text.endswith("})(GATE_POLICY);\n")


def test_chunks_stand_in_their_places() -> None:
    """Each once, and no place is left open."""
    for name, how in SENT.items():
        text = assembled(*how)
        shared = 0 if name == "t.js" else 1
        assert text.count("function companionIn(") == shared
        assert text.count("const blocks =") == (name in ("first.js", "first-guard.js"))
        assert text.count("const tell =") == (name in ("first.js", "first-modes.js"))
        assert re.findall(r"^ *// \S+\.js$", text, re.MULTILINE) == []


def test_nothing_makes_html_or_code_out_of_text() -> None:
    """No word of the script is one by which text becomes HTML, a style or a program."""
    words = r"innerHTML|outerHTML|insertAdjacent|DOMParser|document\.write|cssText|eval|Function\b"
    assert [re.findall(words, one.read_text()) for one in SMALL] == [[]] * len(SMALL)


def test_the_filter_lists_find_nothing() -> None:
    """No name in the page, in an address or in an event says what filter lists look for."""
    texts = [(WEB / "small" / name).read_text() for name in ("g.js", "t.js")]
    strings = re.findall(r"\"[^\"]*\"|'[^']*'|`[^`]*`", "".join(texts))
    assert [text for text in strings if re.search("cookie|consent", text, re.IGNORECASE)] == []
