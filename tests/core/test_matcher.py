"""Rules compiled once: from a cookie's name to the one rule that governs it."""

from __future__ import annotations

from itertools import permutations
from time import process_time

import pytest

from consentgate.core.matcher import MAX_INNER_NAME, Matcher, PathMatcher, bare
from consentgate.core.policy import Rule


def rules(*names: str, category: str = "analytics") -> list[Rule]:
    return [Rule(name=name, category=category) for name in names]


def found(names: list[str], name: bytes) -> str | None:
    rule = Matcher(rules(*names)).find(name)
    return None if rule is None else rule.name


@pytest.mark.parametrize(
    ("pattern", "names", "others"),
    [
        ("_ga", [b"_ga"], [b"_GA", b"_ga_", b"x_ga", b"_g", b""]),
        ("_ga*", [b"_ga", b"_ga_1", b"_ga*"], [b"_g", b"x_ga", b"_GA"]),
        ("*_id", [b"_id", b"x_id", b"_id_id"], [b"_id2", b"id", b""]),
        ("*_ga*", [b"_ga", b"x_ga", b"_gax", b"x_gax"], [b"_g a", b"_GA"]),
        ("a*z", [b"az", b"abz", b"a*z", b"azz", b"aazz"], [b"a", b"z", b"azb", b"baz"]),
        ("ab*ba", [b"abba", b"ab_ba", b"abbba"], [b"aba", b"ab", b"ba"]),
        ("aa*aa", [b"aaaa", b"aaaaa"], [b"aa", b"aaa"]),
        ("a*b*c", [b"abc", b"a1b2c", b"abbc", b"abcc"], [b"ac", b"acb", b"bac"]),
        ("*a*b*", [b"ab", b"xaxbx", b"aab"], [b"ba", b"a", b"b"]),
        ("*ab*ba*", [b"abba", b"xab_ba"], [b"aba", b"baab"]),
        ("*", [b"", b"x", b"\xff"], []),
        ("pvc_visits[0]", [b"pvc_visits[0]"], [b"pvc_visits0", b"pvc_visits[1]"]),
        ("pvc_visits[*]", [b"pvc_visits[0]", b"pvc_visits[]"], [b"pvc_visits0"]),
        ("a?c", [b"a?c"], [b"abc"]),
        ("a.c", [b"a.c"], [b"abc"]),
        ("a\n", [b"a\n"], [b"a"]),
        ("caf\xe9*", [b"caf\xc3\xa9_1"], [b"caf\xe9_1"]),
        ("_ga$", [b"_ga$"], [b"_ga", b"_ga\n"]),
    ],
)
def test_an_asterisk_stands_for_any_text_and_nothing_else_is_special(
    pattern: str, names: list[bytes], others: list[bytes]
) -> None:
    """`*` is the only wildcard; case, brackets, dots and question marks are what they are."""
    assert [found([pattern], name) for name in names] == [pattern] * len(names)
    assert [found([pattern], name) for name in others] == [None] * len(others)


@pytest.mark.parametrize(
    ("names", "name", "winner"),
    [
        (["_ga", "_ga*"], b"_ga", "_ga"),
        (["_ga", "_g*", "*_ga", "*"], b"_ga", "_ga"),
        (["_g*", "_ga*"], b"_ga1", "_ga*"),
        (["_g*", "_ga*"], b"_g1", "_g*"),
        (["_ga*", "*"], b"_ga1", "_ga*"),
        (["_ga*", "*"], b"x", "*"),
        (["s*", "*_session_id"], b"s_session_id", "*_session_id"),
        (["session*", "*_id"], b"session_id", "session*"),
        (["session*", "*sion_i*"], b"session_id", "session*"),
        (["sess*", "*sion_i*"], b"session_id", "*sion_i*"),
        (["s*d", "*sion_i*", "se*_id"], b"session_id", "*sion_i*"),
        (["*a*", "*ab*", "*abc*"], b"xabx", "*ab*"),
        (["a*", "abc*", "abcde*"], b"abcdx", "abc*"),
        (["a*", "abc*", "abd*"], b"abe", "a*"),
        (["*a", "*cba", "*edcba"], b"xdcba", "*cba"),
        (["ab*", "b*"], b"c", None),
        ([], b"c", None),
    ],
)
def test_the_most_specific_rule_wins(names: list[str], name: bytes, winner: str | None) -> None:
    """An exact name beats a pattern; among patterns the longest literal text; order is nothing."""
    for order in permutations(names):
        assert found(list(order), name) == winner


@pytest.mark.parametrize(
    ("name", "rest"),
    [
        (b"__Host-sid", b"sid"),
        (b"__host-sid", b"sid"),
        (b"__Secure-sid", b"sid"),
        (b"__SECURE-sid", b"sid"),
        (b"__Http-sid", b"sid"),
        (b"__Host-Http-sid", b"sid"),
        (b"__Host-__Secure-sid", b"__Secure-sid"),
        (b"__Host-", b""),
        (b"__Hostsid", b"__Hostsid"),
        (b"_Host-sid", b"_Host-sid"),
        (b"x__Host-sid", b"x__Host-sid"),
        (b"__", b"__"),
        (b"", b""),
    ],
)
def test_a_name_prefix_is_taken_off_whatever_its_case(name: bytes, rest: bytes) -> None:
    """`__Host-`, `__Secure-` and their newer kin are demands on attributes, not names."""
    assert bare(name) == rest


def test_prefixed_forms_of_a_listed_name_count_as_the_name() -> None:
    """A site that lists `sid` has listed `__Host-sid` and `__Secure-sid`, patterns likewise."""
    names = ["sid", "_ga*", "*_csrf", "*lang*"]
    assert found(names, b"__Host-sid") == "sid"
    assert found(names, b"__Secure-sid") == "sid"
    assert found(names, b"__Host-_ga_1") == "_ga*"
    assert found(names, b"__Secure-x_csrf") == "*_csrf"
    assert found(names, b"__Host-mylanguage") == "*lang*"
    assert found(names, b"__Host-other") is None


def test_a_rule_for_the_prefixed_name_itself_wins() -> None:
    """Whoever names `__Host-sid` means that very cookie."""
    assert found(["sid", "__Host-sid"], b"__Host-sid") == "__Host-sid"
    assert found(["sid*", "__Host-s*"], b"__Host-sid") == "__Host-s*"
    assert found(["session_id*", "__Host-s*"], b"__Host-session_id") == "session_id*"
    assert found(["__Host-sid"], b"sid") is None


def test_a_pattern_for_the_whole_name_wins_over_an_equally_long_one_for_the_bare_name() -> None:
    """`__Host-*` and `abcdefg*` have as much text: the one that names the prefix is closer."""
    for order in permutations(["__Host-*", "abcdefg*"]):
        assert found(list(order), b"__Host-abcdefgh") == "__Host-*"


def test_a_pattern_with_inner_text_is_not_tried_on_a_name_that_is_too_long() -> None:
    """Names over 1 KiB are not searched for inner text; beginnings and ends still count."""
    names = ["*_ga*", "a*", "*z"]
    assert found(["*_ga*"], b"x" * (MAX_INNER_NAME - 3) + b"_ga") == "*_ga*"
    assert found(["*_ga*"], b"x" * (MAX_INNER_NAME - 2) + b"_ga") is None
    assert found(names, b"a" + b"x" * MAX_INNER_NAME) == "a*"
    assert found(["*_ga*", "*"], b"x" * 5000) == "*"


def test_a_hostile_name_costs_no_time() -> None:
    """No pattern and no name makes matching explode: no backtracking."""
    matcher = Matcher(rules(*("*a" * count + "*b" for count in range(1, 200)), "x*"))
    start = process_time()
    for name in (b"a" * MAX_INNER_NAME, b"a" * 4096, b"aab" * 300 + b"a"):
        assert matcher.find(name) is None
    assert process_time() - start < 0.5


def test_the_answer_does_not_depend_on_how_many_other_rules_there_are() -> None:
    """Ten thousand rules for other names change nothing."""
    many = [f"{kind}{number:05d}{end}" for number in range(2500) for kind, end in KINDS]
    matcher = Matcher(rules("_ga*", *many))
    assert matcher.find(b"_ga_X").name == "_ga*"  # type: ignore[union-attr]
    assert matcher.find(b"p00042_x").name == "p00042*"  # type: ignore[union-attr]
    assert matcher.find(b"x_e00042").name == "*e00042"  # type: ignore[union-attr]
    assert matcher.find(b"x_i00042_x").name == "*i00042*"  # type: ignore[union-attr]
    assert matcher.find(b"x00042").name == "x00042"  # type: ignore[union-attr]
    assert matcher.find(b"nothing") is None


KINDS = [("x", ""), ("p", "*"), ("*e", ""), ("*i", "*")]


# --- ties ---------------------------------------------------------------------------------------


def rule(name: str, category: str = "analytics", seconds: int | None = None) -> Rule:
    return Rule(name=name, category=category, seconds=seconds)


@pytest.mark.parametrize(
    ("globs", "path", "matches"),
    [
        (["/webhooks/*"], "/webhooks/a/b", True),
        (["/webhooks/*"], "/webhooks/", True),
        (["/webhooks/*"], "/webhooks", False),
        (["/webhooks/*"], "/x/webhooks/", False),
        (["/health"], "/health", True),
        (["/health"], "/health/", False),
        (["*.json"], "/a.json", True),
        (["/a", "/b/*"], "/b/c", True),
        (["/caf\xe9/*"], "/caf\xe9/x", True),
        (["/x/*"], "/x/\udce9", True),
        ([], "/", False),
    ],
)
def test_paths_are_named_by_globs_too(globs: list[str], path: str, matches: bool) -> None:
    """`*` in a path stands for any text, slashes included, and no path raises."""
    matcher = PathMatcher(globs)
    assert matcher.matches(path) is matches
    assert bool(matcher) is bool(globs)


def test_no_path_raises() -> None:
    """Not even one that no server should have decoded to."""
    assert all(PathMatcher(["/x/*"]).matches(f"/x/{chr(code)}") for code in range(0xD7FF, 0xE001))


@pytest.mark.parametrize(
    ("name", "rule_name"),
    [
        (b"appSession", "appSession"),
        (b"appSession.0", "appSession"),
        (b"appSession.12", "appSession"),
        (b".AspNetCore.CookiesC1", ".AspNetCore.Cookies"),
        (b"__Secure-auth.session-token.0", "auth.session-token"),
        (b"sb-project-auth-token.1", "sb-*-auth-token"),
        (b"listed.0", "listed.0"),
        (b"appSession.123", "*"),
        (b"appSessionC", "*"),
        (b"appSession.x", "*"),
        (b"appSession.0.1", "*"),
        (b".0", "*"),
    ],
)
def test_the_parts_of_a_long_cookie_count_as_the_whole(name: bytes, rule_name: str) -> None:
    """Its own name first, then the whole's, then a pattern: a catch-all never takes a part away."""
    rules = [
        rule("appSession", "necessary"),
        rule(".AspNetCore.Cookies", "necessary"),
        rule("auth.session-token", "necessary"),
        rule("sb-*-auth-token", "necessary"),
        rule("listed", "necessary"),
        rule("listed.0"),
        rule("*"),
    ]
    found = Matcher(rules).find(name)
    assert found is not None
    assert found.name == rule_name
