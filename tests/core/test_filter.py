"""Every header of an answer: what leaves, and as what. See also test_gate, and the laws."""

from __future__ import annotations

from dataclasses import replace

from consentgate.core.decision import Action
from consentgate.core.gate import Gate
from consentgate.core.http import Header
from consentgate.core.policy import Category, Policy, Rule
from core.samples import KEY, NOW, POLICY, ask, cookie_of, forward, lines_of, make_gate

YES = cookie_of("analytics", "marketing")
TWO_YEARS = b"_ga=1; Max-Age=63072000; Path=/"


def answered(
    policy: Policy, *lines: bytes, cookie: bytes = YES, scheme: str = "https"
) -> tuple[list[bytes], list[Action], bool]:
    """What leaves of these Set-Cookie lines, what was decided, and whether it became private."""
    gate = Gate(policy, [KEY])
    host = b"localhost" if scheme == "http" else b"shop.example"
    headers = [(b"set-cookie", line) for line in lines]
    request = ask(cookie=cookie, scheme=scheme, host=host)
    finish = forward(gate, request).finish(headers, NOW)
    private = (b"cache-control", b"private") in finish.headers
    made = [one.action for one in finish.decisions if one.action is not Action.HIDDEN]
    return lines_of(finish), made, private


def policy_of(*categories: Category, **changes: object) -> Policy:
    return replace(POLICY, categories=categories, **changes)  # type: ignore[arg-type]


def test_a_cookie_lives_no_longer_than_published() -> None:
    """The allowed `_ga` is cut to its 13 months, and the answer is its visitor's."""
    lines, actions, private = answered(POLICY, TWO_YEARS, b"sid=1; Max-Age=63072000")
    assert lines == [b"_ga=1; Path=/; Max-Age=34164000", b"sid=1; Max-Age=63072000"]
    assert (actions, private) == ([Action.SHORTENED, Action.KEPT], True)


def test_what_needs_no_change_is_the_very_header() -> None:
    """Within its limits a cookie is not written again."""
    headers: list[Header] = [(b"Set-Cookie", b"_ga=1 ;  Max-Age = 60 ; weird;;Path=/")]
    finish = forward(make_gate(), ask(cookie=YES)).finish(headers, NOW)
    assert finish.headers[0] is headers[0]


def test_the_decision_says_by_how_much() -> None:
    """The published text, as it stands in the policy."""
    finish = forward(make_gate(), ask(cookie=YES)).finish([(b"set-cookie", TWO_YEARS)], NOW)
    assert finish.decisions[0].reason == "it would live longer than the published 13 months"


def test_report_mode_shortens_nothing_and_says_so() -> None:
    """The line leaves as it came, and the decision is what would have been done."""
    gate = make_gate(mode="report")
    finish = forward(gate, ask(cookie=YES)).finish([(b"set-cookie", TWO_YEARS)], NOW)
    assert lines_of(finish) == [TWO_YEARS]
    assert [(one.action, one.enforced) for one in finish.decisions] == [(Action.SHORTENED, False)]


def test_a_cookie_that_does_not_slide_is_set_once() -> None:
    """Where the browser holds it, it is not set again: it cannot change, but it can be deleted."""
    rule = Rule(name="_pk_id*", category="analytics", sliding=False)
    policy = policy_of(Category(id="analytics", rules=(rule,)))
    yes = b"__Host-gate=" + Gate(policy, [KEY]).site.tokens.write(
        replace(forward(make_gate(), ask(cookie=YES)).visit.said, denied=frozenset())
    )
    again = yes + b"; _pk_id.1=old"
    assert answered(policy, b"_pk_id.1=new", cookie=yes)[:2] == ([b"_pk_id.1=new"], [Action.KEPT])
    assert answered(policy, b"_pk_id.1=new", cookie=again) == ([], [Action.DROPPED], True)
    assert answered(policy, b"_pk_id.2=new", cookie=again)[0] == [b"_pk_id.2=new"]
    gone = b"_pk_id.1=; Max-Age=0; Path=/"
    assert answered(policy, gone, cookie=again)[:2] == ([gone], [Action.KEPT])


def test_a_necessary_cookie_that_does_not_slide_makes_the_answer_private() -> None:
    """Whether it is set depends on what this browser sent."""
    rule = Rule(name="sid", category="necessary", sliding=False)
    policy = policy_of(Category(id="necessary", always=True, rules=(rule,)))
    assert answered(policy, b"sid=2", cookie=b"sid=1") == ([], [Action.DROPPED], True)
    assert answered(policy, b"sid=2", cookie=b"lang=1") == ([b"sid=2"], [Action.KEPT], True)


def test_the_limits_of_a_necessary_cookie_are_those_of_its_own_table() -> None:
    """A published duration alone cuts nothing there; a floor does not make an answer private."""
    rules = (
        Rule(name="a", category="necessary", seconds=60),
        Rule(name="b", category="necessary", seconds=60, published_only=True),
    )
    policy = policy_of(Category(id="necessary", always=True, http_only=True, rules=rules))
    lines, actions, private = answered(policy, b"a=1; Max-Age=61", b"b=1; Max-Age=61; HttpOnly")
    assert lines == [b"a=1; Max-Age=60; HttpOnly", b"b=1; Max-Age=61; HttpOnly"]
    assert (actions, private) == ([Action.SHORTENED, Action.KEPT], False)


def test_known_names_get_the_floors_of_the_necessary_category() -> None:
    """Frameworks' own cookies belong to it, so what its table asks for holds for them."""
    policy = policy_of(Category(id="necessary", always=True, secure=True))
    known = [Rule(name="csrftoken", category="necessary", origin="Django")]
    gate = Gate(policy, [KEY], known=known)
    headers = [(b"set-cookie", b"csrftoken=1; Path=/")]
    assert lines_of(forward(gate, ask()).finish(headers, NOW)) == [b"csrftoken=1; Path=/; Secure"]


def test_a_floor_of_secure_spares_a_developers_machine() -> None:
    """On plain http to localhost Secure would lose the cookie for test clients."""
    category = Category(
        id="necessary",
        always=True,
        secure=True,
        http_only=True,
        rules=(Rule(name="a", category="necessary"),),
    )
    policy = policy_of(category)
    assert answered(policy, b"a=1")[0] == [b"a=1; Secure; HttpOnly"]
    assert answered(policy, b"a=1", scheme="http")[0] == [b"a=1; HttpOnly"]


def test_a_floor_of_secure_spares_a_site_without_https() -> None:
    """Browsers would refuse the cookie."""
    category = Category(
        id="necessary", always=True, secure=True, rules=(Rule(name="a", category="necessary"),)
    )
    assert answered(policy_of(category, secure=False), b"a=1")[0] == [b"a=1"]


def test_a_deletion_is_not_hardened() -> None:
    """It leaves as it came, whatever its category asks for."""
    category = Category(
        id="necessary", always=True, http_only=True, rules=(Rule(name="a", category="necessary"),)
    )
    gone = b"a=; Max-Age=0; Path=/"
    assert answered(policy_of(category), gone)[:2] == ([gone], [Action.KEPT])
