"""What is said of one cookie."""

from __future__ import annotations

import pytest

from consentgate.core.decision import Action, Decision, Verdict, printable
from consentgate.core.policy import Rule

RULE = Rule(name="_ga*", category="analytics")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (b"_ga", "_ga"),
        (b"a b", "a b"),
        (b"caf\xc3\xa9", "café"),
        (b"caf\xe9", "caf\\xe9"),
        (b"a\nb\x1b[31m", "a\\nb\\x1b[31m"),
        (b"\x7f", "\\x7f"),
        ("a\u202eb\u2028c".encode(), "a\\u202eb\\u2028c"),
        (b"x" * 100, "x" * 100),
        (b"x" * 101, "x" * 99 + "…"),
        (b"", ""),
    ],
)
def test_a_name_is_made_safe_to_print(name: bytes, text: str) -> None:
    """No control characters, nothing that reorders a terminal's line, a hundred characters."""
    assert printable(name) == text


def test_a_decision_is_made_once_and_says_the_rule() -> None:
    """The whole of it; without a reason of its own it gives that of the refusal."""
    verdict = Verdict(
        shown="_ga_X",
        rule=RULE,
        free=False,
        enforced=True,
        reason="the visitor allows analytics",
        refusal="the visitor has not allowed analytics",
    )
    hidden = verdict.said(Action.HIDDEN)
    assert hidden == Decision(
        name="_ga_X",
        category="analytics",
        rule="_ga*",
        origin="policy",
        action=Action.HIDDEN,
        reason="the visitor has not allowed analytics",
    )
    assert verdict.said(Action.HIDDEN) is hidden
    assert verdict.kept.reason == "the visitor allows analytics"
    assert verdict.said(Action.STUCK, "stuck").reason == "stuck"
    assert [verdict.leaves(frozenset(one)) for one in ([], ["analytics"], ["ads"])] == [
        False,
        True,
        False,
    ]
