"""The cookies that a browser sent: the gate's own, those the app may see, those that have to go.

Rule 1. A pair is hidden whole, or left byte for byte in its place.
Rule 2. What is remembered of a request are the names in it, never a value. A header that came
        before is known again by its hash: 64 bits, under a key of the process, by which one is
        taken for another once in 10**16 requests.
Rule 3. Linear in the header, whatever the header.
"""

from __future__ import annotations

from operator import itemgetter

from .cookies import MAX_COOKIE_PAIRS, WSP, join_fields, within_caps
from .decision import Action, Decision, Verdict
from .judge import Judge
from .memo import Memo

_MAX_REMEMBERED_PAIRS = 64
_MAX_REMEMBERED = 8192
# Of these, names that no rule spells out: visitors could make them up, and each takes a kilobyte.
_MAX_REMEMBERED_LOOSE = 24
_MAX_SELECTIONS = 8


class Stray:
    """A cookie on the device that the visitor has not allowed; `name` b"": a nameless one."""

    __slots__ = ("name", "verdict")

    def __init__(self, name: bytes, verdict: Verdict) -> None:
        self.name = name
        self.verdict = verdict


class Selection:
    """What follows for a visitor to whom certain categories are allowed."""

    __slots__ = ("hidden", "pick", "seen", "strays")

    def __init__(
        self,
        seen: tuple[int, ...] | None,
        hidden: tuple[Decision, ...],
        strays: tuple[Stray, ...],
    ) -> None:
        # Of the places of the pairs that the app may see; None: all of them.
        self.seen = seen
        self.pick = itemgetter(*seen) if seen and len(seen) > 1 else None
        self.hidden = hidden
        self.strays = strays


class _Row:
    """All that can be said of a row of names before a visitor is known."""

    __slots__ = (
        "_cut",
        "_expire_unknown",
        "_hide",
        "_selections",
        "_verdicts",
        "free",
        "names",
        "own",
    )

    def __init__(
        self,
        heads: tuple[bytes, ...],  # each with its "="
        verdicts: list[tuple[Verdict, ...]],
        own: frozenset[bytes],
        hide: bool,
        expire_unknown: bool,
        cut: bool,
    ) -> None:
        self._cut = cut  # there are more pairs, which nobody may see
        self._verdicts = verdicts
        self._hide = hide
        self._expire_unknown = expire_unknown
        # Whether every one of them may be seen, whatever the visitor said.
        self.free = not cut and all(one.free for each in verdicts for one in each)
        self.names = [head[:-1].strip(WSP) for head in heads]
        self.own: dict[bytes, list[int]] = {}  # places of the gate's own cookies
        for place, name in enumerate(self.names):
            if name in own:
                self.own.setdefault(name, []).append(place)
        self._selections: dict[frozenset[str], Selection] = {}

    @property
    def worth_remembering(self) -> bool:
        """Whether it holds no nameless cookie, which is a value, and few names of nobody's."""
        if b"" in self.names or len(self.names) > _MAX_REMEMBERED_PAIRS:
            return False
        loose = [one for each in self._verdicts for one in each if not one.spelled_out]
        return len(loose) <= _MAX_REMEMBERED_LOOSE

    def select(self, allowed: frozenset[str]) -> Selection:
        selection = self._selections.get(allowed)
        if selection is None:
            selection = self._select(allowed)
            if len(self._selections) < _MAX_SELECTIONS:
                self._selections[allowed] = selection
        return selection

    def _select(self, allowed: frozenset[str]) -> Selection:
        seen: list[int] = []
        hidden: list[Decision] = []
        strays: dict[bytes, Stray] = {}
        for place, verdicts in enumerate(self._verdicts):
            barred = next((one for one in verdicts if not one.leaves(allowed)), None)
            if barred is None:
                seen.append(place)
                continue
            hidden.append(barred.said(Action.HIDDEN))
            # What another reading of the name says hides it, but is no reason to delete.
            first = verdicts[0]
            if first.rule is None:
                goes = (self._expire_unknown or first.wanders) and not first.free
            else:
                goes = not first.leaves(allowed)
            goes = goes and not first.stays
            name = self.names[place]
            if goes and name not in strays:
                strays[name] = Stray(name, first)
        if not self._hide:
            return Selection(None, (), tuple(strays.values()))
        some = tuple(seen) if hidden or self._cut else None
        return Selection(some, tuple(hidden), tuple(strays.values()))


class RequestCookies:
    """One request's Cookie header, taken apart."""

    __slots__ = ("_header", "_parts", "row")

    def __init__(self, header: bytes, row: _Row, parts: list[bytes] | None = None) -> None:
        self._header = header
        self._parts = parts
        self.row = row

    @property
    def readable(self) -> bool:
        """Whether the header is of a size that a browser could have sent."""
        return within_caps(self._header)

    def own(self, name: bytes) -> list[bytes]:
        """Return the values of the gate's own cookies of this name, in the order sent."""
        places = self.row.own.get(name)
        if places is None:
            return []
        parts = self._split()
        return [parts[place].partition(b"=")[2].strip(WSP) for place in places]

    def names(self) -> frozenset[bytes]:
        """Return the names of all of them."""
        return frozenset(self.row.names)

    def visible(self, selection: Selection) -> bytes | None:
        """Return the Cookie header that the app may see; None: the one that came."""
        seen = selection.seen
        if seen is None:
            return None
        parts = self._split()
        if selection.pick is not None:
            return b";".join(selection.pick(parts)).lstrip(WSP)
        return parts[seen[0]].strip(WSP) if seen else b""

    def _split(self) -> list[bytes]:
        parts = self._parts
        if parts is None:
            self._parts = parts = self._header.split(b";", MAX_COOKIE_PAIRS)
        return parts


class Sorter:
    """Takes Cookie headers apart, by the rules of one judge."""

    __slots__ = ("_expire_unknown", "_headers", "_hide", "_judge", "_own", "_rows")

    def __init__(
        self, judge: Judge, own: frozenset[bytes], *, hide: bool, expire_unknown: bool
    ) -> None:
        self._judge = judge
        self._own = own
        self._hide = hide
        self._expire_unknown = expire_unknown
        self._headers: Memo[int, _Row] = Memo(1024)
        self._rows: Memo[tuple[bytes, ...], _Row] = Memo(256)

    def read(self, fields: list[bytes]) -> RequestCookies:
        """Take the Cookie fields of one request, at least one, as one header."""
        header = fields[0] if len(fields) == 1 else join_fields(fields)
        key = hash(header)
        row = self._headers.young.get(key)
        if row is not None:
            return RequestCookies(header, row)
        parts = header.split(b";", MAX_COOKIE_PAIRS)
        # With its "=": what has none is a value, and gives b"".
        heads = tuple([part[: part.find(b"=") + 1] for part in parts])
        row = self._rows.young.get(heads) or self._rows.get(heads)
        if row is None:
            row = self._row(parts, heads)
            if not row.worth_remembering or len(header) > _MAX_REMEMBERED:
                return RequestCookies(header, row, parts)
            self._rows.put(heads, row)
        self._headers.put(key, row)
        return RequestCookies(header, row, parts)

    def _row(self, parts: list[bytes], heads: tuple[bytes, ...]) -> _Row:
        # Each name that was never seen costs some microseconds, so there is an end to them: what no
        # browser sends is not looked at, nor shown to the app.
        looked_at = parts[:MAX_COOKIE_PAIRS]
        verdicts = [self._judge.of_pair(part) for part in looked_at]
        cut = len(looked_at) < len(parts)
        return _Row(heads, verdicts, self._own, self._hide, self._expire_unknown, cut)
