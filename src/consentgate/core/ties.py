"""Rules between which a name could not choose: refused before they are compiled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from itertools import combinations, islice, product

from .matcher import Pattern
from .policy import Rule

# The text before a pattern's first asterisk and after its last.
_BothEnds = tuple[bytes, bytes]


def ties(rules: Iterable[Rule], limit: int = 50) -> list[tuple[Rule, Rule, str]]:
    """Return pairs of rules between which a name could not choose, each with such a name.

    The same name twice is always a tie. Two patterns are one when they have equally much literal
    text, some name matches both, and they say different things of it.
    """
    found: list[tuple[Rule, Rule, str]] = []
    first_of: dict[str, Rule] = {}
    by_length: dict[int, list[Pattern]] = {}
    for rule in rules:
        first = first_of.setdefault(rule.name, rule)
        if first is not rule:
            found.append((first, rule, rule.name))
        elif "*" in rule.name:
            pattern = Pattern(rule)
            by_length.setdefault(pattern.literal, []).append(pattern)
    for group in by_length.values():
        found += _ties_among(group, max(0, limit - len(found)))
    return found[:limit]


def _ties_among(group: list[Pattern], limit: int) -> list[tuple[Rule, Rule, str]]:
    place = {pattern: at for at, pattern in enumerate(group)}
    alike: dict[_BothEnds, list[Pattern]] = {}
    for pattern in group:
        alike.setdefault((pattern.pieces[0], pattern.pieces[-1]), []).append(pattern)
    outcomes = {
        ends: {_outcome(pattern.rule) for pattern in patterns} for ends, patterns in alike.items()
    }
    usual, _ = Counter(_outcome(pattern.rule) for pattern in group).most_common(1)[0]
    unusual = {ends for ends, said in outcomes.items() if said != {usual}}
    found: list[list[Pattern]] = []
    for mine, theirs in _ends_that_meet(alike, unusual):
        if len(found) >= limit:
            break
        if len(outcomes[mine] | outcomes[theirs]) < 2:
            continue
        within = mine == theirs
        pairs = combinations(alike[mine], 2) if within else product(alike[mine], alike[theirs])
        differing = (pair for pair in pairs if _outcome(pair[0].rule) != _outcome(pair[1].rule))
        for pair in islice(differing, limit - len(found)):
            found.append(sorted(pair, key=place.__getitem__))
    found.sort(key=lambda pair: [place[one] for one in pair])
    return [(one.rule, two.rule, _example(one, two)) for one, two in found]


def _ends_that_meet(
    every: Collection[_BothEnds], unusual: Collection[_BothEnds]
) -> Iterator[tuple[_BothEnds, _BothEnds]]:
    """Yield the pairs that some name can have, of which at least one is `unusual`.

    Looks only at pairs of which one's text begins the other's, on the side where these are fewer:
    a thousand patterns that differ on either side are not compared with each other.
    """

    def pairs(side: int) -> Iterator[tuple[_BothEnds, list[_BothEnds]]]:
        # Sorted by the text of one side, those that begin alike stand in a row.
        text = {one: one[1][::-1] if side else one[0] for one in every}
        around: list[_BothEnds] = []
        unusual_around: list[_BothEnds] = []
        for one in sorted(every, key=text.__getitem__):
            for outer in (around, unusual_around):
                while outer and not text[one].startswith(text[outer[-1]]):
                    outer.pop()
            yield one, around if one in unusual else unusual_around
            around.append(one)
            if one in unusual:
                unusual_around.append(one)

    side = min((0, 1), key=lambda side: sum(len(others) for _, others in pairs(side)))
    agree = bytes.startswith if side else bytes.endswith
    for one, others in pairs(side):
        yield one, one
        for other in others:
            if _either(agree, one[1 - side], other[1 - side]):
                yield other, one


def _outcome(rule: Rule) -> tuple[object, ...]:
    return (
        rule.category,
        rule.seconds,
        rule.published_only,
        rule.sliding,
        rule.domain,
        rule.path,
        rule.partitioned,
    )


def _either(test: object, one: bytes, two: bytes) -> bool:
    assert callable(test)
    return bool(test(one, two) or test(two, one))


def _example(one: Pattern, other: Pattern) -> str:
    """Return a name that both match."""
    first = max(one.pieces[0], other.pieces[0], key=len)
    last = max(one.pieces[-1], other.pieces[-1], key=len)
    middle = b"".join(one.pieces[1:-1] + other.pieces[1:-1])
    return (first + middle + last).decode()
