"""The preferences page: plain HTML forms, no script, accept and reject alike in every respect."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from consentgate.core.gate import Gate
from consentgate.core.page import CONTENT_SECURITY_POLICY, preferences
from consentgate.core.policy import Category, Policy, Rule
from core.samples import KEY, TODAY, ask, cookie_of, make_gate, visit_of

GATE = make_gate()
Element = tuple[str, dict[str, str | None]]


class Parsed(HTMLParser):
    """Every element of a page with its attributes, and all of its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def page(cookie: bytes | None = None, next: str = "", gate: Gate = GATE) -> str:
    return preferences(gate.site, visit_of(gate, ask(cookie=cookie)), next, "/home")


def test_accept_and_reject_have_equal_weight() -> None:
    """The two buttons stand side by side in one form and differ in nothing but what they say."""
    html = page()
    buttons = re.findall(r"<button[^>]*>[^<]*</button>", html)
    assert buttons[:2] == [
        '<button name="action" value="accept">Accept all</button>',
        '<button name="action" value="reject">Reject all</button>',
    ]
    assert html.count("accept") == html.count("reject") == 1
    style = html.partition("<style>")[2].partition("</style>")[0]
    assert not re.search(r"accept|reject|nth|first|last|\[value", style)


def test_enter_among_the_boxes_never_means_accept() -> None:
    """Enter presses the first button of its form: among the boxes that is "save"."""
    forms = page(cookie_of("analytics")).split("<form ")[1:]
    assert len(forms) == 2
    assert "checkbox" not in forms[0]
    values = re.findall(r'<button name="action" value="(\w+)"', forms[1])
    assert values == ["save", "withdraw"]


def test_the_page_works_without_script_and_without_any_other_file() -> None:
    """Forms that are posted to `choice`, and nothing to load."""
    parsed = Parsed(page(cookie_of("analytics")))
    assert [(form["method"], form["action"]) for form in parsed.all("form")] == [
        ("post", "choice"),
        ("post", "choice"),
    ]
    tags = {tag for tag, _ in parsed.elements}
    assert not tags & {"script", "link", "img", "iframe", "object", "base"}
    assert not any(
        name.startswith("on") or name in ("src", "style")
        for _, attributes in parsed.elements
        for name in attributes
    )


def test_its_one_style_is_allowed_by_hash_and_nothing_else_is() -> None:
    """The page keeps to the strictest policy there is."""
    style = page().partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ) == CONTENT_SECURITY_POLICY


@pytest.mark.parametrize(
    ("cookie", "ticked", "standing", "withdrawable"),
    [
        (None, [], "You have not chosen yet, so nothing optional is used.", False),
        (b"__Host-gate=x", [], "You have not chosen yet, so nothing optional is used.", False),
        (cookie_of(at=TODAY), [], "Your choice is recorded as shown below.", True),
        (
            cookie_of(at=0),
            [],
            "There is something new to choose; what you chose before still stands.",
            True,
        ),
        (cookie_of("analytics"), ["analytics"], "Your choice is recorded as shown below.", True),
        (
            cookie_of("analytics", denied=()),
            ["analytics"],
            "There is something new to choose; what you chose before still stands.",
            True,
        ),
    ],
)
def test_the_boxes_show_what_the_visitor_chose_and_no_more(
    cookie: bytes | None, ticked: list[str], standing: str, withdrawable: bool
) -> None:
    """No box is ticked for anybody who has not ticked it."""
    html = page(cookie)
    boxes = [box for box in Parsed(html).all("input") if box["type"] == "checkbox"]
    assert [box["value"] for box in boxes] == ["analytics", "marketing"]
    assert [box["value"] for box in boxes if "checked" in box] == ticked
    assert standing in html
    assert ("Withdraw my choice" in html) is withdrawable


def test_every_box_has_a_label_and_what_is_always_on_has_no_box() -> None:
    """One can click the words; what cannot be refused says so."""
    parsed = Parsed(page())
    assert [label["for"] for label in parsed.all("label")] == ["c-analytics", "c-marketing"]
    assert "Always on: the site does not work without these." in parsed.text
    assert "Allow Marketing" in parsed.text


def test_what_is_stored_is_told() -> None:
    """Name, provider, purpose and duration of each rule, as the policy says them."""
    text = Parsed(page()).text
    for told in ("_ga*", "Google", "Tells visitors apart", "13 months", "Policy version 2026-11"):
        assert told in text


def test_where_to_go_next_is_kept_in_both_forms() -> None:
    """With a `next` both forms lead there and so does "back"; without one "back" leads home."""
    with_next = Parsed(page(next="/cart?a=1&b=2"))
    hidden = [one for one in with_next.all("input") if one["type"] == "hidden"]
    assert [(one["name"], one["value"]) for one in hidden] == [("next", "/cart?a=1&b=2")] * 2
    assert [link["href"] for link in with_next.all("a")] == ["/cart?a=1&b=2"]
    without = Parsed(page())
    assert [one for one in without.all("input") if one["type"] == "hidden"] == []
    assert [link["href"] for link in without.all("a")] == ["/home"]


def test_everything_from_the_policy_and_from_the_address_is_escaped() -> None:
    """The policy file holds text, never HTML; nor does `next`."""
    evil = "\"><script>alert(1)</script>&'"
    rule = Rule(name=evil, category="x", provider=evil, purpose=evil, duration=evil)
    policy = Policy(
        version=evil,
        categories=(Category(id=evil, title=evil, description=evil, rules=(rule,)),),
    )
    html = page(next=evil, gate=Gate(policy, [KEY]))
    parsed = Parsed(html)
    assert "<script" not in html
    assert parsed.text.count(evil) == 8
    assert [box["value"] for box in parsed.all("input") if box["type"] == "checkbox"] == [evil]
