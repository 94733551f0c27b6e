"""What visitors are told differently of a category, and whether it is more than they agreed to.

Rule 1. Wider is whatever somebody who agreed to the old text has not agreed to; in doubt it is.
Rule 2. A cookie newly named is not wider if the old text covered its every name, with these facts.
Rule 3. A rule taken out is not always narrower: another one may now say more of the same names.
Rule 4. No machine judges what a text means: whoever accepts it states that it is only corrected.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from itertools import product
from typing import NamedTuple

from ..core.matcher import Matcher, Pattern, bare, whole
from ..core.policy import Category, Rule

# Where scripts store, and what is named there.
_STORAGE = {
    "local_storage": "key",
    "session_storage": "key",
    "indexed_db": "database",
    "cache_storage": "cache",
}


class Kind(StrEnum):
    """What a difference does to a yes that was given before."""

    WIDER = "wider"
    NARROWER = "narrower"
    WORDING = "wording"


class Difference(NamedTuple):
    """One difference, in plain words; `stated`: only a person can say that it is mere wording."""

    kind: Kind
    text: str
    stated: bool = False


def differences(
    old: Category, new: Category, homes: Mapping[str, Category]
) -> tuple[Difference, ...]:
    """Return every difference in what visitors are told of a category, the widest first.

    `homes` are, for every name or pattern of a rule, the category it has in the new policy.
    """
    found = [*_texts(old, new), *_sale(old, new)]
    found += _cookies(old.rules, new.rules, homes)
    for kind, what in _STORAGE.items():
        found += _storage(f"{kind} {what}", old.kept_in(kind), new.kept_in(kind))
    order = list(Kind)
    return tuple(sorted(found, key=lambda one: order.index(one.kind)))


# --- texts and facts ----------------------------------------------------------------------------


def _plain(text: str) -> str:
    return " ".join(text.split())  # white space makes no revision


def _instead(what: str, was: str, now: str) -> str:
    if not now:
        return f'{what} "{was}" no longer told'
    return f'{what} "{now}", ' + (f'before "{was}"' if was else "before not told")


def _texts(old: Category, new: Category) -> Iterator[Difference]:
    for what in ("title", "description"):
        was, now = _plain(getattr(old, what)), _plain(getattr(new, what))
        if was != now:
            yield Difference(Kind.WORDING, _instead(what, was, now), stated=True)


def _sale(old: Category, new: Category) -> Iterator[Difference]:
    if new.sale_or_sharing and not old.sale_or_sharing:
        yield Difference(Kind.WIDER, "counts as sale or sharing")
    elif old.sale_or_sharing and not new.sale_or_sharing:
        yield Difference(Kind.NARROWER, "no longer counts as sale or sharing")


def _facts(label: str, old: Rule, new: Rule) -> Iterator[Difference]:
    """Yield what is told differently of names for which `old` was, and `new` is, the rule."""
    was, now = _plain(old.provider), _plain(new.provider)
    if was != now:
        kind = Kind.WIDER if now else Kind.NARROWER
        yield Difference(kind, f"{label}: {_instead('provider', was, now)}")
    was, now = _plain(old.purpose), _plain(new.purpose)
    if was != now:
        yield Difference(Kind.WORDING, f"{label}: {_instead('purpose', was, now)}", stated=True)
    was, now = _plain(old.duration), _plain(new.duration)
    if old.seconds != new.seconds:
        kind = Kind.WIDER if _is_longer(old.seconds, new.seconds) else Kind.NARROWER
        yield Difference(kind, f"{label}: {_instead('duration', was, now)}")
    elif was != now:
        yield Difference(Kind.WORDING, f"{label}: {_instead('duration', was, now)}")
    yield from _recipients(label, old, new)


def _is_longer(old: int | None, new: int | None) -> bool:
    """Compare seconds; None is without limit, the longest there is."""
    return old is not None and (new is None or new > old)


def _recipients(label: str, old: Rule, new: Rule) -> Iterator[Difference]:
    before, after = (sorted(map(_plain, rule.recipients)) for rule in (old, new))
    for one in sorted(set(after) - set(before)):
        yield Difference(Kind.WIDER, f'{label}: recipient "{one}" added')
    for one in sorted(set(before) - set(after)):
        yield Difference(Kind.NARROWER, f'{label}: recipient "{one}" removed')
    if before != after and set(before) == set(after):
        yield Difference(Kind.WORDING, f"{label}: recipients repeated")


def _storage(what: str, old: tuple[Rule, ...], new: tuple[Rule, ...]) -> Iterator[Difference]:
    before = {rule.name: rule for rule in old}
    patterns = [Pattern(rule) for rule in old if "*" in rule.name]
    for rule in new:
        label = f'{what} "{rule.name}"'
        was = before.get(rule.name)
        if was is None:
            # An asterisk of the new key is matched by one of the old alone: so its every name is.
            covering = (one.rule for one in patterns if one.matches(rule.name.encode()))
            was = next(covering, None)
            if was is None:
                yield Difference(Kind.WIDER, f"{label} added")
                continue
            text = f'{label} named, before covered by "{was.name}"'
            yield Difference(Kind.WORDING, text)
        yield from _facts(label, was, rule)
    names = {rule.name for rule in new}
    for rule in old:
        if rule.name not in names:
            yield Difference(Kind.NARROWER, f'{what} "{rule.name}" removed')


# --- cookies ------------------------------------------------------------------------------------


def _cookies(
    old: tuple[Rule, ...], new: tuple[Rule, ...], homes: Mapping[str, Category]
) -> Iterator[Difference]:
    before, after = _Rules(old), _Rules(new)
    for rule in old:
        if (same := after.named.get(rule.name)) is not None:
            yield from _facts(f'cookie "{rule.name}"', rule, same)
    successions: dict[tuple[str, str], tuple[Rule, Rule]] = {}
    for rule in new:
        if rule.name in before.named:
            continue
        covering = before.covering(rule)
        if covering is None:
            yield Difference(Kind.WIDER, f'cookie "{rule.name}" added')
            continue
        text = f'cookie "{rule.name}" named, before covered by "{covering.name}"'
        yield Difference(Kind.WORDING, text)
        for one in before.sharing(rule, after, old):
            successions[one.name, rule.name] = one, rule
    # Any other is wider altogether, whatever it says.
    covered = [rule for rule in new if before.covering(rule) is not None]
    for rule in old:
        if rule.name in after.named:
            continue
        covering = after.covering(rule)
        if covering is None:
            yield Difference(Kind.NARROWER, f'cookie "{rule.name}" {_fate(rule, homes)}')
        else:
            text = f'cookie "{rule.name}" no longer named, but covered by "{covering.name}"'
            yield Difference(Kind.WORDING, text)
        for one in after.sharing(rule, before, covered):
            successions[rule.name, one.name] = rule, one
    for one, other in successions.values():
        yield from _facts(f'cookie "{other.name}", before "{one.name}"', one, other)


def _fate(rule: Rule, homes: Mapping[str, Category]) -> str:
    home = homes.get(rule.name)
    if home is None:
        return "removed"
    return f"moved to {home.id}" + (", which needs no consent" if home.always else "")


class _Rules:
    """The rules of one category, and which of them is the one for a name."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.named = {rule.name: rule for rule in rules}
        self._matcher = Matcher(self.named.values())
        self._shapes: dict[str, Pattern | tuple[bytes, ...]] = {}

    def covering(self, rule: Rule) -> Rule | None:
        """Return the most specific rule that matches every name that another one matches.

        An asterisk in a name is matched by an asterisk alone, as any other text would be.
        """
        return self._matcher.find(rule.name.encode())

    def sharing(self, rule: Rule, theirs: _Rules, among: Iterable[Rule]) -> list[Rule]:
        """Return which of these rules, `among` some, decide over a name over which `rule` does.

        `rule` is not one of these, but of `theirs`.
        """
        if "*" not in rule.name:
            found = [
                self._matcher.find(form)
                for form in _forms(rule.name)
                if theirs._matcher.find(form) is rule
            ]
            return [one for one in among if one in found]
        covering, pattern = self.covering(rule), Pattern(rule)
        return [
            one
            for one in among
            if self._meets(one, pattern)
            and (covering is None or _rank(one) >= _rank(covering))
            # Where the other side has it too, or what covers it, that one decides there.
            and ((other := theirs.covering(one)) is None or _rank(other) <= _rank(rule))
        ]

    def _meets(self, one: Rule, pattern: Pattern) -> bool:
        """Say whether some name may be matched both by one of these and by a pattern."""
        shape = self._shapes.get(one.name)
        if shape is None:
            shape = Pattern(one) if "*" in one.name else tuple(_forms(one.name))
            self._shapes[one.name] = shape
        if isinstance(shape, Pattern):
            return _meet(shape, pattern)
        return any(map(pattern.matches, shape))


def _forms(name: str) -> Iterator[bytes]:
    """Yield the name and others that count as it: see the rules 3 and 4 of the matcher."""
    for prefix in ("", "__Host-", "__Secure-"):
        for part in ("", ".0", "C1"):
            yield f"{prefix}{name}{part}".encode()
    # And those as which it counts itself.
    for form in {name.encode(), bare(name.encode())}:
        yield from {bare(form), whole(form)}


def _meet(one: Pattern, other: Pattern) -> bool:
    """Say whether some name may be matched by both: ends that agree are all it takes."""
    heads = ({pattern.pieces[0], bare(pattern.pieces[0])} for pattern in (one, other))
    tails = ({pattern.pieces[-1], _whole_tail(pattern.pieces[-1])} for pattern in (one, other))
    return any(a.startswith(b) or b.startswith(a) for a, b in product(*heads)) and any(
        a.endswith(b) or b.endswith(a) for a, b in product(*tails)
    )


def _whole_tail(tail: bytes) -> bytes:
    return whole(b"**" + tail)[2:]  # a part's name ends in more than its number


def _rank(rule: Rule) -> tuple[bool, int, str]:
    """Return what sorts rules from the general to the specific, as the matcher does."""
    return "*" not in rule.name, Pattern(rule).literal, rule.name
