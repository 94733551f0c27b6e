"""Cookies that are strictly necessary on some paths, and only there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from consentgate.core.decision import Action
from consentgate.core.gate import Gate
from consentgate.core.http import Header
from consentgate.core.policy import Flow, Rule
from core.samples import NOW, POLICY, ask, cookie_of, forward, lines_of, make_gate, reply

CHECKOUT = Flow(paths=("/checkout", "/checkout/*"), cookies=("fraud_*", "_fbp"))
SUPPORT = Flow(paths=("/help*", "/checkout/help"), cookies=("chat",), expire_on_leave=True)
GATE = make_gate(flows=(CHECKOUT, SUPPORT))
HTML: Header = (b"content-type", b"text/html")
NO = cookie_of()


def decided(
    path: str, *lines: bytes, cookie: bytes | None = None, gate: Gate = GATE
) -> list[tuple[Action, str, str | None, str | None]]:
    """What becomes of these Set-Cookie lines on a path."""
    headers = [(b"set-cookie", line) for line in lines]
    finish = forward(gate, ask(path=path, cookie=cookie)).finish(headers, NOW)
    return [
        (one.action, one.basis, one.category, one.rule)
        for one in finish.decisions
        if one.action not in (Action.HIDDEN, Action.EXPIRED)
    ]


@pytest.mark.parametrize("path", ["/checkout", "/checkout/pay", "/checkout/help"])
def test_in_a_flow_its_cookies_leave_whatever_the_visitor_said(path: str) -> None:
    """Also for a newcomer and for who refused everything; the decision names the flow."""
    basis = "strictly necessary in this flow"
    for cookie in (None, NO, b"__Host-gate=forged"):
        assert decided(path, b"fraud_1=x", b"_fbp=y", cookie=cookie) == [
            (Action.KEPT, basis, "necessary", "fraud_*"),
            (Action.KEPT, basis, "marketing", "_fbp"),
        ]


@pytest.mark.parametrize(
    "path",
    ["/", "/checkouts", "/CHECKOUT/pay", "/checkout/../account", "/x/checkout/pay", "//checkout/"],
)
def test_outside_a_flow_they_are_what_their_category_says(path: str) -> None:
    """Unknown or not consented to; a path that only looks like the flow is outside."""
    assert decided(path, b"fraud_1=x", b"_fbp=y") == [
        (Action.DROPPED, "", None, None),
        (Action.DROPPED, "", "marketing", "_fbp"),
    ]
    yes = cookie_of("marketing")
    assert decided(path, b"_fbp=y", cookie=yes) == [(Action.KEPT, "consent", "marketing", "_fbp")]


def seen(path: str, sent: bytes, gate: Gate = GATE) -> tuple[bytes | None, list[bytes]]:
    """The Cookie header that the app sees (None: as it came), and the names that are expired."""
    step = forward(gate, ask(path=path, cookie=sent))
    finish = step.finish([HTML], NOW)
    gone = {line.partition(b"=")[0] for line in lines_of(finish)}
    return step.cookie, sorted(gone - {b"__Host-gate"})


def test_outside_a_flow_its_cookies_are_hidden_and_stay_on_the_device() -> None:
    """A second tab and 3-D Secure need them; what else was refused goes."""
    sent = NO + b"; fraud_1=x; _fbp=y; _ga=z; sid=1"
    assert seen("/", sent) == (NO + b"; sid=1", [b"_ga"])
    assert seen("/checkout/pay", sent) == (NO + b"; fraud_1=x; _fbp=y; sid=1", [b"_ga"])


def test_a_flow_can_have_its_cookies_expired_elsewhere() -> None:
    """In it they are seen; on the next page outside they go, though no category names them."""
    sent = b"chat=x; sid=1"
    assert seen("/help/me", sent) == (None, [])
    assert seen("/", sent) == (b"sid=1", [b"chat"])
    assert seen("/checkout/pay", sent) == (b"sid=1", [b"chat"])
    assert seen("/checkout/help", sent + b"; fraud_1=y") == (None, [])


def test_what_one_flow_needs_to_stay_no_other_flow_expires() -> None:
    """Named by two flows, a cookie stays if one of them says so, in whatever order they stand."""
    flows = (CHECKOUT, replace(SUPPORT, cookies=("_fbp",)))
    for order in (flows, flows[::-1]):
        assert seen("/", NO + b"; _fbp=y", make_gate(flows=order)) == (NO, [])


def test_a_refusal_leaves_the_cookies_of_a_flow_where_they_are() -> None:
    """The answer that records it removes what was refused, but for those, path or no path."""
    rules = (Rule(name="_fbp", category="marketing", path="/shop"),)
    categories = (*POLICY.categories[:2], replace(POLICY.categories[2], rules=rules))
    gate = make_gate(categories=categories, flows=(CHECKOUT,))
    form = (b"content-type", b"application/x-www-form-urlencoded")
    request = ask("POST", "/_gate/choice", headers=[form], cookie=b"_fbp=1; _ga=2; fraud_1=3")
    response = reply(gate, request, b"action=reject").response
    names = {line.partition(b"=")[0] for line in lines_of(response)}
    assert names == {b"__Host-gate", b"_ga"}


def test_the_more_specific_rule_wins_in_a_flow_too() -> None:
    """A wide pattern of a flow does not free what a category names more closely."""
    gate = make_gate(flows=(Flow(paths=("/pay",), cookies=("_*",)),))
    assert decided("/pay", b"_gid=1", b"_x=2", gate=gate) == [
        (Action.DROPPED, "", "analytics", "_gid"),
        (Action.KEPT, "strictly necessary in this flow", "necessary", "_*"),
    ]


def test_what_is_published_of_a_cookie_holds_in_its_flow() -> None:
    """Its duration, too: needed there is not needed for longer."""
    rule = Rule(name="_fbp", category="marketing", duration="1 hour", seconds=3600)
    categories = (*POLICY.categories[:2], replace(POLICY.categories[2], rules=(rule,)))
    gate = make_gate(categories=categories, flows=(CHECKOUT,))
    step = forward(gate, ask(path="/checkout/pay"))
    line = (b"set-cookie", b"_fbp=1; Max-Age=86400")
    assert lines_of(step.finish([line], NOW)) == [b"_fbp=1; Max-Age=3600"]


def test_an_answer_in_a_flow_is_not_made_private_for_its_cookies() -> None:
    """They do not depend on the visitor."""
    headers = [HTML, (b"set-cookie", b"fraud_1=x")]
    assert forward(GATE, ask(path="/checkout/pay")).finish(headers, NOW).headers is headers


@pytest.mark.parametrize(
    ("root", "path"), [("/shop", "/checkout/pay"), ("/shop", "/shop/checkout/pay")]
)
def test_a_flow_is_found_below_a_mount(root: str, path: str) -> None:
    """In both forms that servers use."""
    step = forward(GATE, ask(path=path, root=root))
    assert lines_of(step.finish([(b"set-cookie", b"fraud_1=x")], NOW)) == [b"fraud_1=x"]


def test_a_gate_without_flows_asks_no_path() -> None:
    """The very same rules everywhere."""
    gate = make_gate()
    assert gate.lane("/") is gate.lane("/checkout/pay")
    assert GATE.lane("/") is GATE.lane("/any")
    assert GATE.lane("/checkout/1") is GATE.lane("/checkout/2")
    assert GATE.lane("/checkout/1") is not GATE.lane("/")


def test_a_reporting_gate_changes_nothing_in_a_flow() -> None:
    """It says what would have been done."""
    gate: Any = make_gate(flows=(CHECKOUT,), mode="report")
    headers = [(b"set-cookie", b"fraud_1=x"), (b"set-cookie", b"_ga=y")]
    finish = forward(gate, ask(path="/checkout")).finish(headers, NOW)
    assert finish.headers is headers
    assert [one.action for one in finish.decisions] == [Action.KEPT, Action.DROPPED]
