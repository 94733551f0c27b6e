"""Rules compiled once: from a cookie's name to its rule, in time independent of how many rules.

Rule 1. An exact name beats a pattern; among patterns the longest literal text wins.
Rule 2. Two patterns that could tie over one name, with different outcomes, are refused beforehand.
Rule 3. `__Host-sid` and `__Secure-sid` count as `sid`: a prefix is a demand on attributes, not
        another cookie (RFC 6265bis 4.1.3).
Rule 4. `sid.0` and `sidC1` count as `sid`: so servers name the parts of what is too long for one
        cookie.
Rule 5. No regular expression, no backtracking: linear in the name, whatever the name.

Exact names are one dictionary look-up. `text*` is a bisection over sorted prefixes, `*text` the
same on the reversed name. Other patterns are found by one rare run of up to four bytes of their
text (a gram): a name is cut into its grams once, and only patterns whose gram it has are tried.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator

from .policy import Rule

# Longer names are not compared with patterns that have text in the middle: those are the only ones
# whose cost grows with the name's length times the patterns it resembles. Such a name is unknown.
MAX_INNER_NAME = 1024
_GRAM = 4
# RFC 6265bis 4.1.3 and, for the last two, its successor; browsers compare without regard to case.
_PREFIXES = (b"__host-http-", b"__host-", b"__secure-", b"__http-")


def bare(name: bytes) -> bytes:
    """Return the name without its `__Host-`, `__Secure-` or `__Http-` prefix."""
    if name[:2] == b"__":
        lower = name[:12].lower()
        for prefix in _PREFIXES:
            if lower.startswith(prefix):
                return name[len(prefix) :]
    return name


def whole(name: bytes) -> bytes:
    """Return the name of the whole of which this names a part, or the name itself.

    ASP.NET Core appends C1, C2, …; Auth.js, Auth0's and Supabase's libraries .0, .1, ….
    """
    text = name.rstrip(b"0123456789")
    if 1 <= len(name) - len(text) <= 2 and text[-1:] in (b".", b"C") and len(text) > 1:
        return text[:-1]
    return name


class Pattern:
    """A compiled pattern: the literal pieces between its asterisks."""

    __slots__ = ("literal", "pieces", "rule")

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.pieces = rule.name.encode().split(b"*")
        self.literal = sum(map(len, self.pieces))

    def matches(self, name: bytes) -> bool:
        first, *middle, last = self.pieces
        at, end = len(first), len(name) - len(last)
        if end < at or not name.startswith(first) or not name.endswith(last):
            return False
        for piece in middle:
            # The earliest occurrence leaves the most room for the rest: greedy is enough.
            found = name.find(piece, at, end)
            if found < 0:
                return False
            at = found + len(piece)
        return True


class _Ends:
    """The longest of many known prefixes that a name begins with."""

    __slots__ = ("_keys", "_parents", "_patterns")

    def __init__(self, patterns: dict[bytes, Pattern]) -> None:
        self._patterns = patterns
        self._keys = sorted(patterns)
        # Each key's longest proper prefix among the keys, so that a miss walks up, never sideways.
        self._parents: list[int] = []
        stack: list[int] = []
        for at, key in enumerate(self._keys):
            while stack and not key.startswith(self._keys[stack[-1]]):
                stack.pop()
            self._parents.append(stack[-1] if stack else -1)
            stack.append(at)

    def find(self, name: bytes) -> Pattern | None:
        keys = self._keys
        at = bisect_right(keys, name) - 1
        while at >= 0:
            key = keys[at]
            if name.startswith(key):
                return self._patterns[key]
            at = self._parents[at]
        return None


class _Inner:
    """Patterns with text that is neither only a beginning nor only an end."""

    __slots__ = ("_any", "_by_gram", "_lengths")

    def __init__(self, patterns: list[Pattern]) -> None:
        grams = {pattern: list(_grams_of(pattern)) for pattern in patterns}
        count = Counter(gram for found in grams.values() for gram in set(found))
        by_gram: dict[bytes, list[Pattern]] = {}
        self._any: Pattern | None = None
        for pattern, found in grams.items():
            if found:
                by_gram.setdefault(min(found, key=lambda gram: (count[gram], gram)), []).append(
                    pattern
                )
            else:
                self._any = pattern  # a lone asterisk
        self._by_gram = by_gram
        self._lengths = sorted({len(gram) for gram in by_gram})

    def find(self, name: bytes) -> Pattern | None:
        if len(name) > MAX_INNER_NAME:
            return self._any
        candidates: list[Pattern] = []
        by_gram = self._by_gram
        for length in self._lengths:
            grams = {name[at : at + length] for at in range(len(name) - length + 1)}
            for gram in by_gram.keys() & grams:
                candidates += by_gram[gram]
        if len(candidates) > 1:
            candidates.sort(key=_specificity, reverse=True)
        return next((one for one in candidates if one.matches(name)), self._any)


def _grams_of(pattern: Pattern) -> Iterator[bytes]:
    longest = max(map(len, pattern.pieces))
    length = min(_GRAM, longest)
    if length:
        for piece in pattern.pieces:
            for at in range(len(piece) - length + 1):
                yield piece[at : at + length]


def _specificity(pattern: Pattern) -> tuple[int, str]:
    return pattern.literal, pattern.rule.name


class Matcher:
    """A set of rules, compiled. `find` gives the one rule that governs a name, or None."""

    __slots__ = ("_endings", "_exact", "_inner", "_patterned", "_prefixes")

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._exact: dict[bytes, Rule] = {}
        prefixes: dict[bytes, Pattern] = {}
        endings: dict[bytes, Pattern] = {}
        inner: list[Pattern] = []
        for rule in rules:
            if "*" not in rule.name:
                self._exact.setdefault(rule.name.encode(), rule)
                continue
            pattern = Pattern(rule)
            match pattern.pieces:
                case [first, b""] if first:
                    prefixes.setdefault(first, pattern)
                case [b"", last] if last:
                    endings.setdefault(last[::-1], pattern)
                case _:
                    inner.append(pattern)
        self._prefixes = _Ends(prefixes) if prefixes else None
        self._endings = _Ends(endings) if endings else None
        self._inner = _Inner(inner) if inner else None
        self._patterned = bool(prefixes or endings or inner)

    def find(self, name: bytes) -> Rule | None:
        """Return the rule that governs a cookie of this name."""
        exact = self._exact
        rule = exact.get(name)
        if rule is not None:
            return rule
        # The closest form first; nearly every name has but one.
        forms = [name]
        if (stripped := bare(name)) is not name:
            forms.append(stripped)
        if whole(name) is not name:
            forms += map(whole, tuple(forms))
        for form in forms[1:]:
            if (rule := exact.get(form)) is not None:
                return rule
        if not self._patterned:
            return None
        best: Pattern | None = None
        for form in forms:
            # Of two equally specific ones, the one that matched the closer form is it.
            found = self._best(form)
            if found is not None and (best is None or found.literal > best.literal):
                best = found
        return best.rule if best is not None else None

    def _best(self, name: bytes) -> Pattern | None:
        best: Pattern | None = None
        if self._prefixes is not None:
            best = self._prefixes.find(name)
        if self._endings is not None:
            found = self._endings.find(name[::-1])
            if found is not None and (best is None or _specificity(found) > _specificity(best)):
                best = found
        if self._inner is not None:
            found = self._inner.find(name)
            if found is not None and (best is None or _specificity(found) > _specificity(best)):
                best = found
        return best


class PathMatcher:
    """Paths named by globs, `*` standing for any text, slashes included."""

    __slots__ = ("_exact", "_patterns")

    def __init__(self, globs: Iterable[str]) -> None:
        globs = tuple(globs)
        self._exact = frozenset(glob for glob in globs if "*" not in glob)
        self._patterns = tuple(
            Pattern(Rule(name=glob, category="")) for glob in globs if "*" in glob
        )

    def __bool__(self) -> bool:
        return bool(self._exact or self._patterns)

    def matches(self, path: str) -> bool:
        """Say whether one of the globs names this path."""
        name = path.encode("utf-8", "surrogatepass")  # no path of a visitor raises
        if path in self._exact or any(pattern.matches(name) for pattern in self._patterns):
            # Pyramid, for one, takes `/hooks/../shop` for `/shop`, which no glob was meant to name.
            return {".", ".."}.isdisjoint(path.split("/"))
        return False
