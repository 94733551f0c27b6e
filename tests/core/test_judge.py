"""What the gate does with one cookie, and why."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from consentgate.core.decision import Action, Decision
from consentgate.core.judge import Judge
from consentgate.core.matcher import MAX_INNER_NAME
from consentgate.core.policy import Rule
from core.samples import NOW, POLICY

ALWAYS = frozenset({"necessary"})
ALL = ALWAYS | {"analytics", "marketing"}
KNOWN = (
    Rule(name="csrftoken", category="necessary", origin="Django 5.2"),
    Rule(name="_gat", category="necessary", origin="a framework"),
)
GONE = b"=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"


def judge(*, block: bool = True, enforced: bool = True, more: Iterable[Rule] = ()) -> Judge:
    return Judge(
        site=[*(rule for category in POLICY.categories for rule in category.rules), *more],
        known=KNOWN,
        categories={category.id: category for category in POLICY.categories},
        own=frozenset({b"gate", b"__Host-gate"}),
        block_unknown=block,
        enforced=enforced,
    )


def sent(line: bytes, allowed: frozenset[str] = ALWAYS, *, block: bool = True) -> bytes | None:
    return judge(block=block).judge(line, allowed, NOW)[1]


def test_a_necessary_cookie_leaves_as_it_came() -> None:
    """Rule 1: the very same bytes, whatever the visitor said, deletions included."""
    for line in (b"sid=1; Path=/", b"lang_x=de", b"csrftoken=x", b"sid=; Max-Age=0", b"sid=\xff"):
        decision, value, _ = judge().judge(line, ALWAYS, NOW)
        assert value is line
        assert decision.action is Action.KEPT
        assert decision.reason == "strictly necessary: needs no consent"


def test_an_optional_cookie_leaves_with_consent_only() -> None:
    """The whole decision, both ways."""
    line = b"_ga_X=GS1.1; Max-Age=3600"
    assert judge().judge(line, ALWAYS, NOW)[:2] == (
        Decision(
            name="_ga_X",
            category="analytics",
            rule="_ga*",
            origin="policy",
            action=Action.DROPPED,
            reason="the visitor has not allowed analytics",
        ),
        None,
    )
    assert judge().judge(line, ALL, NOW)[:2] == (
        Decision(
            name="_ga_X",
            category="analytics",
            rule="_ga*",
            origin="policy",
            action=Action.KEPT,
            reason="the visitor allows analytics",
            basis="consent",
        ),
        line,
    )


def test_a_cookie_that_no_rule_names_is_blocked_or_allowed_as_the_policy_says() -> None:
    """Unknown cookies, both ways, for every visitor alike."""
    unknown = Decision(
        name="stray",
        category=None,
        rule=None,
        origin=None,
        action=Action.DROPPED,
        reason="no rule names it, and unknown cookies are blocked",
    )
    assert judge().judge(b"stray=1", ALL, NOW)[:2] == (unknown, None)
    decision, value, verdict = judge(block=False).judge(b"stray=1", ALWAYS, NOW)
    assert (decision.action, value, verdict.free) == (Action.KEPT, b"stray=1", True)
    assert decision.reason == "no rule names it, and unknown cookies are allowed"


@pytest.mark.parametrize("line", [b"gate=x", b"__Host-gate=x", b" gate =x", b"gate", b"=gate=x"])
@pytest.mark.parametrize("block", [True, False])
def test_only_the_gate_sets_its_own_cookie(line: bytes, block: bool) -> None:
    """An app that writes the consent cookie would forge consent."""
    assert sent(line, ALL, block=block) is None


def test_a_sites_rule_beats_a_known_one() -> None:
    """The policy's `_ga*` takes `_gat`, which a framework is said to need."""
    assert judge().rule(b"_gat").name == "_ga*"  # type: ignore[union-attr]
    assert judge().rule(b"csrftoken").origin == "Django 5.2"  # type: ignore[union-attr]
    assert judge().rule(b"stray") is None
    assert sent(b"_gat=1") is None


@pytest.mark.parametrize(
    ("line", "canonical"),
    [
        (b"_ga=; Max-Age=0; Path=/; Domain=.shop.example", b"; Path=/; Domain=.shop.example"),
        (b"_ga=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT", b""),
        (b"_ga=; Max-Age=0; Secure; HttpOnly; Partitioned", b"; Secure; HttpOnly; Partitioned"),
    ],
)
def test_the_deletion_of_a_refused_cookie_leaves_in_canonical_form(
    line: bytes, canonical: bytes
) -> None:
    """Rule 3: logging out, or a tag manager's own cleaning up, always works."""
    decision, value, _ = judge().judge(line, ALWAYS, NOW)
    assert value == b"_ga" + GONE + canonical
    assert decision.action is Action.REWRITTEN
    assert decision.reason == "a deletion always leaves; the visitor has not allowed analytics"


def test_the_deletion_of_an_allowed_cookie_is_not_touched() -> None:
    """What may be set may be deleted in the app's own words."""
    line = b"_ga=; Max-Age=0; Path=/"
    assert sent(line, ALL) is line


def test_the_deletion_of_an_unknown_cookie_leaves_too() -> None:
    """Refused or unknown: nobody's cookie is kept alive by the gate."""
    decision, value, _ = judge().judge(b"stray=; Max-Age=0", ALWAYS, NOW)
    assert value == b"stray" + GONE
    assert decision.action is Action.REWRITTEN


@pytest.mark.parametrize(
    "line",
    [
        b"_ga",
        b"_ga; Path=/",
        b"=_ga",
        b"=_ga=1",
        b" _ga=1",
        b"_ga =1",
        b'"_ga"=1',
        b'_ga="x; Max-Age=0; y"',
        b"_ga=1; Max-Age=0; Max-Age=x",
        b"__Host-_ga=1",
        b"__Secure-_ga=1",
        b"\xa0_ga=1",
        b"_ga\xa0=1",
        b"_ga\xe9=1",
        b"Max-Age=0; _ga=1",
        b"",
        b"=",
        b"=x",
        b";",
    ],
)
def test_odd_forms_of_a_refused_cookie_do_not_leave(line: bytes) -> None:
    """Whatever some browser stores as `_ga`, and whatever has no name, stays here."""
    assert sent(line) is None


@pytest.mark.parametrize(
    ("line", "leaves"),
    [
        # Firefox stores a cookie named sid, Chromium a nameless one: the nameless one is unknown.
        (b"sid", False),
        (b"=sid=1", False),
        # Safari reads one name, everybody else another.
        (b'"sid;_ga"=1', False),
        # WebKit cuts the name at the first byte above ASCII.
        (b"lang\xe9=1", False),
    ],
)
def test_a_line_with_several_names_leaves_only_if_each_of_them_may(
    line: bytes, leaves: bool
) -> None:
    """Rule 2, where unknown cookies are blocked."""
    assert (sent(line) is not None) is leaves


@pytest.mark.parametrize(
    ("line", "leaves"),
    [
        (b"sid", True),
        (b"=x", True),
        (b"_ga", False),
        (b"=_ga=1", False),
        (b"lang\xe9=1", True),
        (b"x\xa0=1", True),
        (b"\xa0_ga=1", False),
        (b'"x;_ga"=1', True),
        (b"_ga\xe9=1", False),
        (b"=gate=1", False),
        (b"x\x00=1", False),
        (b"x=\t", False),
    ],
)
def test_where_unknown_cookies_are_allowed_the_known_names_still_count(
    line: bytes, leaves: bool
) -> None:
    """A nameless cookie may leave then, but not one that some browser takes for `_ga`."""
    assert (sent(line, block=False) is not None) is leaves


def test_of_several_names_that_may_leave_the_one_on_consent_speaks() -> None:
    """The answer then depends on the visitor, and says so."""
    decision, value, verdict = judge(block=False).judge(b"_ga", ALL, NOW)
    assert (value, verdict.free, verdict.category) == (b"_ga", False, "analytics")
    assert decision.category == "analytics"


@pytest.mark.parametrize("at", range(8))
@pytest.mark.parametrize("byte", [b"\0", b"\t", b"\n", b"\r", b"\x0b", b"\x1f", b"\x7f"])
def test_a_control_byte_bars_even_a_necessary_cookie(at: int, byte: bytes) -> None:
    """Fail closed, also for a name that has been judged before, and for deletions."""
    one = judge()
    for line in (b"sid=1; Path=/", b"sid=; Max-Age=0", b"_ga=1; Secure"):
        one.judge(line, ALL, NOW)
        decision, value, _ = one.judge(line[:at] + byte + line[at:], ALL, NOW)
        assert value is None
        assert decision.name == "(unreadable)"
        assert decision.action is Action.DROPPED


@pytest.mark.parametrize("block", [True, False])
def test_a_name_too_long_to_be_compared_never_leaves(block: bool) -> None:
    """Where patterns with inner text are not tried, "no rule names it" would be a guess."""
    rules = [Rule(name="*track*", category="marketing"), Rule(name="long*", category="necessary")]
    one = judge(block=block, more=rules)
    name = b"long" + b"x" * MAX_INNER_NAME + b"track"
    for line in (name + b"=1", b"x" * MAX_INNER_NAME + b"track=1", b"x" * 2000 + b"=1"):
        decision, value, _ = one.judge(line, ALL, NOW)
        assert value is None
        assert decision.reason == "its name is too long to be compared with every rule"
    deletion = b"x" * 2000 + b"=; Max-Age=0"
    assert one.judge(deletion, ALL, NOW)[1] == b"x" * 2000 + GONE
    assert one.judge(b"long" + b"x" * 1000 + b"=1", ALWAYS, NOW)[1] is not None


def test_no_decision_holds_a_value() -> None:
    """Rule 4: a nameless cookie's value could stand in for its name, and is not shown either."""
    for line in (b"secret", b"=secret", b"=secret=1", b"_ga=secret", b"_ga=secret\x00"):
        decision, _, _ = judge().judge(line, ALWAYS, NOW)
        assert "secret" not in repr(decision)
    assert judge().judge(b"=secret", ALWAYS, NOW)[0].name == "(no name)"


def test_report_mode_decides_the_same_and_says_so() -> None:
    """The decision of a gate that only reports is marked as such."""
    decision, _, _ = judge(enforced=False).judge(b"_ga=1", ALWAYS, NOW)
    assert (decision.action, decision.enforced) == (Action.DROPPED, False)


def test_an_unsafe_header_is_dropped_by_name() -> None:
    """Its name is shown, made safe; its value is not."""
    assert judge().unsafe_header(b"x-a: 1\r\nset-cookie") == Decision(
        name="x-a: 1\\r\\nset-cookie",
        category=None,
        rule=None,
        origin=None,
        action=Action.DROPPED,
        reason="a header with CR, LF or NUL could become a second one",
    )


def test_a_second_look_at_a_name_decides_the_same() -> None:
    """What is remembered of a name is never its visitor."""
    one = judge()
    for _ in range(2):
        assert one.judge(b"_ga=1", ALWAYS, NOW)[1] is None
        assert one.judge(b"_ga=2", ALL, NOW)[1] == b"_ga=2"
        assert one.judge(b"_ga=; Max-Age=0", ALWAYS, NOW)[1] == b"_ga" + GONE


def test_names_that_visitors_make_up_cannot_grow_the_memory() -> None:
    """Bounded in number, and long names are not kept at all."""
    one = judge()
    for number in range(5000):
        one.judge(b"made-up-%d=1" % number, ALWAYS, NOW)
    for number in range(300):
        one.judge(b"x" * 257 + b"%d=1" % number, ALWAYS, NOW)
    assert len(one.remembered) <= 2048
    assert all(len(name) <= 256 for name in one.remembered.young)


def test_a_name_that_was_put_aside_is_still_known() -> None:
    """What a full memory has put aside is found again, and decided alike."""
    one = judge()
    first = one.judge(b"_ga=1", ALWAYS, NOW)
    for number in range(1024):
        one.judge(b"other-%d=1" % number, ALWAYS, NOW)
    assert one.judge(b"_ga=1", ALWAYS, NOW)[0] is first[0]
