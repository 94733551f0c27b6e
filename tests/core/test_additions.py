"""What the gate adds to an answer, and to which: its own cookie, and what removes refused ones."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from consentgate.core.consent import GrantRefused
from consentgate.core.decision import Action
from consentgate.core.gate import Finish, Gate
from consentgate.core.http import Header
from consentgate.core.policy import Category, Profile, Regions, Rule
from core.samples import (
    FORM,
    KEY,
    NOW,
    POLICY,
    SAME_ORIGIN,
    ask,
    cookie_of,
    forward,
    lines_of,
    make_gate,
    reply,
)

NO = cookie_of()
YES = cookie_of("analytics", "marketing")
HTML: Header = (b"content-type", b"text/html")
VARY: Header = (b"vary", b"Cookie")
PRIVATE: Header = (b"cache-control", b"private")
GONE = [
    b"_ga=; Max-Age=0; Path=/",
    b"_ga=; Max-Age=0; Path=/; Domain=shop.example",
    b"_ga=; Max-Age=0; Path=/; Secure; SameSite=None; Partitioned",
]


def finish(
    *headers: Header, cookie: bytes = b"_ga=1", gate: Gate | None = None, **how: Any
) -> Finish:
    return forward(gate or make_gate(), ask(cookie=cookie, **how)).finish(list(headers), NOW)


@pytest.mark.parametrize(
    "headers",
    [
        [HTML],
        [(b"Content-Type", b" Text/HTML;charset=utf-8")],
        [(b"content-type", b"application/xhtml+xml")],
        [HTML, (b"cache-control", b"max-age=60")],
        [(b"content-type", b"application/json"), (b"cache-control", b"private, max-age=60")],
        [(b"content-type", b"application/json"), (b"cache-control", b"no-store")],
        [HTML, (b"x-accel-expires", b"0")],
        [HTML, (b"cdn-cache-control", b"no-store")],
        [(b"set-cookie", b"_fbp=1")],  # it depended on the visitor anyway
    ],
)
def test_documents_and_private_answers_carry_deletions(headers: list[Header]) -> None:
    """After all headers of the app; and the answer is then its visitor's own."""
    found = finish(*headers)
    assert [value for name, value in found.headers if name == b"set-cookie"] == GONE
    assert VARY in found.headers
    joined = b", ".join(value for name, value in found.headers if name.lower() == b"cache-control")
    assert b"private" in joined or b"no-store" in joined


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"content-type", b"text/css")],
        [(b"content-type", b"application/json")],
        [(b"content-type", b"image/png"), (b"cache-control", b"max-age=60")],
        [HTML, (b"cache-control", b"public, max-age=60")],
        [HTML, (b"cache-control", b"max-age=0, S-Maxage = 60")],
        [HTML, (b"Cache-Control", b"immutable")],
        [HTML, (b"cache-control", b"private"), (b"cache-control", b"public")],
        [HTML, (b"surrogate-control", b"max-age=60")],
        [HTML, (b"x-accel-expires", b"60")],
    ],
)
def test_no_other_answer_is_touched(headers: list[Header]) -> None:
    """Neither what others could be handed, nor what is marked for them: hiding changes nothing."""
    found = finish(*headers)
    assert found.headers == headers
    assert [one.action for one in found.decisions] == [Action.HIDDEN]


def test_an_answer_marked_public_carries_none_even_when_it_becomes_private() -> None:
    """The app means it for everybody; the next answer will do."""
    found = finish((b"cache-control", b"public"), (b"set-cookie", b"_fbp=1"))
    assert found.headers == [PRIVATE, VARY] or found.headers == [VARY, PRIVATE]


def test_the_answer_to_a_form_carries_deletions() -> None:
    """No cache keeps the answer to a POST without being told to (RFC 9110 9.3.3)."""
    found = finish((b"location", b"/"), method="POST")
    assert lines_of(found) == GONE


def test_the_choice_goes_first() -> None:
    """Our own line, then the deletions, all after the app's own."""
    step = forward(make_gate(), ask("POST", cookie=YES + b"; _ga=1; sid=2"))
    step.visit.reject_all()
    lines = lines_of(step.finish([HTML, (b"set-cookie", b"sid=3")], NOW))
    assert lines[0] == b"sid=3"
    assert lines[1].startswith(b"__Host-gate=")
    assert lines[2:] == GONE


def test_what_this_answer_lawfully_sets_is_not_removed() -> None:
    """Granted on the way, the cookie that was refused at the start is set, and stays."""
    step = forward(make_gate(), ask("POST", cookie=NO + b"; _ga=1", headers=[SAME_ORIGIN]))
    assert step.cookie == NO
    step.visit.accept_all()
    lines = lines_of(step.finish([HTML, (b"set-cookie", b"_ga=2")], NOW))
    assert lines[0] == b"_ga=2"
    assert [line.partition(b"=")[0] for line in lines] == [b"_ga", b"__Host-gate"]


def test_what_was_taken_back_on_the_way_goes_at_once() -> None:
    """Allowed at the start, and so seen by the app; withdrawn before the answer, and so removed."""
    step = forward(make_gate(), ask(cookie=YES + b"; _ga=1"))
    assert step.cookie is None
    step.visit.withdraw()
    lines = lines_of(step.finish([HTML, (b"set-cookie", b"_ga=2")], NOW))
    assert [line.partition(b"=")[0] for line in lines][:1] == [b"__Host-gate"]
    assert lines[1:] == GONE


@pytest.mark.parametrize("action", [b"reject", b"withdraw", b"save"])
def test_the_gates_own_answer_to_a_choice_carries_deletions(action: bytes) -> None:
    """What was allowed is cleared by the very answer that records the no."""
    request = ask("POST", "/_gate/choice", cookie=YES + b"; _ga=1; sid=2", headers=[FORM])
    answer = reply(make_gate(), request, b"action=" + action)
    lines = lines_of(answer.response)
    assert lines[0].startswith(b"__Host-gate=")
    assert lines[1:] == GONE
    assert [one.action for one in answer.decisions] == [Action.EXPIRED]


def test_a_choice_that_failed_carries_nothing() -> None:
    """Nothing has changed."""
    request = ask("POST", "/_gate/choice", cookie=YES + b"; _ga=1", headers=[FORM])
    assert lines_of(reply(make_gate(), request, b"action=destroy").response) == []


def test_the_gates_own_pages_carry_deletions_too() -> None:
    """They are never stored; and a banner asks for the state on pages that come from a cache."""
    for path in ("/_gate/", "/_gate/state"):
        response = reply(make_gate(), ask(path=path, cookie=b"_ga=1")).response
        assert lines_of(response) == GONE


def test_a_choice_clears_what_only_rules_tell_of() -> None:
    """A request to one path does not show the cookies of another: a declared one goes unseen."""
    rules = (
        Rule(name="profile", category="marketing", path="/account"),
        Rule(name="_fbp", category="marketing", path="/"),
        Rule(name="seen*", category="marketing", path="/account"),
        Rule(name="kept", category="analytics", path="/account"),
    )
    categories = (
        POLICY.categories[0],
        Category(id="analytics", rules=rules[3:]),
        Category(id="marketing", rules=rules[:3]),
    )
    gate = Gate(replace(POLICY, categories=categories), [KEY])
    request = ask("POST", "/_gate/choice", headers=[FORM, SAME_ORIGIN])
    lines = lines_of(reply(gate, request, b"action=save&grant=analytics").response)
    assert lines[1:] == [b"profile=; Max-Age=0; Path=/account"]
    assert lines_of(finish(HTML, gate=gate, cookie=NO)) == []


def test_on_an_excluded_path_a_choice_is_recorded_and_nothing_removed() -> None:
    """There the gate only looks on."""
    rule = Rule(name="x", category="marketing", path="/a")
    categories = (*POLICY.categories[:2], Category(id="marketing", rules=(rule,)))
    gate = Gate(replace(POLICY, categories=categories, exclude=("/hooks/*",)), [KEY])
    step = forward(gate, ask(path="/hooks/x", cookie=b"_ga=1"))
    step.visit.reject_all()
    (line,) = lines_of(step.finish([HTML], NOW))
    assert line.startswith(b"__Host-gate=")


def test_where_no_header_can_be_added_nothing_is() -> None:
    """An early version of the WebSocket protocol."""
    step = forward(make_gate(), ask(cookie=b"_ga=1"))
    assert step.finish([HTML], NOW, can_add=False).headers == [HTML]


def cleared_of(headers: list[Header]) -> list[bytes]:
    """What the browser is told to forget."""
    return [value for name, value in headers if name == b"clear-site-data"]


IN_ADVANCE = b'"prefetchCache", "prerenderCache"'


@pytest.mark.parametrize(
    ("before", "change", "forgotten"),
    [
        (YES, lambda visit: visit.withdraw(), True),
        (YES, lambda visit: visit.reject_all(), True),
        (YES, lambda visit: visit.set(marketing=False), True),
        (YES, lambda visit: visit.accept_all(), False),
        (YES, lambda visit: visit.restrict(), False),
        (NO, lambda visit: visit.reject_all(), False),
        (b"sid=1", lambda visit: visit.reject_all(), False),
        (b"sid=1", lambda visit: visit.accept_all(), False),
    ],
)
def test_pages_fetched_before_a_no_are_forgotten(
    before: bytes, change: Any, forgotten: bool
) -> None:
    """Where it takes something away; whoever sent it, for nothing of the visitor's is lost."""
    for headers in ([SAME_ORIGIN], []):
        for mode in ("enforce", "report"):
            step = forward(make_gate(mode=mode), ask("POST", cookie=before, headers=headers))
            with suppress(GrantRefused):
                change(step.visit)
            left = cleared_of(step.finish([HTML], NOW).headers)
            assert left == [IN_ADVANCE] * (forgotten and mode == "enforce")


def test_so_are_those_fetched_by_who_was_never_asked() -> None:
    """Where something may be used until an objection, the first no takes it away."""
    law = Regions(country="X-Country", profiles=(Profile(places=("US",), regime="opt-out"),))
    gate = make_gate(regions=law)
    request = ask("POST", "/_gate/choice", headers=[FORM, SAME_ORIGIN, (b"x-country", b"US")])
    for action, expected in ((b"reject", [IN_ADVANCE]), (b"accept", [])):
        response = reply(gate, request, b"action=" + action).response
        assert cleared_of(response.headers) == expected


@pytest.mark.parametrize(
    ("before", "change", "cleared"),
    [
        (YES, lambda visit: visit.withdraw(), True),
        (b"sid=1", lambda visit: visit.withdraw(), False),
        (YES, lambda visit: visit.reject_all(), True),
        (cookie_of("analytics"), lambda visit: visit.set(analytics=False), True),
        (cookie_of("analytics"), lambda visit: visit.set(marketing=False), False),
        (NO, lambda visit: visit.reject_all(), False),
        (YES, lambda visit: visit.allows("analytics"), False),
    ],
)
def test_storage_is_cleared_on_withdrawal_where_the_policy_says_so(
    before: bytes, change: Any, cleared: bool
) -> None:
    """Only then, only where something was taken back, and never the cookies."""
    for gate, expected in ((make_gate(clear_site_data=True), cleared), (make_gate(), False)):
        step = forward(gate, ask(cookie=before, headers=[SAME_ORIGIN]))
        change(step.visit)
        headers = step.finish([HTML], NOW).headers
        assert (b'"storage"' in cleared_of(headers)) is expected


def test_the_gates_own_withdrawal_clears_storage_too() -> None:
    """The answer of `POST choice`."""
    gate = make_gate(clear_site_data=True)
    cleared = (b"clear-site-data", b'"storage"')
    request = ask("POST", "/_gate/choice", cookie=YES, headers=[FORM, SAME_ORIGIN])
    assert cleared in reply(gate, request, b"action=withdraw").response.headers


@pytest.mark.parametrize(
    ("cookie", "headers", "changes"),
    [
        (YES, [], {}),
        (YES, [(b"origin", b"https://evil.example")], {}),
        (YES, [(b"sec-fetch-site", b"cross-site")], {}),
        (b"sid=1", [SAME_ORIGIN], {}),
        (YES, [SAME_ORIGIN], {"mode": "report"}),
    ],
)
def test_no_other_site_can_clear_the_storage(
    cookie: bytes, headers: list[Header], changes: dict[str, Any]
) -> None:
    """Withdrawing is lenient; emptying a visitor's storage is not. Nor does a report do it."""
    gate = make_gate(clear_site_data=True, **changes)
    request = ask("POST", "/_gate/choice", cookie=cookie, headers=[FORM, *headers])
    response = reply(gate, request, b"action=withdraw").response
    assert response.status == 303
    assert b'"storage"' not in cleared_of(response.headers)
