"""Rules between which a name could not choose."""

from __future__ import annotations

from itertools import combinations, cycle
from time import process_time

import pytest

from consentgate.core.policy import Rule
from consentgate.core.ties import ties


def rule(name: str, category: str = "analytics", seconds: int | None = None) -> Rule:
    return Rule(name=name, category=category, seconds=seconds)


@pytest.mark.parametrize(
    ("one", "two", "name"),
    [
        (rule("a"), rule("a", "marketing"), "a"),
        (rule("a"), rule("a"), "a"),
        (rule("a*"), rule("a*", "marketing"), "a*"),
        (rule("ab*"), rule("*cd", "marketing"), "abcd"),
        (rule("ab*"), rule("*ab", "marketing"), "abab"),
        (rule("ab*", seconds=1), rule("*cd", seconds=2), "abcd"),
        (rule("*ab*"), rule("*cd*", "marketing"), "abcd"),
        (rule("ab*"), rule("*cd*", "marketing"), "abcd"),
        (rule("*ab"), rule("*cd*", "marketing"), "cdab"),
        (rule("a*b"), rule("a*c*", "marketing"), "acb"),
        (rule("a*b"), rule("*ab", "marketing"), "aab"),
        (rule("*"), rule("**", "marketing"), ""),
    ],
)
def test_two_rules_that_a_name_cannot_choose_between_are_a_tie(
    one: Rule, two: Rule, name: str
) -> None:
    """Equally much text, a name that both match, and different things said of it."""
    assert ties([one, two]) in ([(one, two, name)], [(two, one, name)])


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (rule("a"), rule("b", "marketing")),
        (rule("a"), rule("a*", "marketing")),
        (rule("ab*"), rule("*cd")),
        (rule("ab*"), rule("ac*", "marketing")),
        (rule("*ab"), rule("*cb", "marketing")),
        (rule("ab*"), rule("*abc", "marketing")),
        (rule("a*x"), rule("b*x", "marketing")),
        (rule("*ax"), rule("*b*y", "marketing")),
    ],
)
def test_rules_that_never_meet_or_agree_are_no_tie(one: Rule, two: Rule) -> None:
    """One is more specific, or no name matches both, or both say the same."""
    assert ties([one, two]) == []


def test_among_many_rules_the_same_ties_are_found_as_between_any_two() -> None:
    """However many rules are looked at at once; in the order of the file, the later one second."""
    names = ["a*", "*a", "b*", "*b", "ab*", "*ab", "a*b", "b*a", "*a*b", "a*a*", "*aa*", "*b*b*"]
    many = [
        rule(name, category, seconds)
        for name, (category, seconds) in zip(
            names, cycle([("analytics", None), ("marketing", None), ("analytics", 60)])
        )
    ]
    each = [tie for pair in combinations(many, 2) for tie in ties(pair)]
    assert len(each) == 20
    assert sorted(ties(many, limit=1000), key=str) == sorted(each, key=str)


@pytest.mark.parametrize("shape", ["{}*x", "{}*x*", "*x*{}"])
def test_patterns_that_differ_at_one_end_are_not_all_compared(shape: str) -> None:
    """Six thousand of them make 18 million pairs; they are told apart in a moment."""
    category = cycle(["analytics", "marketing"])
    many = [rule(shape.format(f"w{number:04d}"), next(category)) for number in range(6000)]
    start = process_time()
    assert ties(many) == []
    assert process_time() - start < 2


def test_ties_are_counted_up_to_a_limit() -> None:
    """A file full of ties is told of the first few, not of millions."""
    many = [rule(f"a{number:03d}*") for number in range(100)]
    many += [rule(f"*{number:03d}z", "marketing") for number in range(100)]
    assert len(ties(many)) == 50
    assert len(ties(many, limit=7)) == 7
    assert len(ties([rule("a")] * 1 + [rule("a") for _ in range(80)])) == 50


# --- paths --------------------------------------------------------------------------------------
