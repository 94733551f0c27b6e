"""The compiled matcher against a naive reading of the same rules."""

from __future__ import annotations

import re
from itertools import combinations, product

from hypothesis import assume, given
from hypothesis import strategies as st

from consentgate.core.matcher import Matcher, PathMatcher
from consentgate.core.policy import Rule
from consentgate.core.ties import ties
from property.strategies import any_bytes, any_text, glued

PREFIXES = (b"__host-http-", b"__host-", b"__secure-", b"__http-")


def glob(pattern: bytes, name: bytes) -> bool:
    """Try everything that an asterisk could stand for: slow, and plainly right."""
    if not pattern:
        return not name
    if pattern[:1] == b"*":
        return any(glob(pattern[1:], name[at:]) for at in range(len(name) + 1))
    return name[:1] == pattern[:1] and glob(pattern[1:], name[1:])


def bare(name: bytes) -> bytes | None:
    for prefix in PREFIXES:
        if name.lower().startswith(prefix):
            return name[len(prefix) :]
    return None


def whole(name: bytes) -> bytes | None:
    found = re.fullmatch(rb"(.+)[.C][0-9]{1,2}", name, re.DOTALL)
    return found[1] if found else None


def forms_of(name: bytes) -> list[bytes]:
    """The name, without its prefix, without its number as a part, without both."""
    forms = [form for form in (name, bare(name)) if form is not None]
    return forms + [part for part in map(whole, forms) if part is not None]


def literal(rule: Rule) -> int:
    return len(rule.name.encode().replace(b"*", b""))


def governing(rules: list[Rule], name: bytes) -> list[Rule]:
    """The rules among which a name could not choose: at most one unless some tie."""
    forms = forms_of(name)
    for form in forms:
        exact = [rule for rule in rules if rule.name.encode() == form and "*" not in rule.name]
        if exact:
            return exact
    patterns = [rule for rule in rules if "*" in rule.name]
    found: list[Rule] = []
    for form in forms:
        matching = [rule for rule in patterns if glob(rule.name.encode(), form)]
        longest = max(map(literal, matching), default=-1)
        if not found or longest > literal(found[0]):
            found = [rule for rule in matching if literal(rule) == longest]
    return found


def outcome(rule: Rule | None) -> tuple[str, int | None] | None:
    return None if rule is None else (rule.category, rule.seconds)


few_letters = st.text(alphabet="ab_", max_size=5)
patterns = st.one_of(
    few_letters.filter(bool),
    st.lists(few_letters, min_size=2, max_size=4).map("*".join),
    few_letters.map(lambda text: text + "*"),
    few_letters.map(lambda text: "*" + text),
    few_letters.map(lambda text: f"*{text}*"),
    few_letters.map(lambda text: "__Host-" + text + "*"),
).filter(lambda text: "**" not in text)
rule_sets = st.lists(
    st.builds(
        Rule,
        name=patterns,
        category=st.sampled_from(["analytics", "marketing"]),
        seconds=st.sampled_from([None, None, 60]),
    ),
    max_size=12,
    unique_by=lambda rule: rule.name,
)
names = st.one_of(
    st.text(alphabet="ab_", max_size=9).map(str.encode),
    glued(
        st.sampled_from([b"__Host-", b"__secure-", b"__Host-Http-", b"__Http-"]),
        st.text(alphabet="ab_", max_size=6).map(str.encode),
    ),
    glued(
        st.sampled_from([b"", b"__Host-"]),
        st.text(alphabet="ab_", max_size=4).map(str.encode),
        st.sampled_from([b".0", b".12", b"C1", b".123", b"C", b"C1.0", b".C2"]),
    ),
    any_bytes,
)


@given(rule_sets, st.lists(names, min_size=1, max_size=20))
def test_the_matcher_finds_what_a_naive_reading_finds(
    rules: list[Rule], asked: list[bytes]
) -> None:
    """For every rule try everything: the most specific one is the one that is found."""
    matcher = Matcher(rules)
    for name in asked:
        expected = governing(rules, name)
        found = matcher.find(name)
        assert (found in expected) if expected else (found is None)


@given(rule_sets, names)
def test_without_ties_there_is_one_answer(rules: list[Rule], name: bytes) -> None:
    """Rules that do not tie never leave a name two answers."""
    assume(not ties(rules))
    assert len({outcome(rule) for rule in governing(rules, name)}) <= 1


@given(rule_sets, st.lists(names, min_size=1, max_size=20), st.data())
def test_the_order_of_rules_never_matters(
    rules: list[Rule], asked: list[bytes], data: st.DataObject
) -> None:
    """Shuffled, the same rules find the same rule, and the same ties."""
    shuffled = data.draw(st.permutations(rules))
    one, two = Matcher(rules), Matcher(shuffled)
    assert [one.find(name) for name in asked] == [two.find(name) for name in asked]
    assert pairs_of(ties(rules, limit=1000)) == pairs_of(ties(shuffled, limit=1000))


@given(rule_sets, rule_sets, st.lists(names, min_size=1, max_size=20))
def test_rules_for_other_names_change_nothing(
    rules: list[Rule], others: list[Rule], asked: list[bytes]
) -> None:
    """However many there are: a rule that does not match a name has no say in it."""
    taken = {rule.name for rule in rules}
    others = [rule for rule in others if rule.name not in taken]
    alone, together = Matcher(rules), Matcher([*others, *rules])
    for name in asked:
        if not governing(others, name):
            assert together.find(name) == alone.find(name)


@given(st.lists(st.text(alphabet="/ab*", max_size=6), max_size=5), any_text)
def test_paths_are_matched_as_naively(globs: list[str], path: str) -> None:
    """A path is named by the globs that match it, and by no other."""
    expected = any(
        glob(one.encode(), path.encode()) if "*" in one else one == path for one in globs
    )
    assert PathMatcher(globs).matches(path) is expected


# --- ties ---------------------------------------------------------------------------------------

# Every pattern of up to four characters over two letters, and every name that two of them, having
# at most three letters each, could both need.
SHORT = [
    text
    for length in range(1, 5)
    for text in map("".join, product("ab*", repeat=length))
    if "*" in text and "**" not in text
]
NAMES = [bytes(letters) for length in range(7) for letters in product(b"ab", repeat=length)]
MATCHED = {
    pattern: frozenset(name for name in NAMES if glob(pattern.encode(), name)) for pattern in SHORT
}


def pairs_of(found: list[tuple[Rule, Rule, str]]) -> set[frozenset[str]]:
    return {frozenset((one.name, two.name)) for one, two, _ in found}


def test_exactly_the_pairs_that_can_meet_are_ties() -> None:
    """Every pair of short patterns, against every short name: found, and with a true example."""
    wrong = []
    for one, two in combinations(SHORT, 2):
        rules = [Rule(name=one, category="a"), Rule(name=two, category="b")]
        same_length = literal(rules[0]) == literal(rules[1])
        expected = same_length and bool(MATCHED[one] & MATCHED[two])
        found = ties(rules)
        if bool(found) is not expected:
            wrong.append((one, two, expected))
        for _, _, name in found:
            if not (glob(one.encode(), name.encode()) and glob(two.encode(), name.encode())):
                wrong.append((one, two, name))
    assert wrong == []
    assert len(SHORT) > 60


@given(st.lists(st.sampled_from(SHORT), unique=True, max_size=25), st.data())
def test_the_ties_of_a_whole_file_are_those_of_its_pairs(
    chosen: list[str], data: st.DataObject
) -> None:
    """Many rules at once, in a few categories and with a few lifetimes: no pair is overlooked."""
    rules = [
        Rule(
            name=name,
            category=data.draw(st.sampled_from(["a", "b", "c"])),
            seconds=data.draw(st.sampled_from([None, 60])),
        )
        for name in chosen
    ]
    expected = {
        frozenset((one.name, two.name))
        for one, two in combinations(rules, 2)
        if literal(one) == literal(two)
        and outcome(one) != outcome(two)
        and MATCHED[one.name] & MATCHED[two.name]
    }
    assert pairs_of(ties(rules, limit=10_000)) == expected


@given(rule_sets, st.integers(1, 5))
def test_a_limit_only_cuts_the_list(rules: list[Rule], limit: int) -> None:
    """With a limit there are so many ties at most, and some exactly where there are any."""
    everything = ties(rules, limit=1000)
    some = ties(rules, limit=limit)
    assert len(some) == min(limit, len(everything))
    assert pairs_of(some) <= pairs_of(everything)
