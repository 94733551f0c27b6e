"""Which lines remove a cookie of which a browser has told us the name alone."""

from __future__ import annotations

from typing import Any

import pytest

from consentgate.core.decision import Action
from consentgate.core.expiry import UNSAFE_NAME
from consentgate.core.removals import can_be_echoed, paths_above, removal_domains
from core.removing import DEEP, HTML, NO, finish, gate_with, removals, rule
from core.samples import cookie_of, make_gate


def test_a_refused_cookie_is_expired_in_every_form_it_may_have() -> None:
    """Host-only, at the highest domain, at those below, and partitioned."""
    assert removals(NO + b"; _ga=1; sid=2", host=DEEP) == [
        b"_ga=; Max-Age=0; Path=/",
        b"_ga=; Max-Age=0; Path=/; Domain=shop.example",
        b"_ga=; Max-Age=0; Path=/; Domain=app.shop.example",
        b"_ga=; Max-Age=0; Path=/; Domain=www.app.shop.example",
        b"_ga=; Max-Age=0; Path=/; Secure; SameSite=None; Partitioned",
    ]


def test_a_newcomers_cookie_goes_too() -> None:
    """What nobody agreed to is not there, however it came: scripts write cookies as well."""
    lines = removals(b"_ga=1")
    assert [line.partition(b"=")[0] for line in lines] == [b"_ga"] * 4


def test_what_the_visitor_allows_stays() -> None:
    """And so does what is necessary, or unknown."""
    assert removals(cookie_of("analytics") + b"; _ga=1; sid=2; stray=3") == []
    assert {line[:4] for line in removals(cookie_of("analytics") + b"; _ga=1; _fbp=2")} == {b"_fbp"}


def test_a_choice_that_cannot_be_believed_is_a_no() -> None:
    """Forged, or of a lost key: what it may have allowed goes."""
    assert len(removals(b"__Host-gate=forged; _ga=1")) == 4


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        ({"path": "/acct"}, b"x=; Max-Age=0; Path=/acct"),
        ({"domain": ".Shop.Example"}, b"x=; Max-Age=0; Path=/; Domain=shop.example"),
        (
            {"domain": "shop.example", "path": "/a"},
            b"x=; Max-Age=0; Path=/a; Domain=shop.example",
        ),
        ({"partitioned": True}, b"x=; Max-Age=0; Path=/; Secure; SameSite=None; Partitioned"),
        (
            {"partitioned": True, "domain": "shop.example"},
            b"x=; Max-Age=0; Path=/; Domain=shop.example; Secure; SameSite=None; Partitioned",
        ),
    ],
)
def test_what_a_rule_declares_is_believed(facts: dict[str, Any], line: bytes) -> None:
    """One line is enough."""
    assert removals(NO + b"; x=1", gate_with(rule("x", **facts))) == [line]


def test_prefixes_ask_for_what_they_ask_for() -> None:
    """`__Host-` never has a Domain, and browsers hear no deletion of these without Secure."""
    assert removals(NO + b"; __Host-_ga=1") == [
        b"__Host-_ga=; Max-Age=0; Path=/; Secure",
        b"__Host-_ga=; Max-Age=0; Path=/; Secure; SameSite=None; Partitioned",
    ]
    assert removals(NO + b"; __Secure-_ga=1")[1] == (
        b"__Secure-_ga=; Max-Age=0; Path=/; Domain=shop.example; Secure"
    )
    assert removals(NO + b"; __Http-_ga=1")[0] == (
        b"__Http-_ga=; Max-Age=0; Path=/; Secure; HttpOnly"
    )
    declared = gate_with(rule("x*", domain="shop.example", path="/a"))
    assert removals(NO + b"; __Host-x=1", declared) == [b"__Host-x=; Max-Age=0; Path=/; Secure"]


def test_a_nameless_cookie_is_expired_in_the_form_that_works() -> None:
    """Measured in Chromium, which alone stores them. Its value is not written back."""
    assert removals(NO + b"; _ga", host=b"localhost") == [
        b"=x; Max-Age=0; Path=/",
        b"=x; Max-Age=0; Path=/; Secure; SameSite=None; Partitioned",
    ]


def test_the_name_leaves_exactly_as_it_came() -> None:
    """Letter case, spaces within, and bytes beyond ASCII."""
    gate = gate_with(rule("x*"), secure=False)
    for name in (b"xY", b"x y", b"x\xe9z", b"x\xc3\xa9z", b"x[0]", b"x,y", b"x'"):
        assert removals(NO + b"; " + name + b"=1", gate, host=b"localhost") == [
            name + b"=; Max-Age=0; Path=/"
        ]


@pytest.mark.parametrize(
    "name", [b'x"', b"x\x01y", b"x\x7f", b"x\xa0", b"x\x85", b"x" * 513, b"x\ty", b"x\ry"]
)
def test_a_name_that_cannot_be_written_back_is_skipped_and_counted(name: bytes) -> None:
    """A decision says so; nothing of it is sent."""
    gate = gate_with(rule("x*"))
    found = finish(NO + b"; " + name + b"=1", gate)
    assert not can_be_echoed(name)
    assert found.headers == [HTML]
    assert [(one.action, one.reason) for one in found.decisions if one.action is Action.STUCK] == [
        (Action.STUCK, UNSAFE_NAME)
    ]


def test_without_https_there_are_no_partitioned_cookies() -> None:
    """They are always Secure."""
    assert removals(b"_ga=1", make_gate(secure=False), host=b"localhost") == [
        b"_ga=; Max-Age=0; Path=/"
    ]


@pytest.mark.parametrize(
    ("host", "site", "domains"),
    [
        ("www.shop.example", "", ["www.shop.example", "shop.example"]),
        ("WWW.Shop.Example:8443", "", ["www.shop.example", "shop.example"]),
        ("www.shop.example.", "", ["www.shop.example", "shop.example"]),
        ("shop.example", "", ["shop.example"]),
        ("localhost:8000", "", []),
        ("127.0.0.1", "", []),
        ("[::1]:80", "", []),
        ("", "", []),
        ("a b.example", "", []),
        ("a.b.shop.co.uk", "shop.co.uk", ["a.b.shop.co.uk", "b.shop.co.uk", "shop.co.uk"]),
        ("shop.co.uk", "shop.co.uk", ["shop.co.uk"]),
        ("www.shop.co.uk", "www.shop.co.uk", ["www.shop.co.uk", "shop.co.uk"]),
        ("blog.shop.example", "www.shop.example", ["blog.shop.example", "shop.example"]),
        ("app.shop.example", "app.shop.example", ["app.shop.example"]),
        ("backend", "shop.example", ["shop.example"]),
        ("10.0.0.7:8000", "www.shop.example", ["www.shop.example", "shop.example"]),
        ("evilshop.example", "shop.example", ["shop.example"]),
        ("127.0.0.1:8000", "127.0.0.1", []),
    ],
)
def test_domains_go_as_far_up_as_is_ours(host: str, site: str, domains: list[str]) -> None:
    """To the site's own host where it is known, else to two labels; addresses have no parents."""
    assert removal_domains(host, site) == domains


def test_the_site_is_where_it_ends() -> None:
    """As the policy says it: behind a proxy that changes Host, too."""
    gate = make_gate(site="https://www.shop.co.uk:8443")
    assert removals(b"_ga=1", gate, host=b"10.0.0.7")[:-1] == [
        b"_ga=; Max-Age=0; Path=/",
        b"_ga=; Max-Age=0; Path=/; Domain=shop.co.uk",
        b"_ga=; Max-Age=0; Path=/; Domain=www.shop.co.uk",
    ]


def test_unknown_cookies_are_expired_only_where_the_policy_says_so() -> None:
    """They may belong to a neighbour."""
    assert removals(NO + b"; stray=1; x y=2") == []
    lines = removals(NO + b"; stray=1; x y=2", make_gate(expire_unknown=True))
    assert {line.partition(b"=")[0] for line in lines} == {b"stray", b"x y"}


@pytest.mark.parametrize(
    ("path", "paths"),
    [
        ("/", []),
        ("", []),
        ("/acct", [b"/acct"]),
        ("/acct/", [b"/acct"]),
        ("/acct/orders/7", [b"/acct", b"/acct/orders", b"/acct/orders/7"]),
        ("/a/b/c/d/e", [b"/a", b"/a/b", b"/a/b/c"]),
        ("/caf\xe9/x", []),
        ("/a b", []),
        ("/a;b", []),
        ("/a//b", []),
        ("/a%2fb", []),
        ("/" + "x" * 101, []),
    ],
)
def test_paths_are_those_above_the_page(path: str, paths: list[bytes]) -> None:
    """The highest three; where an address may be written in several ways, none is guessed."""
    assert paths_above(path) == paths
